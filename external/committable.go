package external

import (
	"encoding/binary"

	"weir/id"
	"weir/state"
)

// Committable names rows that a writer has staged, for whoever publishes them.
type Committable struct {
	Task    id.TaskID
	Attempt id.Attempt
	Number  uint64
	// Since is the newest snapshot that the writer's attempt had sealed before, 0:
	// none. The store does not look at it.
	Since id.Epoch
}

// Append appends the encoding of c.
func (c *Committable) Append(dst []byte) []byte {
	for _, v := range [...]uint64{uint64(c.Task), uint64(c.Attempt), c.Number, uint64(c.Since)} {
		dst = binary.AppendUvarint(dst, v)
	}
	return dst
}

// DecodeCommittable is the inverse of Append.
func DecodeCommittable(b []byte) (c Committable, err error) {
	r := state.NewReader(b)
	task := r.Uvarint()
	if task > maxTask {
		r.Fail("a committable of task %d", task)
	}
	c = Committable{id.TaskID(task), id.Attempt(r.Uvarint()), r.Uvarint(), id.Epoch(r.Uvarint())}
	return c, r.Done()
}
