package operators_test

import (
	"fmt"
	"slices"
	"testing"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
	"weir/state"
)

// rowsBehindAChange is rowsOf a job of two instances of op that goes on as one of one. One
// former instance stood behind first; the one that has the key then did more.
func rowsBehindAChange(t *testing.T, op func() dataflow.Operator, first, more, rest []int64) string {
	t.Helper()
	e1, e2 := id.MakeEpoch(1, 1), id.MakeEpoch(1, 2)
	old := windowsOf(t, 2, op, slices.Concat(first, more, []int64{record(0)})...) // it never comes to its end
	old.start(0, false)
	old.runTo(id.Offset(len(first)))
	old.snapshot(e1)
	old.runTo(id.Offset(len(first) + len(more)))
	old.snapshot(e2)
	owner := state.InstanceOf(state.GroupOf(state.HashBytes(oneKey), old.job.Config.Groups), 2, old.job.Config.Groups)

	d := windowsOf(t, 1, op, slices.Concat(first, rest)...)
	d.objects, d.store, d.attempt = old.objects, old.store, old.attempt
	d.startFrom(func(info *dataflow.TaskInfo, plan *dataflow.TaskPlan) {
		plan.Stable = e2
		for i := range old.infos {
			f := &old.infos[i]
			e := e1
			if f.Name == "sink" || f.Name == "windows" && f.Index == owner {
				e = e2
			}
			if f.Name == info.Name {
				plan.Former = append(plan.Former, dataflow.Former{Ref: dataflow.SnapshotKey(f.ID, e), Task: f.ID, Name: f.Name, Index: f.Index, Parallelism: f.Parallelism})
			}
		}
	})
	return rowsAtTheEnd(t, d)
}

// TestLateBehindAChange: a record that was too late at the former owner of its key is too
// late, although the new one is behind; one that was not counts, and shows.
func TestLateBehindAChange(t *testing.T) {
	tumbling := func(lateness int64) func() dataflow.Operator {
		return func() dataflow.Operator {
			return &operators.WindowAggregate[uint64]{
				State: "w", Windows: operators.Tumbling(10), Lateness: lateness, Acc: state.Uint64,
				Read: func(dst, rec []byte) ([]byte, int64, bool) { k, at := readOne(dst, rec); return k, at, true },
				Add:  func(acc uint64, _ []byte) uint64 { return acc + 1 }, Row: countRow,
			}
		}
	}
	best := func() dataflow.Operator {
		return &operators.Best{
			State: "b", Read: func(dst, rec []byte) ([]byte, int64, int64) {
				k, at := readOne(dst, rec)
				return k, at, at - at%10 + 10
			},
			Row: func(dst, rec []byte) []byte { return fmt.Appendf(dst, "best %d", timeOf(rec)) },
		}
	}
	join := func() dataflow.Operator {
		side := operators.JoinSide{Key: readOne, Keep: func(dst, rec []byte) []byte { return fmt.Append(dst, timeOf(rec)) }}
		return &operators.WindowJoin{
			State: "j", Size: 10, Sides: [2]operators.JoinSide{side, side},
			Row: func(dst []byte, start int64, _, left, right []byte) []byte {
				return fmt.Appendf(dst, "join %d:%s-%s", start, left, right)
			},
		}
	}
	for _, c := range []struct {
		name              string
		op                func() dataflow.Operator
		first, more, rest []int64
		want              string
	}{
		{"sessions: too late there", sessionCounts(10, 0), []int64{record(0), mark(5)}, []int64{mark(12)}, []int64{record(11), record(12), mark(20)}, "0-10:1, 12-22:1, late 11"},
		{"sessions: late there, and not too late", sessionCounts(10, 5), []int64{record(0), mark(5)}, []int64{mark(12)}, []int64{record(7), record(6)}, "0-10:1, 0-17:2, late 6"},
		{"sessions: a row there, another one here", sessionCounts(10, 20), []int64{record(0), record(4), mark(5)}, []int64{mark(14)}, []int64{record(3), mark(20)}, "0-14:2, 0-14:3"},
		{"sessions: the new one has come so far", sessionCounts(10, 0), []int64{record(0), mark(5)}, []int64{mark(12)}, []int64{mark(14), record(13), record(14)}, "0-10:1, 14-24:1, late 13"},
		{"windows: dropped there", tumbling(0), []int64{record(3), mark(5)}, []int64{mark(12)}, []int64{record(9), record(12)}, "0:1, 10:1, late 9"},
		{"windows: a row there, another one here", tumbling(5), []int64{record(3), mark(5)}, []int64{mark(12)}, []int64{record(9), mark(13)}, "0:1, 0:2"},
		{"windows: dropped there after another row", tumbling(5), []int64{record(3), mark(5)}, []int64{mark(15)}, []int64{record(9), record(11)}, "0:1, 10:1, late 9"},
		{"best: complete there", best, []int64{record(3), mark(5)}, []int64{mark(10)}, []int64{record(9), record(14)}, "best 14, best 3, late 9"},
		{"join: closed there", join, []int64{record(3), mark(5)}, []int64{mark(10)}, []int64{record(9), record(14)}, "join 0:3-3, join 10:14-14, late 9, late 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := rowsBehindAChange(t, c.op, c.first, c.more, c.rest); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
