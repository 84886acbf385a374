package pebblestate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/cockroachdb/pebble/v2"
)

// open returns the database, which it makes if there is none yet: of the early
// tables, or empty.
func (s *Store) open() (*pebble.DB, error) {
	if err := s.prepareDir(); err != nil {
		return nil, err
	}
	s.opening.Lock()
	defer s.opening.Unlock()
	if db := s.db.Load(); db != nil {
		return db, nil
	}
	return s.openTables(s.early)
}

// prepareDir makes the local directory, empty, once.
func (s *Store) prepareDir() error {
	if s.prepared {
		return nil
	}
	s.opts = s.options()
	if err := s.fs.RemoveAll(s.dir); err != nil && !isNotExist(err) {
		return err
	}
	s.prepared = true
	return s.fs.MkdirAll(s.dir, 0o755)
}

// openTables opens a database made up of table files that are in place.
func (s *Store) openTables(tables []table) (*pebble.DB, error) {
	if err := writeDatabase(s.fs, s.dir, tables); err != nil {
		return nil, err
	}
	db, err := pebble.Open(s.dir, s.opts)
	if err != nil {
		return nil, err
	}
	s.db.Store(db)
	return db, nil
}

// Numbers of the records of a MANIFEST, and the first number free for tables.
const (
	tagComparer  = 1
	tagNextFile  = 3
	tagLastSeq   = 4
	tagNewTable  = 100
	manifestName = "MANIFEST-000001"
	firstFile    = 2
)

// writeDatabase writes the files beside the tables that make up a database: a
// MANIFEST of one record, and the markers that name it and the format version.
// Opening it does not go through the migrations of older formats, and its bytes
// depend on the tables alone.
func writeDatabase(fs scratchFS, dir string, tables []table) error {
	edit := binary.AppendUvarint(nil, tagComparer)
	edit = binary.AppendUvarint(edit, uint64(len(pebble.DefaultComparer.Name)))
	edit = append(edit, pebble.DefaultComparer.Name...)
	next, last := uint64(firstFile), uint64(0)
	for i := range tables {
		next, last = max(next, tables[i].num+1), max(last, tables[i].maxSeq)
	}
	for _, v := range []uint64{tagNextFile, next, tagLastSeq, last} {
		edit = binary.AppendUvarint(edit, v)
	}
	for i := range tables {
		edit = tables[i].appendEdit(edit)
	}
	if err := writeManifest(fs, fs.PathJoin(dir, manifestName), edit); err != nil {
		return err
	}
	for _, marker := range []string{
		"marker.manifest.000001." + manifestName,
		"marker.format-version.000001." + formatVersion.String(),
	} {
		f, err := fs.Create(fs.PathJoin(dir, marker), writeCategory)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return nil
}

// appendEdit appends the record that adds a table.
func (t *table) appendEdit(dst []byte) []byte {
	for _, v := range []uint64{tagNewTable, uint64(t.level), t.num, t.size} {
		dst = binary.AppendUvarint(dst, v)
	}
	for _, key := range [][]byte{t.smallest, t.largest} {
		dst = append(binary.AppendUvarint(dst, uint64(len(key))), key...)
	}
	dst = binary.AppendUvarint(dst, t.minSeq)
	return binary.AppendUvarint(dst, t.maxSeq)
}

func writeManifest(fs scratchFS, path string, edit []byte) error {
	f, err := fs.Create(path, writeCategory)
	if err != nil {
		return err
	}
	_, err = f.Write(appendRecord(nil, edit))
	return errors.Join(err, f.Close())
}

// The framing of records in a MANIFEST: blocks filled with chunks of a checksum
// (4 bytes), the length (2), the kind (1) and a piece of the record.
const (
	manifestBlock = 32 << 10
	chunkHeader   = 7
	chunkFull     = 1
	chunkFirst    = 2
	chunkMiddle   = 3
	chunkLast     = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord frames the only record of a MANIFEST. Pebble's own writer of
// records has a buffer of a whole block, which is most of what it costs to make
// a small database.
func appendRecord(dst, record []byte) []byte {
	for first := true; ; first = false {
		n := min(len(record), manifestBlock-chunkHeader)
		last := n == len(record)
		kind := byte(chunkMiddle)
		switch {
		case first && last:
			kind = chunkFull
		case first:
			kind = chunkFirst
		case last:
			kind = chunkLast
		}
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0, byte(n), byte(n>>8), kind)
		dst = append(dst, record[:n]...)
		sum := crc32.Checksum(dst[at+6:], castagnoli)
		binary.LittleEndian.PutUint32(dst[at:], bits.RotateLeft32(sum, 17)+0xa282ead8)
		if record = record[n:]; last {
			return dst
		}
	}
}

// checkTables compares the database with the tables it was opened on: that
// Pebble has understood what writeDatabase wrote.
func checkTables(db *pebble.DB, want []table) error {
	levels, err := db.SSTables()
	if err != nil {
		return err
	}
	n := 0
	for level, tables := range levels {
		n += len(tables)
		for i := range tables {
			if k := indexOf(want, uint64(tables[i].FileNum)); k < 0 || want[k].level != level || want[k].size != tables[i].Size {
				return fmt.Errorf("table %v on level %d is not in the snapshot", tables[i].FileNum, level)
			}
		}
	}
	if n != len(want) {
		return fmt.Errorf("%d tables instead of %d", n, len(want))
	}
	return nil
}

func indexOf(tables []table, num uint64) int {
	for i := range tables {
		if tables[i].num == num {
			return i
		}
	}
	return -1
}
