package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/state"
)

// maxAppend is the most that one record can hold, bytes.
const maxAppend = 1 << 30

// dirLog is one log. What it knows is derived from the files; after an error
// it is forgotten and read again.
type dirLog struct {
	d    *Dir
	key  string
	path string

	mu     sync.Mutex
	loaded bool
	logIndex
	segments []*segment // by attempt and number
	damage   error      // a record that is not whole: torn, or damaged
	// trusted says how much of a segment that we failed to write or sync may be
	// believed, by name: after a failed sync, what can be read need not be durable.
	trusted map[string]int64

	current *segment // being written, always the last of its attempt
	file    vfs.File
	buf     []byte
	run     []logEntry
}

func (d *Dir) log(key string) *dirLog {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.logs[key]
	if l == nil {
		_, path := d.locate(key, logSuffix)
		l = &dirLog{d: d, key: key, path: path, trusted: map[string]int64{}}
		d.logs[key] = l
	}
	return l
}

func (l *dirLog) do(op state.Op) state.Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	if op.Kind == state.OpReadLog || !l.loaded {
		if err := l.load(); err != nil {
			var other *versionError
			if errors.As(err, &other) {
				return refuse(op, "%w", err)
			}
			return l.d.fail(op, err)
		}
	}
	switch op.Kind {
	case state.OpAppend:
		return l.append(op)
	case state.OpReadLog:
		r := l.read(op)
		for i := range l.entries {
			l.entries[i].frame = nil // let the files' bytes go
		}
		return r
	default:
		return l.trimTo(op)
	}
}

// load derives everything from the files. Entries keep their bytes.
func (l *dirLog) load() error {
	l.loaded, l.damage, l.segments = false, nil, nil
	l.logIndex = logIndex{entries: l.entries[:0]}
	names, err := l.d.fs.List(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		l.loaded = true
		return nil
	}
	if err == nil {
		err = l.d.syncDir(l.path)
	}
	if err != nil {
		return err
	}
	slices.Sort(names) // by attempt, then number
	for _, name := range names {
		if to, ok := parseTrimName(name); ok {
			l.trimmed = max(l.trimmed, to)
		}
	}
	for _, name := range names {
		if _, _, ok := parseSegmentName(name); ok {
			if err := l.loadSegment(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("file %q: %w", l.d.fs.PathJoin(l.path, name), err)
			}
		}
	}
	l.loaded = true
	if l.current != nil && !slices.Contains(l.segments, l.current) {
		return l.closeCurrent() // somebody has deleted it
	}
	return nil
}

func (l *dirLog) loadSegment(name string) error {
	path := l.d.fs.PathJoin(l.path, name)
	file, err := l.d.readSegment(path)
	if err != nil {
		return err
	}
	limit, distrusted := l.trusted[name]
	isCurrent := l.current != nil && l.current.name == name
	if isCurrent {
		limit = l.current.size
	}
	if isCurrent || distrusted {
		file = file[:min(limit, int64(len(file)))]
	}
	s, err := openSegment(l.key, name, file)
	l.attempt = max(l.attempt, s.attempt)
	l.segments = append(l.segments, s)
	var other *versionError
	if errors.As(err, &other) {
		return err
	}
	var torn int64
	if err == nil {
		torn, err = s.scan(file, func(r record) error { return l.replay(s, r) })
	}
	if isCurrent {
		l.current, s.size = s, limit
	}
	if distrusted && limit < segmentHeader {
		return nil // nothing of it was ever acknowledged
	}
	if err == nil && torn > 0 {
		err = errors.New("the record there is not whole")
	}
	if err != nil && l.damage == nil {
		l.damage = fmt.Errorf("file %q at byte %d: %w", path, torn, err)
	}
	return nil
}

