package enrichment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

const (
	recordBytes = 25
	rowBytes    = 24
	keyBytes    = 8
	entryBytes  = 16 // time in order, sequence in order

	step   = 10 // of event time, from record to record
	jitter = 50 // how far a record may be behind that
)

// The kinds of records, and the ports that they take.
const (
	anEvent = iota
	aRule
)

// open returns a split: events and rules.
func (s *settings) open(index, of int) (operators.Partition, error) {
	var rec [recordBytes]byte
	emit := func(seq uint64, out *dataflow.Output) {
		binary.LittleEndian.PutUint64(rec[:], seq)
		binary.LittleEndian.PutUint64(rec[8:], s.key(seq))
		binary.LittleEndian.PutUint64(rec[16:], uint64(s.time(seq)))
		rec[24] = anEvent
		if s.isRule(seq) {
			rec[24] = aRule
		}
		out.Emit(rec[:])
	}
	return &operators.Numbered{Index: index, Of: of, Records: s.numEvents, Emit: emit, Promise: promised}, nil
}

// promised is the watermark in front of a record.
func promised(seq uint64) int64 { return int64(seq)*step - jitter }

// keyHash is the hash of an event's key, for the exchange.
func keyHash(rec []byte) uint64 { return state.HashBytes(rec[8 : 8+keyBytes]) }

// enricher joins events with rules.
type enricher struct {
	settings settings
	ctx      *dataflow.Context
	out      *dataflow.Output
	waiting  state.MapTable      // key -> (time, sequence) of its events -> nothing
	rules    *state.OperatorList // by class: (time, sequence) of its rules, in order
	entry    [entryBytes]byte
	row      [rowBytes]byte
	found    []byte // entries of events that a timer has found
}

// Open opens the state.
func (e *enricher) Open(ctx *dataflow.Context) (err error) {
	e.ctx, e.out = ctx, ctx.Out(0)
	// Every instance has the same rules but for those that it needs no more, which
	// depends on its own watermark: of another parallelism each gets those of all.
	e.rules = ctx.List("rules", state.Union)
	e.waiting, err = state.OpenMapTable(ctx.Store(), state.Descriptor{Name: "waiting", Codec: "time,seq/1->none"})
	return err
}

// Process takes events on one port and rules on the other.
func (e *enricher) Process(port int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		if len(rec) != recordBytes || int(rec[24]) != port {
			return fmt.Errorf("enrichment: a record of %d bytes on port %d; they have %d and their kind at the end", len(rec), port, recordBytes)
		}
		seq, at := binary.LittleEndian.Uint64(rec), int64(binary.LittleEndian.Uint64(rec[16:]))
		entry := binary.BigEndian.AppendUint64(state.AppendTime(e.entry[:0], at), seq)
		if port == aRule {
			e.learn(binary.LittleEndian.Uint64(rec[8:]), entry)
			continue
		}
		key := rec[8 : 8+keyBytes]
		e.waiting.MapPut(e.ctx.Key(key), entry, nil)
		e.ctx.Timer(at, key)
	}
	return nil
}

// learn puts a rule in its place and forgets those of its class that no event can
// need any more: all events up to the watermark have their rows.
func (e *enricher) learn(class uint64, rule []byte) {
	if e.rules.Items == nil {
		e.rules.Items = make([][]byte, e.settings.classes)
	}
	e.unite()
	known := e.rules.Items[class]
	place := len(known)
	for place > 0 && bytes.Compare(known[place-entryBytes:place], rule) > 0 {
		place -= entryBytes
	}
	e.rules.Items[class] = e.current(slices.Insert(known, place, rule...))
}

// unite makes one list of classes of those of several instances that were restored.
func (e *enricher) unite() {
	n := int(e.settings.classes)
	if len(e.rules.Items) <= n {
		return
	}
	for class := range n {
		var all [][]byte
		for at := class; at < len(e.rules.Items); at += n {
			all = slices.AppendSeq(all, slices.Chunk(e.rules.Items[at], entryBytes))
		}
		slices.SortFunc(all, bytes.Compare)
		e.rules.Items[class] = bytes.Join(slices.CompactFunc(all, bytes.Equal), nil)
	}
	e.rules.Items = e.rules.Items[:n]
}

// current returns a copy of the rules of a class without those that no event can
// need any more.
func (e *enricher) current(known []byte) []byte {
	for len(known) > entryBytes && state.TimeOf(known[entryBytes:]) <= e.ctx.Watermark() {
		known = known[entryBytes:]
	}
	return slices.Clone(known)
}

// ruleAt returns the sequence of the rule of a class that holds at a time, -1 if
// there is none.
func (e *enricher) ruleAt(class uint64, at int64) int64 {
	if e.rules.Items == nil {
		return -1
	}
	e.unite()
	known := e.rules.Items[class]
	for ; len(known) > 0; known = known[:len(known)-entryBytes] {
		if last := known[len(known)-entryBytes:]; state.TimeOf(last) <= at {
			return int64(binary.BigEndian.Uint64(last[8:]))
		}
	}
	return -1
}

// OnTimer makes the rows of a key's events at a time.
func (e *enricher) OnTimer(at int64, key []byte) error {
	k := e.ctx.Key(key)
	e.found = e.found[:0]
	e.waiting.MapRange(k, func(entry, _ []byte) bool {
		if t := state.TimeOf(entry); t != at {
			return t < at
		}
		e.found = append(e.found, entry...)
		return true
	})
	word := binary.LittleEndian.Uint64(key)
	rule := e.ruleAt(word%uint64(e.settings.classes), at)
	if len(e.found) == 0 {
		e.emit(-1, word, rule)
	}
	for found := e.found; len(found) > 0; found = found[entryBytes:] {
		e.emit(int64(binary.BigEndian.Uint64(found[8:])), word, rule)
		e.waiting.MapDelete(k, found[:entryBytes])
	}
	return nil
}

func (e *enricher) emit(seq int64, key uint64, rule int64) {
	binary.LittleEndian.PutUint64(e.row[:], uint64(seq))
	binary.LittleEndian.PutUint64(e.row[8:], key)
	binary.LittleEndian.PutUint64(e.row[16:], uint64(rule))
	e.out.Emit(e.row[:])
}

// Finish emits nothing: the watermark at the end of the input has reached all
// events. Of each class the last rule is left, in whatever order they came.
func (e *enricher) Finish() error {
	e.unite()
	for class, known := range e.rules.Items {
		e.rules.Items[class] = e.current(known)
	}
	return nil
}
