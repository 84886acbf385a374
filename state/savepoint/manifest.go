package savepoint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"weir/id"
	"weir/state"
)

// Manifest is what makes a savepoint true: the shape of the job that it is of, and
// where the shares of its tasks stand. It is plain data.
type Manifest struct {
	Job       string
	Epoch     id.Epoch // of the round or checkpoint that it holds
	Groups    int      // key groups of the job
	Operators []Operator
}

// Operator is one operator with its tasks, by instance: their number is its parallelism.
type Operator struct {
	Name  string
	Parts []PartRef
}

// PartRef names the index of a task.
type PartRef struct {
	Task id.TaskID
	Size int64  // of the index, bytes
	Sum  uint64 // xxHash64 of it
}

const (
	operatorMinBytes = 2
	partMinBytes     = 1 + 1 + 8
)

// Encode returns the bytes of the manifest.
func (m *Manifest) Encode() []byte {
	b := appendHeader(nil, manifestMagic)
	b = state.AppendString(b, m.Job)
	b = binary.LittleEndian.AppendUint64(b, uint64(m.Epoch))
	b = binary.AppendUvarint(b, uint64(m.Groups))
	b = binary.AppendUvarint(b, uint64(len(m.Operators)))
	for i := range m.Operators {
		o := &m.Operators[i]
		b = state.AppendString(b, o.Name)
		b = binary.AppendUvarint(b, uint64(len(o.Parts)))
		for _, p := range o.Parts {
			b = binary.AppendUvarint(b, uint64(p.Task))
			b = binary.AppendUvarint(b, uint64(p.Size))
			b = binary.LittleEndian.AppendUint64(b, p.Sum)
		}
	}
	return appendSum(b)
}

// Create returns the operation that makes the savepoint below root true. It is the
// last one: everything that the manifest names must be durable.
func (m *Manifest) Create(root string) state.Op {
	return state.Op{Kind: state.OpCreate, Key: ManifestKey(root), Data: m.Encode()}
}

// DecodeManifest reads a manifest. Its errors wrap state.ErrCorrupt or
// state.ErrIncompatible.
func DecodeManifest(src []byte) (*Manifest, error) {
	r, err := open(src, manifestMagic, "manifest")
	if err != nil {
		return nil, err
	}
	m := &Manifest{Job: string(r.Bytes()), Epoch: id.Epoch(r.Uint64()), Groups: int(min(r.Uvarint(), maxGroups+1))}
	m.Operators = make([]Operator, r.Count(operatorMinBytes))
	for i := range m.Operators {
		o := &m.Operators[i]
		o.Name = string(r.Bytes())
		o.Parts = make([]PartRef, r.Count(partMinBytes))
		for k := range o.Parts {
			o.Parts[k] = PartRef{Task: readTaskID(r), Size: r.Size(), Sum: r.Uint64()}
		}
	}
	if err := m.Validate(); err != nil && r.Err() == nil {
		r.Fail("%v", err)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("manifest of a savepoint: %w", err)
	}
	return m, nil
}

func readTaskID(r *state.Reader) id.TaskID {
	n := r.Uvarint()
	if n > math.MaxInt32 {
		r.Fail("task %d", n)
		return 0
	}
	return id.TaskID(n)
}

// maxGroups is the greatest number of key groups: they are numbered in two bytes.
const maxGroups = 1<<16 - 1

// Validate reports what is wrong with a manifest in itself.
func (m *Manifest) Validate() error {
	if m.Groups < 1 || m.Groups > maxGroups {
		return fmt.Errorf("%d key groups; there are at least 1 and at most %d", m.Groups, maxGroups)
	}
	names, tasks := map[string]bool{}, map[id.TaskID]bool{}
	for i := range m.Operators {
		o := &m.Operators[i]
		switch {
		case o.Name == "":
			return errors.New("an operator without a name")
		case names[o.Name]:
			return fmt.Errorf("two operators are called %q", o.Name)
		case len(o.Parts) == 0:
			return fmt.Errorf("operator %q has no tasks", o.Name)
		}
		names[o.Name] = true
		for _, p := range o.Parts {
			if tasks[p.Task] {
				return fmt.Errorf("two shares of task %v", p.Task)
			}
			tasks[p.Task] = true
		}
	}
	return nil
}

// Operator returns the operator called name; the error lists those there are.
func (m *Manifest) Operator(name string) (*Operator, error) {
	known := ""
	for i := range m.Operators {
		if m.Operators[i].Name == name {
			return &m.Operators[i], nil
		}
		known += fmt.Sprintf(" %q", m.Operators[i].Name)
	}
	return nil, fmt.Errorf("the savepoint has no operator %q; it has%s", name, known)
}
