package savepoint

import (
	"fmt"
	"iter"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
)

// Sizes are the bounds by which data is cut, in bytes. They say where the entries
// stand and nothing else: who reads follows the index.
type Sizes struct {
	// Section is the size at which a section ends and the next begins, also within a
	// key group: what is read and checked at a time.
	Section int64
	// File is the size from which on a data object ends with the key group, and
	// within one when it is four times as large. A task that owns other groups reads
	// of each state at most one object at each end of its range that is not all its own.
	File int64
}

// Usual are the sizes of a job, Simulated those of a simulation, whose tasks have
// little state: small, so that all that happens with much happens with little.
var (
	Usual     = Sizes{Section: 256 << 10, File: 1 << 20}
	Simulated = Sizes{Section: 256, File: 512}
)

// sliceBytes are encoded in one call of Next, so that whoever carries the transfer
// out can let others run in between.
const sliceBytes = 128 << 10

// Writer writes the share of one task. It is a state.Transfer. What it reads must
// not change until it is done or discarded: a store that nobody uses, or what a
// capture has frozen.
type Writer struct {
	root    string
	content state.Content
	sizes   Sizes
	index   Index
	code    coder
	next    func() (state.KeyedEntry, bool) // of the last state in index; nil: none is open
	stop    func()
	toWrite []state.Descriptor

	file    []byte // the data object being made; nil between two
	section *Section
	out     state.Outstanding
	ref     PartRef
	ended   bool // the index has been issued
	done    bool
	err     error
}

// NewWriter returns the writer of t's share of the savepoint of job below root.
func NewWriter(root, job string, e id.Epoch, t Task, c state.Content, sizes Sizes) *Writer {
	return &Writer{root: root, content: c, sizes: sizes, index: Index{Job: job, Epoch: e, Task: t}, toWrite: c.States()}
}

// Next implements state.Transfer.
func (w *Writer) Next(results []state.Result) ([]state.Op, bool, error) {
	if w.err != nil || w.done {
		return nil, w.done, w.err
	}
	ops, err := w.step(results)
	if err != nil {
		w.Discard()
		w.err = fmt.Errorf("savepoint of %s[%d]: %w", w.index.Operator, w.index.Instance, err)
		return nil, false, w.err
	}
	return ops, w.done, nil
}

// Part names what was written, for the manifest. Valid once Next has said done.
func (w *Writer) Part() PartRef { return w.ref }

// Discard frees what the writer holds, when it is done or given up. Safe to call twice.
func (w *Writer) Discard() {
	if w.stop != nil {
		w.stop()
		w.next, w.stop = nil, nil
	}
	w.file = nil
}

func (w *Writer) step(results []state.Result) ([]state.Op, error) {
	again, err := w.out.Settle(results, func(state.Op, state.Result) error { return nil })
	if err != nil || len(again) > 0 {
		return again, err
	}
	if w.ended {
		w.done = true
		return nil, nil
	}
	for begun := len(w.file); ; {
		e, ok := w.entry()
		if !ok {
			break
		}
		op, err := w.add(e)
		if err != nil {
			return nil, fmt.Errorf("state %q, key group %d: %w", w.code.d.Name, e.Group, err)
		}
		if op != nil {
			return w.out.Issue([]state.Op{*op}), nil
		}
		if len(w.file)-begun >= sliceBytes {
			return w.out.Issue(nil), nil
		}
	}
	if err := w.content.Err(); err != nil {
		return nil, err
	}
	return w.out.Issue(w.end()), nil
}

// entry returns the next entry of all; false: there is none.
func (w *Writer) entry() (state.KeyedEntry, bool) {
	for {
		if w.next != nil {
			if e, ok := w.next(); ok {
				return e, true
			}
			w.stop()
			w.next, w.stop = nil, nil
		}
		if len(w.toWrite) == 0 {
			return state.KeyedEntry{}, false
		}
		d := w.toWrite[0]
		w.toWrite = w.toWrite[1:]
		w.endSection()
		w.code = newCoder(d)
		w.index.States = append(w.index.States, State{Descriptor: d})
		w.next, w.stop = iter.Pull(func(yield func(state.KeyedEntry) bool) { w.content.Entries(d.Name, yield) })
	}
}

// add encodes an entry. It returns the operation that puts the data object that
// was complete before it, if one was.
func (w *Writer) add(e state.KeyedEntry) (put *state.Op, err error) {
	if s := w.section; s != nil {
		size := int64(len(w.file))
		if s.Group != e.Group || size-s.Offset >= w.sizes.Section {
			next := s.Group != e.Group
			w.endSection()
			if next && size >= w.sizes.File || size >= 4*w.sizes.File {
				put = w.seal()
			}
		}
	} else if int64(len(w.file)) >= w.sizes.File {
		put = w.seal()
	}
	if w.section == nil {
		w.begin(e.Group)
	}
	w.file, err = w.code.append(w.file, e)
	w.section.Entries++
	return put, err
}

// begin begins a section, and the object that it is in.
func (w *Writer) begin(group uint16) {
	if w.file == nil {
		w.file = appendHeader(make([]byte, 0, w.sizes.File+w.sizes.File/8), dataMagic)
	}
	w.code.begin()
	w.section = &Section{Group: group, File: len(w.index.Files), Offset: int64(len(w.file))}
}

func (w *Writer) endSection() {
	s := w.section
	if s == nil {
		return
	}
	s.Length = int64(len(w.file)) - s.Offset
	s.Sum = xxhash.Sum64(w.file[s.Offset:])
	last := &w.index.States[len(w.index.States)-1]
	last.Sections = append(last.Sections, *s)
	w.section = nil
}

// seal ends the data object.
func (w *Writer) seal() *state.Op {
	data := w.file
	w.file = nil
	op := &state.Op{Kind: state.OpPut, Key: DataKey(w.root, w.index.ID, len(w.index.Files)), Data: data}
	w.index.Files = append(w.index.Files, File{Size: int64(len(data)), Sum: xxhash.Sum64(data)})
	return op
}

// end returns the last operations: the last object and the index.
func (w *Writer) end() []state.Op {
	var ops []state.Op
	w.endSection()
	if w.file != nil {
		ops = append(ops, *w.seal())
	}
	data := w.index.Encode()
	w.ref = PartRef{Task: w.index.ID, Size: int64(len(data)), Sum: xxhash.Sum64(data)}
	w.ended = true
	return append(ops, state.Op{Kind: state.OpPut, Key: IndexKey(w.root, w.index.ID), Data: data})
}
