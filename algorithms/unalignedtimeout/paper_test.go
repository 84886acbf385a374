package unalignedtimeout_test

import (
	"testing"
	"time"

	"weir/algorithms/unalignedtimeout"
	"weir/dataflow"
	"weir/id"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/trace"
	"weir/workloads/keyedcount"
)

// never is longer than any run, some a time after which some barriers have waited
// long enough and others have come.
const never, some = dataflow.Nanos(1e12), dataflow.Nanos(1e6)

// run returns the events of one run under faults.
func run(t *testing.T, seed uint64, timeout dataflow.Nanos, kinds ...trace.Kind) []trace.Event {
	t.Helper()
	c := scenario.Config{Algorithm: unalignedtimeout.Spec(), State: "heap", Workload: keyedcount.New()}
	c.Given = dataflow.Given{"checkpoint.alignment-timeout": time.Duration(timeout).String()}
	c.Workload.Small()
	return simtest.Trace(t, c, seed, kinds...)
}

// share is one task's part of a round, link one channel's.
type (
	share struct {
		epoch id.Epoch
		task  id.TaskID
	}
	link struct {
		epoch   id.Epoch
		channel id.ChannelID
	}
)

func shareOf(e trace.Event) share { return share{e.Epoch, e.Task} }
func linkOf(e trace.Event) link   { return link{e.Epoch, e.Channel} }

// TestLongTimeoutIsAligned: before the timeout a checkpoint is an aligned one; no
// barrier overtakes and nothing in flight is stored.
func TestLongTimeoutIsAligned(t *testing.T) {
	blocked := 0
	for _, seed := range simtest.Seeds(8) {
		for _, e := range run(t, seed, never, trace.BarrierSent, trace.BarrierReceived, trace.ChannelBlocked, trace.CapturedIn, trace.CapturedOut) {
			switch {
			case e.Kind == trace.ChannelBlocked:
				blocked++
			case e.Kind == trace.CapturedIn, e.Kind == trace.CapturedOut, e.Way == trace.Overtaking:
				t.Fatalf("seed %d: %s of %s on %s, %s", seed, e.Kind, e.Epoch, e.Channel, e.Way)
			}
		}
	}
	if blocked == 0 {
		t.Error("no input was blocked: the test shows nothing")
	}
}

// TestZeroIsUnaligned: with a timeout of zero every checkpoint is unaligned from the
// start; no input is ever blocked.
func TestZeroIsUnaligned(t *testing.T) {
	in, out := 0, 0
	for _, seed := range simtest.Seeds(8) {
		for _, e := range run(t, seed, 0, trace.BarrierSent, trace.ChannelBlocked, trace.CapturedIn, trace.CapturedOut) {
			switch {
			case e.Kind == trace.ChannelBlocked, e.Way == trace.InBand:
				t.Fatalf("seed %d: %s of %s on %s", seed, e.Kind, e.Epoch, e.Channel)
			case e.Kind == trace.CapturedIn:
				in++
			case e.Kind == trace.CapturedOut:
				out++
			}
		}
	}
	if in == 0 || out == 0 {
		t.Errorf("%d input and %d output buffers captured: the test shows nothing", in, out)
	}
}

// TestBothForms: each task turns on its own, so shares of both forms are common, also
// in one and the same completed round.
func TestBothForms(t *testing.T) {
	aligned, turned, mixed, rounds := 0, 0, 0, 0
	for _, seed := range simtest.Seeds(24) {
		forms := map[id.Epoch]map[id.TaskID]bool{} // whether it turned
		for _, e := range run(t, seed, some, trace.SnapshotBegun, trace.BarrierSent, trace.BarrierReceived, trace.Completed) {
			form := forms[e.Epoch]
			if form == nil {
				form = map[id.TaskID]bool{}
				forms[e.Epoch] = form
			}
			if e.Kind != trace.Completed {
				form[e.Task] = form[e.Task] || e.Way == trace.Overtaking
				continue
			}
			rounds++
			both := [2]int{}
			//det:unordered they are counted
			for _, turned := range form {
				if turned {
					both[1]++
				} else {
					both[0]++
				}
			}
			aligned, turned = aligned+both[0], turned+both[1]
			if both[0] > 0 && both[1] > 0 {
				mixed++
			}
		}
	}
	t.Logf("%d rounds, %d of them mixed; %d shares aligned, %d turned", rounds, mixed, aligned, turned)
	if least := (aligned + turned) / 5; !simtest.SeedsGiven() && (aligned < least || turned < least || mixed < rounds/5) {
		t.Error("a fifth of each is wanted")
	}
}

