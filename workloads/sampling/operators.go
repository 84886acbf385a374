package sampling

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

const (
	recordBytes = 16
	rowWords    = 10
	rowBytes    = 8 * rowWords
)

// The numbers of a row.
const (
	rowKey = iota
	rowPlace
	rowSeq
	rowClock
	rowDraw
	rowWindow
	rowPlaceIn
	rowSample
	rowAnswer
	rowHash
)

// open returns a split: records with the hash of their key.
func (s *settings) open(index, of int) (operators.Partition, error) {
	var rec [recordBytes]byte
	emit := func(seq uint64, out *dataflow.Output) {
		key := s.key(seq)
		binary.LittleEndian.PutUint64(rec[:], seq)
		binary.LittleEndian.PutUint64(rec[8:], key)
		out.EmitHashed(state.HashUint64(key), rec[:])
	}
	return &operators.Numbered{Index: index, Of: of, Records: s.numEvents, Emit: emit}, nil
}

// keyHash is the hash of a record's key, for the exchange.
func keyHash(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec[8:])) }

// outside is the table that the job asks: its answer for a key is another one
// after every change.
func (s *settings) outside(key uint64, clock int64) uint64 {
	return state.HashUint64(key^uint64(clock/s.change)<<20) % 1000
}

// chained is the hash of a history after one more record.
func chained(before, seq, clock, draw uint64) uint64 {
	return state.HashUint64(before ^ state.HashUint64(seq^state.HashUint64(clock^state.HashUint64(draw))))
}

// sampler keeps the last row of each key: all that the next one depends on.
type sampler struct {
	settings settings
	ctx      *dataflow.Context
	out      *dataflow.Output
	last     state.FixedTable
	open     state.MapTable // windows that are not closed, by number
	closed   [rowBytes]byte
}

// openBytes is the size of an open window: its records, its sample, the hash of its last record.
const openBytes = 24

// Open opens the keyed state.
func (s *sampler) Open(ctx *dataflow.Context) (err error) {
	s.ctx, s.out = ctx, ctx.Out(0)
	s.last, err = state.OpenFixedTable(ctx.Store(), state.Descriptor{Name: "last", Codec: "row/1", FixedSize: rowBytes})
	if err == nil {
		s.open, err = state.OpenMapTable(ctx.Store(), state.Descriptor{Name: "open", Codec: "window/1"})
	}
	return err
}

// Process makes the row of each record.
func (s *sampler) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		if len(rec) != recordBytes {
			return fmt.Errorf("sampling: a record of %d bytes; they have %d", len(rec), recordBytes)
		}
		hash := keyHash(rec)
		clock, draw := s.ctx.Now(), s.ctx.Random() // before the row: it is valid until the next call only
		key := state.Key{Hash: hash, Group: state.GroupOf(hash, s.ctx.Info().NumGroups), Bytes: rec[8:]}
		row, _ := s.last.Update(key)
		s.settings.next(row, binary.LittleEndian.Uint64(rec), binary.LittleEndian.Uint64(rec[8:]), clock, draw)
		s.out.Emit(row)
		s.keepOpen(key, row)
	}
	return nil
}

// keepOpen adds the record of a row to its window, and asks for the end of a new one.
func (s *sampler) keepOpen(key state.Key, row []byte) {
	var field [8]byte
	var w [openBytes]byte
	copy(field[:], row[8*rowWindow:])
	copy(w[:16], row[8*rowPlaceIn:]) // and the sample behind it
	copy(w[16:], row[8*rowHash:])
	s.open.MapPut(key, field[:], w[:])
	if binary.LittleEndian.Uint64(w[:]) == 1 {
		s.ctx.ProcessingTimer(s.settings.endOf(binary.LittleEndian.Uint64(field[:])), key.Bytes)
	}
}

// endOf is the first instant behind a window.
func (s *settings) endOf(window uint64) int64 { return int64(window+1) * s.window }

// OnProcessingTimer closes the window of a key that ends at this time.
func (s *sampler) OnProcessingTimer(at int64, b []byte) error {
	key, window := s.ctx.Key(b), uint64(at/s.settings.window)-1
	clock := s.ctx.Now()
	var field [8]byte
	binary.LittleEndian.PutUint64(field[:], window)
	w, ok := s.open.MapGet(key, field[:])
	if !ok || len(w) != openBytes {
		return fmt.Errorf("sampling: the end of window %d, which is not open", window)
	}
	row := s.closed[:]
	clear(row)
	copy(row[8*rowKey:], b)
	binary.LittleEndian.PutUint64(row[8*rowClock:], uint64(clock))
	copy(row[8*rowWindow:], field[:])
	copy(row[8*rowPlaceIn:], w[:16])
	copy(row[8*rowHash:], w[16:])
	s.open.MapDelete(key, field[:])
	if last, _ := s.last.Update(key); binary.LittleEndian.Uint64(last[8*rowWindow:]) == window {
		binary.LittleEndian.PutUint64(last[8*rowWindow:], window+1) // a clock that goes back finds it closed
		binary.LittleEndian.PutUint64(last[8*rowPlaceIn:], 0)
	}
	s.out.Emit(row)
	return nil
}

// next turns the last row of a key, zero if there is none, into that of one more record.
func (s *settings) next(row []byte, seq, key uint64, clock int64, draw uint64) {
	get := func(n int) uint64 { return binary.LittleEndian.Uint64(row[8*n:]) }
	put := func(n int, v uint64) { binary.LittleEndian.PutUint64(row[8*n:], v) }
	if window := uint64(clock / s.window); window > get(rowWindow) || get(rowPlace) == 0 {
		put(rowWindow, window)
		put(rowPlaceIn, 0)
	}
	put(rowPlaceIn, get(rowPlaceIn)+1)
	if draw%get(rowPlaceIn) == 0 {
		put(rowSample, seq)
	}
	put(rowKey, key)
	put(rowPlace, get(rowPlace)+1)
	put(rowSeq, seq)
	put(rowClock, uint64(clock))
	put(rowDraw, draw)
	put(rowAnswer, s.outside(key, clock))
	put(rowHash, chained(get(rowHash), seq, uint64(clock), draw))
}

// Finish has nothing left to emit.
func (s *sampler) Finish() error { return nil }
