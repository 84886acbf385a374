package operators_test

import (
	"testing"

	"weir/dataflow"
	"weir/dataflow/operators"
)

// TestNumberedPartitionsHoldEveryRecordOnce also for odd numbers of records, and
// wherever reading begins.
func TestNumberedPartitionsHoldEveryRecordOnce(t *testing.T) {
	for _, n := range []int64{0, 1, 7, 150} {
		for of := 1; of < 5; of++ {
			seen := map[uint64]int{}
			for index := range of {
				p := &operators.Numbered{Index: index, Of: of, Records: n, Emit: func(seq uint64, _ *dataflow.Output) { seen[seq]++ }}
				half := p.Len() / 2
				if wm := p.Read(half, int(p.Len()-half), nil); wm != dataflow.NoWatermark {
					t.Errorf("a watermark of %d that nobody promised", wm)
				}
				p.Promise = func(seq uint64) int64 { return int64(seq) }
				want := int64(index) + int64(half)*int64(of)
				if want >= n {
					want = dataflow.NoWatermark // there is none that a promise could be about
				}
				if wm := p.Read(0, int(half), nil); wm != want {
					t.Errorf("partition %d of %d promises %d behind %d records", index, of, wm, half)
				}
			}
			for seq := range uint64(n) {
				if seen[seq] != 1 {
					t.Errorf("%d records over %d partitions: record %d was emitted %d times", n, of, seq, seen[seq])
				}
			}
			if len(seen) != int(n) {
				t.Errorf("%d records over %d partitions: %d were emitted", n, of, len(seen))
			}
		}
	}
}

var _ operators.Partition = (*operators.Numbered)(nil)