// TestQueuesTurnAlone: a barrier that waits in an output queue after its task has its
// snapshot is lifted there, and takes what it overtakes along.
func TestQueuesTurnAlone(t *testing.T) {
	lifted := 0
	for _, seed := range simtest.Seeds(12) {
		begun, inBand, taken := map[share]bool{}, map[link]bool{}, map[link]int{}
		for _, e := range run(t, seed, some, trace.SnapshotBegun, trace.SnapshotStored, trace.BarrierSent, trace.CapturedOut) {
			switch {
			case e.Kind == trace.SnapshotBegun:
				begun[shareOf(e)] = true
			case e.Kind == trace.SnapshotStored:
				delete(begun, shareOf(e))
			case e.Kind == trace.CapturedOut:
				taken[linkOf(e)]++
			case e.Way == trace.InBand:
				inBand[linkOf(e)] = true
			case inBand[linkOf(e)]:
				lifted++
				if !begun[shareOf(e)] || taken[linkOf(e)] == 0 {
					t.Errorf("seed %d: %s of %s lifted: snapshot under way %v, %d buffers taken", seed, e.Epoch, e.Channel, begun[shareOf(e)], taken[linkOf(e)])
				}
			}
		}
	}
	if lifted == 0 {
		t.Error("no barrier was lifted in an output queue: the test shows nothing")
	}
}

// TestBlockedInputsAddNothing: when a task turns, an input that has brought its barrier
// adds nothing to the snapshot, whatever waits behind the barrier.
func TestBlockedInputsAddNothing(t *testing.T) {
	blocked := 0
	for _, seed := range simtest.Seeds(12) {
		brought := map[link]bool{}
		for _, e := range run(t, seed, some, trace.BarrierReceived, trace.CapturedIn) {
			switch {
			case e.Kind == trace.CapturedIn && brought[linkOf(e)]:
				t.Errorf("seed %d: %s of %s is captured, which came behind the barrier", seed, e.Epoch, e.Channel)
			case e.Kind == trace.BarrierReceived && e.Way == trace.InBand:
				brought[linkOf(e)] = true
				blocked++
			}
		}
	}
	if blocked == 0 {
		t.Error("no barrier had its turn: the test shows nothing")
	}
}

// TestReceiversTurn: a barrier that overtakes turns the task that it reaches at once,
// whatever that was waiting for.
func TestReceiversTurn(t *testing.T) {
	turned := 0
	for _, seed := range simtest.Seeds(12) {
		begun := map[share]bool{}
		at := map[share]int64{} // of the first barrier that came overtaking
		for _, e := range run(t, seed, some, trace.SnapshotBegun, trace.BarrierReceived) {
			s := shareOf(e)
			switch {
			case e.Kind == trace.SnapshotBegun:
				if came, ok := at[s]; ok {
					turned++
					if came != e.Time {
						t.Errorf("seed %d: %s took %s at %d ns, its barrier came overtaking at %d ns", seed, s.task, s.epoch, e.Time, came)
					}
				}
				begun[s] = true
			case e.Way == trace.Overtaking && !begun[s]:
				if _, ok := at[s]; !ok {
					at[s] = e.Time
				}
			}
		}
	}
	if turned == 0 {
		t.Error("no barrier came overtaking: the test shows nothing")
	}
}

// TestNotBeforeItsTime: a task that turns by itself has waited for the timeout at least
// since the first of its barriers was sent.
func TestNotBeforeItsTime(t *testing.T) {
	type wait struct {
		first, began int64
		told, lifted bool // turned by a barrier that overtook, or by itself
	}
	alone := 0
	for _, seed := range simtest.Seeds(12) {
		sent, waits := map[link]int64{}, map[share]*wait{}
		for _, e := range run(t, seed, some, trace.SnapshotBegun, trace.BarrierSent, trace.BarrierReceived) {
			w := waits[shareOf(e)]
			if w == nil {
				w = &wait{first: e.Time}
				waits[shareOf(e)] = w
			}
			switch {
			case e.Kind == trace.BarrierSent && e.Way == trace.InBand:
				sent[linkOf(e)] = e.Time
			case e.Kind == trace.SnapshotBegun:
				w.began = e.Time
			case e.Kind == trace.BarrierReceived && w.began == 0: // at its turn, or overtaking
				w.told = w.told || e.Way == trace.Overtaking
				w.first = min(w.first, sent[linkOf(e)])
			case e.Way == trace.Overtaking && e.Time == w.began && !w.told:
				w.lifted = true
				w.first = min(w.first, sent[linkOf(e)])
				alone++
			}
		}
		//det:unordered each is judged by itself
		for s, w := range waits {
			if w.lifted && w.began-w.first < int64(some) {
				t.Errorf("seed %d: %s turned in %s after %d ns", seed, s.task, s.epoch, w.began-w.first)
			}
		}
	}
	if alone == 0 {
		t.Error("no task turned by itself: the test shows nothing")
	}
}
