package recording

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// ErrTruncated says that a recording ends in the middle of an entry, as that of
// a killed process does.
var ErrTruncated = errors.New("the recording is cut short")

// maxEntry bounds the memory that a damaged length can ask for.
const maxEntry = 1 << 30

// Recording is a recording in memory.
type Recording struct {
	Incarnations []*Incarnation // in the order of their start
}

// Incarnation is the record of one incarnation of a task.
type Incarnation struct {
	Task    id.TaskID
	Attempt id.Attempt
	// Steps are the events in order. A panic ends them without a chain.
	Steps []Step
	// transfers are the outcomes of the operations of state transfers.
	transfers map[id.Ticket][]transferResult
}

// Step is one event with the answers given during it.
type Step struct {
	Event      *dataflow.Event
	Connection uint64 // of an arrival, or begun by EvConnected
	Answers    []Answer
	Failed     bool   // the task called Host.Fail
	Failure    string // with this
	Ended      bool   // Step returned
	Chain      uint64 // after it
}

// Answer is what the driver answered to a task.
type Answer struct {
	kind   entryKind
	choice dataflow.Choice
	n      int
	value  uint64
}

type transferResult struct {
	kind   state.OpKind
	key    string
	result state.Result
}

// Read reads a recording. When it is cut short, it returns what is whole and an
// error that wraps ErrTruncated; a damaged entry is an error that wraps
// state.ErrCorrupt and says where.
func Read(src io.Reader) (*Recording, error) {
	var head [len(magic) + 2]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		return nil, fmt.Errorf("recording: %w", err)
	}
	if string(head[:len(magic)]) != magic {
		return nil, errors.New("recording: this is no recording of weir")
	}
	if v := binary.LittleEndian.Uint16(head[len(magic):]); v != Version {
		return nil, fmt.Errorf("recording: format version %d: this program reads version %d; replay with the program that recorded it", v, Version)
	}
	rec := &Recording{}
	at := int64(len(head))
	for {
		content, err := readEntry(src, at)
		if errors.Is(err, io.EOF) {
			return rec, nil
		}
		if err != nil {
			return rec, fmt.Errorf("recording: byte %d: %w", at, err)
		}
		if err := rec.add(content); err != nil {
			return rec, fmt.Errorf("recording: byte %d: %w", at, err)
		}
		at += int64(8 + len(content))
	}
}

func readEntry(src io.Reader, at int64) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(src, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, ErrTruncated
		}
		return nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > maxEntry {
		return nil, fmt.Errorf("%w: an entry of %d bytes", state.ErrCorrupt, n)
	}
	content := make([]byte, n)
	if _, err := io.ReadFull(src, content); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, ErrTruncated
		}
		return nil, err
	}
	if crc32.Checksum(content, castagnoli()) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, fmt.Errorf("%w: an entry does not match its checksum", state.ErrCorrupt)
	}
	return content, nil
}

// add takes one entry. Slices in it alias content.
func (rec *Recording) add(content []byte) error {
	r := state.NewReader(content)
	kind, number := entryKind(r.Byte()), r.Uvarint()
	if kind == entryIncarnation {
		x := &Incarnation{Task: id.TaskID(r.Uvarint()), Attempt: id.Attempt(r.Uvarint()), transfers: map[id.Ticket][]transferResult{}}
		// Numbers are taken before entries are written, so they may come out of order.
		for uint64(len(rec.Incarnations)) < number && r.Err() == nil && number < 1<<24 {
			rec.Incarnations = append(rec.Incarnations, nil)
		}
		if number == 0 || number > uint64(len(rec.Incarnations)) {
			return fmt.Errorf("%w: incarnation %d", state.ErrCorrupt, number)
		}
		rec.Incarnations[number-1] = x
		return r.Done()
	}
	if number == 0 || number > uint64(len(rec.Incarnations)) || rec.Incarnations[number-1] == nil {
		return fmt.Errorf("%w: an entry of incarnation %d, which has not begun", state.ErrCorrupt, number)
	}
	return rec.Incarnations[number-1].add(kind, r)
}

func (x *Incarnation) add(kind entryKind, r *state.Reader) error {
	switch kind {
	case entryEvent:
		s := Step{Connection: r.Uvarint()}
		s.Event = readEvent(r)
		x.Steps = append(x.Steps, s)
		return r.Done()
	case entryTransfer:
		t := id.Ticket(r.Uvarint())
		res := transferResult{kind: state.OpKind(r.Byte()), key: string(r.Bytes())}
		res.result = readResult(r)
		x.transfers[t] = append(x.transfers[t], res)
		return r.Done()
	default: // belongs to the last event
	}
	if len(x.Steps) == 0 {
		return fmt.Errorf("%w: entry kind %d before the first event", state.ErrCorrupt, kind)
	}
	s := &x.Steps[len(x.Steps)-1]
	switch kind {
	case entryChain:
		s.Ended, s.Chain = true, r.Uint64()
	case entryDraw:
		s.Answers = append(s.Answers, Answer{kind: kind, choice: dataflow.Choice(r.Byte()), n: int(r.Uvarint()), value: r.Uvarint()})
	case entryNow, entryRandom:
		s.Answers = append(s.Answers, Answer{kind: kind, value: r.Uint64()})
	case entryFail:
		s.Failed, s.Failure = true, string(r.Bytes())
	default:
		return fmt.Errorf("%w: entry kind %d", state.ErrCorrupt, kind)
	}
	return r.Done()
}

// Name names an incarnation in messages.
func (x *Incarnation) name(info []dataflow.TaskInfo) string {
	if x.Task >= 0 && int(x.Task) < len(info) {
		t := &info[x.Task]
		return fmt.Sprintf("task %s (%s[%d]) attempt %s", x.Task, t.Name, t.Index, x.Attempt)
	}
	return fmt.Sprintf("task %s attempt %s", x.Task, x.Attempt)
}