// replay repeats an append on the index.
func (l *dirLog) replay(s *segment, r record) error {
	if err := l.cut(s.attempt, r.from); err != nil {
		return err
	}
	for rest := r.entries; len(rest) > 0; {
		src := rest
		seq, n, _, after, err := state.NextEntry(src)
		if err != nil {
			return err
		}
		rest = after
		size := len(src) - len(after)
		e := logEntry{first: seq, last: seq + id.Seq(n) - 1, attempt: s.attempt, frame: src[:size:size], size: size, segment: s}
		missing, err := l.missing(&e)
		if err != nil {
			return err
		}
		if missing {
			l.add(e)
		}
	}
	return nil
}

func (l *dirLog) read(op state.Op) state.Result {
	entries, whole := l.covering(op.From, op.To)
	if !whole {
		if l.damage != nil {
			return corrupt(op, "positions %d to %d are not all there, and %v; put back a copy of the file, or go on from a checkpoint that does not need them", op.From+1, op.To, l.damage)
		}
		return state.Result{Status: state.NotFound}
	}
	r := ok()
	for i := range entries {
		r.Data = append(r.Data, entries[i].frame...)
	}
	return r
}

func (l *dirLog) append(op state.Op) state.Result {
	if op.Attempt < max(l.attempt, l.d.fenceOf(l.key)) {
		return state.Result{Status: state.Lost}
	}
	if len(op.Data) > maxAppend {
		return refuse(op, "%d bytes in one append, at most %d are possible; append less at a time", len(op.Data), maxAppend)
	}
	run, err := parseRun(l.run[:0], op.Data, op.From, op.To, op.Attempt)
	l.run = run
	if err != nil {
		return refuse(op, "%w", err)
	}
	before, first := len(l.entries), op.Attempt > l.attempt
	if err := l.cut(op.Attempt, op.From); err != nil {
		return refuse(op, "%w", err)
	}
	news := run[:0]
	size := 0
	for i := range run {
		missing, err := l.missing(&run[i])
		if err != nil {
			l.loaded = false
			return refuse(op, "%w", err)
		}
		if missing {
			size += run[i].size
			news = append(news, run[i])
		}
	}
	if len(news) == 0 && !first && before == len(l.entries) {
		return ok()
	}
	if err := l.write(op, news, size); err != nil {
		l.giveUpCurrent()
		return l.d.fail(op, err)
	}
	return l.confirm(op)
}

// write puts one record on disk and its entries into the index.
func (l *dirLog) write(op state.Op, news []logEntry, size int) error {
	if l.current == nil || l.current.attempt != op.Attempt || l.current.size >= l.d.cfg.SegmentBytes {
		return l.begin(op, news)
	}
	rec := l.record(l.buf[:0], l.current, op, news)
	if _, err := l.file.Write(rec); err != nil {
		return err
	}
	if err := l.file.SyncData(); err != nil {
		return err
	}
	l.written(l.current, news, int64(len(rec)))
	return nil
}

func (l *dirLog) record(dst []byte, s *segment, op state.Op, news []logEntry) []byte {
	head := len(dst)
	dst = append(dst, make([]byte, recordHeader)...)
	body := len(dst)
	for i := range news {
		dst = append(dst, news[i].frame...)
	}
	s.appendRecord(dst[:head], s.size, op.From, op.To, dst[body:])
	l.buf = dst[:0]
	return dst
}

func (l *dirLog) written(s *segment, news []logEntry, n int64) {
	s.size += n
	for _, e := range news {
		e.segment, e.frame = s, nil
		l.add(e)
	}
}

// begin starts a new segment that holds the record: written and synced under a
// temporary name, then linked under a number that nobody else has.
func (l *dirLog) begin(op state.Op, news []logEntry) error {
	if err := l.closeCurrent(); err != nil {
		return err
	}
	if err := l.d.ensure(l.path); err != nil {
		return err
	}
	num := uint64(1)
	for _, s := range l.segments {
		if s.attempt == op.Attempt {
			num = s.num + 1
		}
	}
	for {
		err := l.beginAs(op, news, num)
		if !errors.Is(err, fs.ErrExist) {
			return err
		}
		num++ // another process writes to this log too
	}
}

