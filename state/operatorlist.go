package state

import (
	"encoding/binary"
	"fmt"
)

// Redistribution says what happens to a list of operator state when the number
// of tasks changes.
type Redistribution uint8

const (
	// Split gives every item to exactly one of the new tasks.
	Split Redistribution = iota + 1
	// Union gives all items of all tasks to each of the new tasks.
	Union
	// Broadcast is for items that are the same in every task: each of the new
	// tasks gets those of one of the old ones.
	Broadcast
	// Sealed is for items that stand in transactions of the task, under its name. They are
	// handed out to nobody: when the number of tasks changes, each is settled where it
	// stands (dataflow.Sink).
	Sealed
)

// OperatorList is one named list of operator state: items that belong to a
// task and not to keys, such as what a writer has handed to its committer. An item is
// the unit of redistribution.
type OperatorList struct {
	Name  string
	Mode  Redistribution
	Codec string // of the items (see Typed); empty: known to nobody but the caller
	Items [][]byte
	// Schemas are those by which items may have been written, if they have versions (see Evolving).
	Schemas Schemas

	evolution Evolution // how the task reads them
}

const operatorListsVersion = 2

// AppendOperatorLists appends the encoding of a set of lists, in their order.
func AppendOperatorLists(dst []byte, lists []OperatorList) []byte {
	dst = append(dst, operatorListsVersion)
	dst = binary.AppendUvarint(dst, uint64(len(lists)))
	for i := range lists {
		l := &lists[i]
		dst = AppendString(dst, l.Name)
		mode := byte(l.Mode)
		if l.Schemas != "" {
			mode |= hasSchemas
		}
		dst = append(dst, mode)
		dst = AppendString(dst, l.Codec)
		if l.Schemas != "" {
			dst = AppendString(dst, string(l.Schemas))
		}
		dst = binary.AppendUvarint(dst, uint64(len(l.Items)))
		for _, item := range l.Items {
			dst = AppendBytes(dst, item)
		}
	}
	return dst
}

// DecodeOperatorLists is the inverse of AppendOperatorLists. Items alias src.
// Damaged input is an error that wraps ErrCorrupt, another version one that
// wraps ErrIncompatible.
func DecodeOperatorLists(src []byte) ([]OperatorList, error) {
	r := Reader{src: src}
	if v := r.Byte(); r.err == nil && v != operatorListsVersion {
		return nil, fmt.Errorf("%w: operator lists of format version %d, this program reads %d", ErrIncompatible, v, operatorListsVersion)
	}
	lists := make([]OperatorList, r.Count(4))
	for i := range lists {
		l := &lists[i]
		l.Name = string(r.Bytes())
		mode := r.Byte()
		l.Mode = Redistribution(mode &^ hasSchemas)
		if r.err == nil && (l.Mode < Split || l.Mode > Sealed) {
			r.Fail("redistribution %d of list %q", l.Mode, l.Name)
		}
		l.Codec = string(r.Bytes())
		if mode&hasSchemas != 0 {
			l.Schemas = readSchemas(&r)
		}
		l.Items = make([][]byte, r.Count(1))
		for j := range l.Items {
			l.Items[j] = r.Bytes()
		}
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("operator lists: %w", err)
	}
	return lists, nil
}

// Redistribute returns what instance i of p gets of the lists that the old
// tasks kept (outer index: old task). Lists of one name are merged in order of
// first appearance; of a Split list instance i gets every p-th item, so that no
// item is lost or doubled, and of a Broadcast list the items of the old task i
// mod the number of those that have it. A Sealed list must be empty. Items are shared,
// not copied.
func Redistribute(old [][]OperatorList, i, p int) ([]OperatorList, error) {
	var merged []OperatorList
	at := make(map[string]int)
	copies := make(map[string][][][]byte) // of Broadcast lists
	for _, lists := range old {
		for _, l := range lists {
			k, ok := at[l.Name]
			if !ok {
				k = len(merged)
				at[l.Name] = k
				merged = append(merged, OperatorList{Name: l.Name, Mode: l.Mode, Codec: l.Codec})
			}
			if merged[k].Mode != l.Mode {
				return nil, fmt.Errorf("%w: operator list %q is handed out one way in one task and another in another", ErrIncompatible, l.Name)
			}
			if merged[k].Codec != l.Codec {
				return nil, fmt.Errorf("%w: operator list %q has codec %q in one task and %q in another", ErrIncompatible, l.Name, merged[k].Codec, l.Codec)
			}
			var err error
			if merged[k].Schemas, err = merged[k].Schemas.merge(l.Schemas); err != nil {
				return nil, fmt.Errorf("operator list %q: %w", l.Name, err)
			}
			if l.Mode == Broadcast {
				copies[l.Name] = append(copies[l.Name], l.Items)
				continue
			}
			merged[k].Items = append(merged[k].Items, l.Items...)
		}
	}
	for k := range merged {
		switch l := &merged[k]; l.Mode {
		case Split:
			l.Items = everyNth(l.Items, i, p)
		case Broadcast:
			l.Items = copies[l.Name][i%len(copies[l.Name])]
		case Sealed:
			if len(l.Items) > 0 {
				return nil, fmt.Errorf("%w: operator list %q stands in transactions of its task, which are settled and not handed out", ErrIncompatible, l.Name)
			}
		case Union:
		}
	}
	return merged, nil
}

func everyNth(items [][]byte, i, p int) [][]byte {
	var mine [][]byte
	for j := i; j < len(items); j += p {
		mine = append(mine, items[j])
	}
	return mine
}
