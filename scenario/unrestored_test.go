package scenario_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/scenario"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/trace"
)

// TestASnapshotThatDoesNotRestoreIsPassedOver: what is damaged is a file of it, which no
// coordinator reads, so that recoveries that go by snapshots alone come back to it for ever.
// With an older one on the line the job goes on from that, else it ends and names the file.
func TestASnapshotThatDoesNotRestoreIsPassedOver(t *testing.T) {
	for _, algorithm := range []string{"uncoordinated", "cic-hmnr"} {
		wentOn, gaveUp := 0, 0
		for nth := 9; nth < 42; nth += 3 {
			for _, older := range []bool{true, false} {
				w := restoresDamaged(t, algorithm, nth, older)
				plans, back, err := w.count(trace.PlanExecuted), w.count(trace.FellBack), w.Result.Err
				switch {
				case back > 1 || plans != 2 && plans != 2+back:
					t.Errorf("%s, snapshot %d: went back %d times in %d plans: %v", algorithm, nth, back, plans, err)
				case err == nil && w.Kind == scenario.Fine:
					wentOn += back
				case err != nil && w.GaveUp() && strings.Contains(err.Error(), "no recovery line is left"):
					gaveUp++
				default:
					t.Errorf("%s, snapshot %d: %s, %v", algorithm, nth, w.Kind, err)
				}
			}
		}
		if wentOn == 0 || gaveUp == 0 {
			t.Errorf("%s: %d jobs went on from an older snapshot, %d had none", algorithm, wentOn, gaveUp)
		}
	}
}

// TestASnapshotInThePlaceOfAnotherIsDamage: a write that went astray has put it there. The
// recovery goes by its key, not by what it says it is.
func TestASnapshotInThePlaceOfAnotherIsDamage(t *testing.T) {
	back := 0
	for nth := 6; nth < 42; nth += 3 {
		plan := fmt.Sprintf(`(fail storage put key="snap/" outcome=misdirected times=1 at (nth %d snapshot-begun))`, nth)
		w := crashesAll(t, "uncoordinated", heap.Name, plan, nth, true)
		plans := w.count(trace.PlanExecuted)
		back += w.count(trace.FellBack)
		if w.Kind != scenario.Fine && !w.GaveUp() || plans > 2 {
			t.Errorf("snapshot %d: %s, %v after %d plans", nth, w.Kind, w.Result.Err, plans)
		}
	}
	if back == 0 {
		t.Error("nobody has read what went astray")
	}
}

// TestNobodyGoesBackBehindTrimmedLogs: a snapshot on the line is damaged while those behind it,
// which nobody needs any more, are still to be deleted, and their logs are trimmed already. What is
// left of them makes a line of its own; the job that tries it ends, and names the snapshot.
func TestNobodyGoesBackBehindTrimmedLogs(t *testing.T) {
	trimmed := 0
	for nth := 20; nth < 28; nth++ {
		damage := fmt.Sprintf("(nth %d line-advanced)", nth)
		plan := `(delay storage delete for 500ms times=99 at (time 1us)) (corrupt storage key="snap/" at ` + damage + ")"
		for _, who := range []string{"coordinator", "worker=0", "worker=1", "worker=2"} {
			plan += fmt.Sprintf("(crash %s at (after %s (time 3ms)))", who, damage)
		}
		w := fallsBack(t, "uncoordinated", heap.Name, plan)
		err := w.Result.Err
		switch {
		case err == nil && w.Kind == scenario.Fine && w.count(trace.FellBack) == 1: // what was left is enough
		case err != nil && w.GaveUp() && regexp.MustCompile(`snap/t\d/1\.\d.* read log "log/c\d"`).MatchString(err.Error()) && !strings.Contains(err.Error(), "checkpoint.fallback"):
			trimmed++
		default:
			t.Errorf("advance %d: %s, %v", nth, w.Kind, err)
		}
	}
	if trimmed == 0 {
		t.Error("no job has missed a log")
	}
}

// restoresDamaged runs a job whose newest file is damaged as all of it crashes.
func restoresDamaged(t *testing.T, algorithm string, nth int, older bool) watched {
	return crashesAll(t, algorithm, pebblestate.NameFull, fmt.Sprintf(`(corrupt storage key="files/" at (nth %d snapshot-stored))`, nth), nth, older)
}

// crashesAll runs a job that may fall back. Something befalls its storage, and all of it
// crashes; older: the coordinator too, before it has let go of the snapshot before.
func crashesAll(t *testing.T, algorithm, backend, plan string, nth int, older bool) watched {
	at := fmt.Sprintf("(nth %d snapshot-stored)", nth)
	for n := range 3 {
		plan += fmt.Sprintf("(crash worker=%d at %s)", n, at)
	}
	if older {
		plan += fmt.Sprintf("(crash coordinator at %s)", at)
	}
	return fallsBack(t, algorithm, backend, plan)
}

// fallsBack runs a job that may fall back, with the faults of plan.
func fallsBack(t *testing.T, algorithm, backend, plan string) watched {
	c := combination(t, algorithm, backend, workload(t, "keyedcount"))
	c.Given, c.Faults = dataflow.Given{}, scenario.PlannedFaults
	for _, set := range [][2]string{{"checkpoint.interval", "2ms"}, {"checkpoint.fallback", "true"}} {
		if err := c.Given.Put(set[0], set[1]); err != nil {
			t.Fatal(err)
		}
	}
	c.Plan = mustParse(t, "(plan "+plan+")")
	k := &kept{}
	r := runner(t, c)
	r.Observers = []trace.Observer{k}
	o := r.Run(1)
	return watched{o, k.events}
}
