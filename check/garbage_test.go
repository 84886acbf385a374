package check

import (
	"testing"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// leftover runs with an object that nothing refers to, for so many checkpoints,
// one each millisecond; the storage is swept before the end.
func leftover(t *testing.T, checkpoints int, more func(w *world)) *Report {
	w := newWorld(t, func(x *Expect) {
		x.Pace = Pace{Garbage: 5e6}
		x.Layout.EpochOf = func(key string) (id.Epoch, bool) {
			e, err := id.ParseEpoch(key[len(key)-3:])
			return e, err == nil
		}
	})
	w.middle()
	w.do(state.Op{Kind: state.OpPut, Key: "files/t2/1.1", Data: []byte("x")})
	w.list("")
	more(w)
	for k := range checkpoints {
		w.now += 1e6
		e := epoch(1, k+2)
		w.snapshot(e)
		w.complete(e)
		w.subsume(epoch(1, k+1))
	}
	w.do(state.Op{Kind: state.OpDelete, Key: "files/t2/1.1"})
	return w.finish(epoch(2, 1))
}

func TestGarbageStaysTooLong(t *testing.T) {
	const words = "files/t2/1.1 is needed by nothing since"
	mustFire(t, leftover(t, 15, func(*world) {}), words, StorageWhole)
	mustPass(t, leftover(t, 4, func(*world) {}))
	mustPass(t, leftover(t, 15, func(w *world) { // deletions may have been held up
		w.tell(trace.Event{Kind: trace.FaultInjected, Task: trace.Coordinator, To: 20e6})
	}))
}

// TestAPrefixThatIsNeverListedIsNotExempt: a recovery had to look for what it left.
func TestAPrefixThatIsNeverListedIsNotExempt(t *testing.T) {
	for _, prefix := range []string{"chk/", "files/"} {
		w := newWorld(t)
		w.middle()
		w.do(state.Op{Kind: state.OpPut, Key: "files/t2/1.1-7", Data: []byte("x")})
		w.crash("w0")
		w.restore(epoch(1, 1))
		// A listing that is never answered is an attempt; its outcome excuses.
		w.tell(trace.Event{Kind: trace.StoreIssued, Task: trace.Coordinator, Op: trace.List, Key: prefix})
		w.last(epoch(2, 1))
		for _, o := range []string{"chk/", "snap/"} {
			w.list(o)
		}
		for t := range id.TaskID(5) {
			w.do(state.Op{Kind: state.OpDelete, Key: snapKey(t, epoch(9, 9))})
		}
		if r := w.over(); prefix == "chk/" {
			mustFire(t, r, "were not deleted: files/t2/1.1-7", StorageWhole)
		} else {
			mustPass(t, r)
		}
	}
}