func (l *dirLog) beginAs(op state.Op, news []logEntry, num uint64) error {
	s, header := newSegment(l.key, op.Attempt, num)
	content := l.record(append(l.buf[:0], header...), s, op, news)
	temp := l.d.tempPath()
	f, err := l.d.fs.Create(temp, writeCategory)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = l.d.fs.Link(temp, l.d.fs.PathJoin(l.path, s.name))
	}
	_ = l.d.fs.Remove(temp)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.current, l.file = s, f
	l.segments = append(l.segments, s)
	slices.SortFunc(l.segments, func(a, b *segment) int { return strings.Compare(a.name, b.name) })
	if err := l.d.syncDir(l.path); err != nil {
		s.size = 0 // believe nothing of it
		return err
	}
	l.written(s, news, int64(len(content))-segmentHeader)
	return nil
}

// giveUpCurrent abandons the segment being written after an error, believing
// only what was acknowledged.
func (l *dirLog) giveUpCurrent() {
	if l.current != nil {
		l.trusted[l.current.name] = l.current.size
	}
	_ = l.closeCurrent()
	l.loaded = false
}

func (l *dirLog) closeCurrent() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.current, l.file = nil, nil
	return err
}

// confirm looks, after the write, whether somebody has fenced it off meanwhile.
// Fencers write first and read then, we write first and look then: one of us sees the other.
func (l *dirLog) confirm(op state.Op) state.Result {
	names, err := l.d.fs.List(l.path)
	if err == nil {
		err = l.d.readFences()
	}
	if err != nil {
		l.giveUpCurrent()
		return l.d.fail(op, err)
	}
	newest := l.d.fenceOf(l.key)
	for _, name := range names {
		a, num, isSegment := parseSegmentName(name)
		if !isSegment {
			continue
		}
		newest = max(newest, a)
		known := slices.ContainsFunc(l.segments, func(s *segment) bool { return s.attempt == a && s.num == num })
		l.loaded = l.loaded && known
	}
	if op.Attempt < newest {
		return state.Result{Status: state.Lost}
	}
	return ok()
}

// trimTo forgets durably what ends at or before op.To, and deletes the segments
// that hold nothing else.
func (l *dirLog) trimTo(op state.Op) state.Result {
	if len(l.segments) == 0 || op.To <= l.trimmed {
		return ok()
	}
	if err := l.markTrimmed(op.To); err != nil {
		l.loaded = false
		return l.d.fail(op, err)
	}
	l.trim(op.To)
	if err := l.deleteSegments(); err != nil {
		l.loaded = false
		return l.d.fail(op, err)
	}
	return ok()
}

func (l *dirLog) markTrimmed(to id.Seq) error {
	if err := l.d.mark(l.path, trimName(to)); err != nil {
		return err
	}
	return l.d.removeMarks(l.path, func(name string) bool {
		older, isTrim := parseTrimName(name)
		return isTrim && older < to
	})
}

// deleteSegments deletes what holds no entry any more, lower attempts first and
// durably: the segments of a higher attempt say which of their entries are void.
// The last segment of the highest attempt stays, as its fence.
func (l *dirLog) deleteSegments() error {
	live := map[*segment]bool{l.current: true, l.segments[len(l.segments)-1]: true}
	for i := range l.entries {
		live[l.entries[i].segment] = true
	}
	var kept []*segment
	var last id.Attempt
	dirty := false
	for _, s := range l.segments {
		if live[s] {
			kept = append(kept, s)
			continue
		}
		if dirty && last != s.attempt {
			if err := l.d.syncDir(l.path); err != nil {
				return err
			}
		}
		if err := l.d.fs.Remove(l.d.fs.PathJoin(l.path, s.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		dirty, last = true, s.attempt
		delete(l.trusted, s.name)
	}
	l.segments = kept
	if !dirty {
		return nil
	}
	return l.d.syncDir(l.path)
}
