package recoveryline

import (
	"encoding/binary"

	"weir/algorithms/coordinator"
	"weir/id"
	"weir/state"
)

// lineage says which snapshots of a task count: those of each attempt up to
// the epoch at which the attempt was rolled back.
type lineage []span

type span struct {
	attempt id.Attempt
	upTo    id.Epoch // inclusive; openEnd: no limit yet
}

const openEnd = ^id.Epoch(0)

// admits reports whether snapshot e counts.
func (l lineage) admits(e id.Epoch) bool {
	for _, s := range l {
		if s.attempt == e.Attempt() {
			return e <= s.upTo
		}
	}
	return false
}

// cut rolls the lineage back to snapshot e (0: the initial state) and goes on with attempt a.
func (l lineage) cut(e id.Epoch, a id.Attempt) lineage {
	var out lineage
	for _, s := range l {
		if s.attempt > e.Attempt() {
			break
		}
		if s.attempt == e.Attempt() {
			s.upTo = min(s.upTo, e)
		}
		out = append(out, s)
	}
	return append(out, span{a, openEnd})
}

func encodeLineages(ls []lineage) []byte {
	b := binary.AppendUvarint(nil, uint64(len(ls)))
	for _, l := range ls {
		b = binary.AppendUvarint(b, uint64(len(l)))
		for _, s := range l {
			b = binary.LittleEndian.AppendUint32(b, uint32(s.attempt))
			b = binary.LittleEndian.AppendUint64(b, uint64(s.upTo))
		}
	}
	return b
}

func decodeLineages(src []byte) ([]lineage, error) {
	r := state.NewReader(src)
	ls := make([]lineage, r.Count(1))
	for i := range ls {
		for range r.Count(12) {
			ls[i] = append(ls[i], span{id.Attempt(r.Uint32()), id.Epoch(r.Uint64())})
		}
	}
	return ls, r.Done()
}

// initial is the point before the first record.
func initial(inputs, outputs int) coordinator.Part {
	return coordinator.Part{Delivered: make([]id.Seq, inputs), Sealed: make([]id.Seq, outputs)}
}
