package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// OperatorState is the operator state of one task: what belongs to the task and
// not to keys. Every store embeds one, so that it has one encoding and one sum
// whatever the backend. It is small: a snapshot encodes it as a whole.
type OperatorState struct {
	instance, instances int
	lists               []*OperatorList // in order of first use
	clocks              Clocks
}

// NewOperatorState returns the empty operator state of the task of o.
func NewOperatorState(o Open) OperatorState {
	return OperatorState{instance: o.Instance, instances: max(o.Instances, 1), clocks: newClocks()}
}

// Clocks is the time by which keyed state expires.
func (s *OperatorState) Clocks() *Clocks { return &s.clocks }

// List returns the list called name, made if need be. The error: it is there and
// is handed out another way.
func (s *OperatorState) List(name string, mode Redistribution) (*OperatorList, error) {
	if mode < Split || mode > Sealed {
		return nil, fmt.Errorf("operator list %q: unknown redistribution %d; there are Split, Union, Broadcast and Sealed", name, mode)
	}
	for _, l := range s.lists {
		if l.Name != name {
			continue
		}
		if l.Mode != mode {
			return nil, fmt.Errorf("%w: operator list %q has redistribution %d and is asked for with %d", ErrIncompatible, name, l.Mode, mode)
		}
		return l, nil
	}
	l := &OperatorList{Name: name, Mode: mode}
	s.lists = append(s.lists, l)
	return l, nil
}

const operatorStateVersion = 2

// AppendOperator appends what goes into Handle.Operator: nothing if no list was
// ever asked for and nothing expires, else the format's version (1 byte), the number
// of instances of the vertex, the clocks by which state expires (1 byte, a bit for
// each, and for each that is set its time and when it began, 8 bytes each), and the
// lists (see AppendOperatorLists).
func (s *OperatorState) AppendOperator(dst []byte) []byte {
	if len(s.lists) == 0 && !s.clocks.Uses(EventTime) && !s.clocks.Uses(ProcessingTime) {
		return dst
	}
	all := make([]OperatorList, len(s.lists))
	for i, l := range s.lists {
		all[i] = *l
	}
	dst = append(dst, operatorStateVersion)
	dst = binary.AppendUvarint(dst, uint64(s.instances))
	dst = s.clocks.append(dst)
	return AppendOperatorLists(dst, all)
}

// RestoreOperator takes over what handles hold: of as many instances as there are
// now, the one handle is this task's; of another number, they are those of all
// old instances, and the lists are handed out anew.
func (s *OperatorState) RestoreOperator(handles []Handle) error {
	var old [][]OperatorList
	var times []Clocks
	same := len(handles) == 1
	for i := range handles {
		src := handles[i].Operator
		if len(src) == 0 {
			continue
		}
		from, err := decodeOperatorState(src)
		if err != nil {
			return fmt.Errorf("handle %d of %d: %w", i+1, len(handles), err)
		}
		same = same && from.instances == s.instances
		old, times = append(old, from.lists), append(times, from.clocks)
	}
	s.clocks.restore(times)
	var mine []OperatorList
	if same && len(old) == 1 {
		mine = old[0]
	} else {
		var err error
		if mine, err = Redistribute(old, s.instance, s.instances); err != nil {
			return err
		}
	}
	for _, l := range mine {
		have, err := s.List(l.Name, l.Mode)
		if err != nil {
			return err
		}
		if err := have.over(&l); err != nil {
			return err
		}
		have.Items = have.Items[:0]
		for _, item := range l.Items {
			have.Items = append(have.Items, bytes.Clone(item))
		}
	}
	return nil
}

// storedOperator is what a handle holds of operator state.
type storedOperator struct {
	instances int
	clocks    Clocks
	lists     []OperatorList
}

func decodeOperatorState(src []byte) (s storedOperator, err error) {
	r := Reader{src: src}
	if v := r.Byte(); r.err == nil && v != operatorStateVersion {
		return s, fmt.Errorf("%w: operator state of format version %d, this program reads %d", ErrIncompatible, v, operatorStateVersion)
	}
	s.instances, s.clocks = int(r.Size()), readClocks(&r)
	if r.err != nil {
		return s, fmt.Errorf("operator state: %w", r.err)
	}
	s.lists, err = DecodeOperatorLists(r.Rest())
	return s, err
}

// WithoutSealed returns operator state, the encoding in Handle.Operator, without what
// its Sealed lists hold: what is left is handed out to other tasks.
func WithoutSealed(operator []byte) ([]byte, error) {
	if len(operator) == 0 {
		return nil, nil
	}
	s, err := decodeOperatorState(operator)
	if err != nil {
		return nil, err
	}
	for i := range s.lists {
		if s.lists[i].Mode == Sealed {
			s.lists[i].Items = nil
		}
	}
	dst := binary.AppendUvarint([]byte{operatorStateVersion}, uint64(s.instances))
	return AppendOperatorLists(s.clocks.append(dst), s.lists), nil
}

// SumOperator returns the part of Store.Sum of the operator state: SumEntry over
// the items, the name of their list as the key and their place as the field.
func (s *OperatorState) SumOperator() uint64 {
	var sum uint64
	for _, l := range s.lists {
		for i, item := range l.Items {
			var field [8]byte
			sum += SumEntry("operator state", []byte(l.Name), binary.BigEndian.AppendUint64(field[:0], uint64(i)), item)
		}
	}
	return sum
}

// SumApart returns the part of Store.Sum that does not add up over the tasks of an
// operator, whatever their number: the places of items in Split lists, and all of
// other lists. Sum - SumApart of all tasks together outlives a rescaling.
func (s *OperatorState) SumApart() uint64 {
	sum := s.SumOperator()
	for _, l := range s.lists {
		if l.Mode == Split {
			for _, item := range l.Items {
				sum -= SumEntry("operator state", []byte(l.Name), nil, item)
			}
		}
	}
	return sum
}

// ListsOf returns the lists that a snapshot holds, in order of first use.
func ListsOf(h *Handle) ([]OperatorList, error) {
	if len(h.Operator) == 0 {
		return nil, nil
	}
	s, err := decodeOperatorState(h.Operator)
	return s.lists, err
}
