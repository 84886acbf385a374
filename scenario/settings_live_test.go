package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/external"
	"weir/id"
	driver "weir/live"
	"weir/scenario"
	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/state/storage"
	"weir/trace"
)

// TestSettingsLive sees, on real threads, the effects of what ends a job, or restarts it.
func TestSettingsLive(t *testing.T) {
	t.Run("on-cancel", liveOnCancel)
	t.Run("after-finished", liveAfterFinished)
	t.Run("restart", liveRestart)
	t.Run("local-recovery", liveLocalRecovery)
}

// liveRun is a job on real threads whose sources stop in the middle until it is opened.
type liveRun struct {
	t       *testing.T
	job     *driver.Job
	storage *storage.Dir
	half    int
	heard   *sync.Cond // of what is below
	open    bool
	refused int // questions for records that were not let pass
	events  []trace.Event
}

func startLive(t *testing.T, algorithm string, pairs ...string) *liveRun {
	t.Helper()
	return startLiveOn(t, heap.Name, algorithm, pairs...)
}

// startLiveOn starts a job on a state backend.
func startLiveOn(t *testing.T, backend, algorithm string, pairs ...string) *liveRun {
	t.Helper()
	c := combination(t, algorithm, backend, workload(t, "keyedcount"))
	c.Given, c.Parallelism, c.Splits = dataflow.Given{}, 2, 1
	for i := 0; i < len(pairs); i += 2 {
		if err := c.Given.Put(pairs[i], pairs[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	job, _, err := scenario.LiveJob(&c)
	if err != nil {
		t.Fatal(err)
	}
	store, err := storage.OpenDir(vfs.NewMem(), "checkpoints", storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ext, err := external.OpenStore(external.StoreConfig{})
	if err != nil {
		t.Fatal(err)
	}
	r := &liveRun{t: t, storage: store, half: c.Workload.Events() / 2, heard: sync.NewCond(new(sync.Mutex))}
	r.job, err = driver.Start(t.Context(), driver.Config{Job: job, Storage: r.storage, External: ext, FS: vfs.NewMem(), Dir: "local", Observer: r, Pacer: r, Workers: 2, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Wants is what tells of the coordinator.
func (r *liveRun) Wants() trace.Mask {
	return trace.Mask(0).With(trace.Triggered, trace.Completed, trace.LineAdvanced, trace.PlanExecuted, trace.TaskLeft, trace.WorkerCrashed)
}

func (r *liveRun) Observe(e *trace.Event) {
	r.heard.L.Lock()
	defer r.heard.L.Unlock()
	r.events = append(r.events, trace.Event{Kind: e.Kind, Time: e.Time})
	r.heard.Broadcast()
}

// Allow lets half of the records pass until the job is opened.
func (r *liveRun) Allow(_ *dataflow.TaskInfo, _ int, o id.Offset, now int64) (n int, next int64) {
	r.heard.L.Lock()
	defer r.heard.L.Unlock()
	switch room := r.half - int(o); {
	case r.open:
		return 1 << 30, 0
	case room > 0:
		return room, 0
	}
	r.refused++
	r.heard.Broadcast()
	return 0, now + int64(time.Millisecond)
}

// await waits until there are n events of some kinds, or the job has ended.
func (r *liveRun) await(n int, kinds ...trace.Kind) {
	r.until(fmt.Sprintf("there were %d of %v", n, kinds), func() bool { return r.count(kinds...) >= n })
}

// idle waits while the source asks in vain for more records, so many times: that many
// milliseconds in which the job had the machine, however slow that is.
func (r *liveRun) idle(times int) {
	r.heard.L.Lock()
	enough := r.refused + times
	r.heard.L.Unlock()
	r.until("its source had asked for more", func() bool { return r.refused >= enough })
}

// until waits for what is heard to come to something, or for the job to end; what says what.
func (r *liveRun) until(what string, is func() bool) {
	stop := context.AfterFunc(r.t.Context(), r.heard.Broadcast)
	defer stop()
	go func() {
		<-r.job.Done()
		r.heard.L.Lock() // else it may come between the look and the wait
		defer r.heard.L.Unlock()
		r.heard.Broadcast()
	}()
	r.heard.L.Lock()
	defer r.heard.L.Unlock()
	for !is() {
		select {
		case <-r.job.Done():
			r.t.Errorf("the job ended before %s", what)
			return
		default:
			r.heard.Wait()
		}
	}
}

// count counts events; the lock is held.
func (r *liveRun) count(kinds ...trace.Kind) (n int) {
	of := trace.Mask(0).With(kinds...)
	for i := range r.events {
		if of.Has(r.events[i].Kind) {
			n++
		}
	}
	return n
}

// end lets the job come to its end.
func (r *liveRun) end() error {
	r.heard.L.Lock()
	r.open = true
	r.heard.L.Unlock()
	_, err := r.job.Wait()
	return err
}

// objects counts what stands in storage, by the part of its name before the slash.
func (r *liveRun) objects() map[string]int {
	n := map[string]int{}
	for _, e := range r.storage.Do(state.Op{Kind: state.OpList}).List {
		prefix, _, _ := strings.Cut(e.Key, "/")
		n[prefix]++
	}
	return n
}

func liveOnCancel(t *testing.T) {
	for _, algorithm := range []string{"aligned", "uncoordinated"} {
		for _, policy := range []string{"retain", "delete"} {
			for _, cancel := range []bool{true, false} {
				r := startLive(t, algorithm, "checkpoint.on-cancel", policy)
				r.await(2, trace.Completed, trace.LineAdvanced)
				var err error
				if cancel {
					_, err = r.job.Stop(t.Context())
				} else {
					err = r.end()
				}
				left := r.objects()
				if gone := left["plan"] == 1 && left["lease"] == 1 && len(left) == 2; err != nil || gone != (policy == "delete") || left["plan"] == 0 {
					t.Errorf("%s, %s, cancelled %v: %v, %v left", algorithm, policy, cancel, err, left)
				}
			}
		}
	}
}

func liveAfterFinished(t *testing.T) {
	for _, on := range []string{"true", "false"} {
		r := startLive(t, "aligned", "checkpoint.interval", "5ms", "checkpoint.after-finished", on)
		r.await(1, trace.TaskLeft) // the source without a split
		if on == "true" {
			r.await(6, trace.Completed)
		} else {
			r.idle(50) // in which there would be some
		}
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		after, left := 0, false
		for _, e := range r.events {
			left = left || e.Kind == trace.TaskLeft
			if left && e.Kind == trace.Triggered {
				after++
			}
		}
		if on == "true" && after < 2 || on == "false" && after != 1 {
			t.Errorf("after-finished %s: %d checkpoints began after a task had finished", on, after)
		}
	}
}

// liveLocalRecovery: a worker that was killed starts again from its own files.
func liveLocalRecovery(t *testing.T) {
	for _, on := range []string{"true", "false"} {
		r := startLiveOn(t, pebblestate.NameIncremental, "aligned", "checkpoint.local-recovery", on)
		r.await(2, trace.Completed)
		r.await(1, trace.PlanExecuted)
		if err := r.job.KillWorker(1); err != nil {
			t.Fatal(err)
		}
		r.await(2, trace.PlanExecuted)
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		result, _ := r.job.Wait()
		if n := result.Copies; on == "true" && n.Taken == 0 || on == "false" && n != (state.CopyCounts{}) || n.Damaged > 0 {
			t.Errorf("local-recovery %s: %+v", on, n)
		}
	}
}

// liveRestart: what the strategies do with a worker that is killed once, and twice.
func liveRestart(t *testing.T) {
	const delay = 300 * time.Millisecond
	for _, c := range []struct {
		algorithm string
		given     []string
		kills     int
		because   string // it gives up; "": it goes on, after the delay
	}{
		{"aligned", []string{"restart.strategy", "none"}, 1, "restart.strategy none"},
		{"uncoordinated", []string{"restart.strategy", "none"}, 1, "restart.strategy none"},
		{"aligned", []string{"restart.strategy", "fixed-delay", "restart.fixed-delay.delay", delay.String()}, 1, ""},
		{"uncoordinated", []string{"restart.strategy", "fixed-delay", "restart.fixed-delay.delay", delay.String()}, 1, ""},
		{"aligned", []string{"restart.strategy", "fixed-delay", "restart.fixed-delay.delay", "1ms"}, 2, "failure 2; restart.fixed-delay.attempts is 1"},
		{"aligned", []string{"restart.strategy", "exponential-delay", "restart.exponential-delay.initial-backoff", delay.String(), "restart.exponential-delay.jitter-factor", "0"}, 1, ""},
		{"aligned", []string{"restart.strategy", "failure-rate", "restart.failure-rate.delay", delay.String()}, 1, ""},
		{"aligned", []string{"restart.strategy", "failure-rate", "restart.failure-rate.delay", "1ms"}, 2, "2 failures within the interval"},
	} {
		name := strings.Join(append([]string{c.algorithm}, c.given...), " ")
		r := startLive(t, c.algorithm, c.given...)
		for k := range c.kills {
			r.await(2*(k+1), trace.Completed, trace.LineAdvanced)
			r.await(k+1, trace.PlanExecuted)
			if err := r.job.KillWorker(1); err != nil {
				t.Fatal(err)
			}
			if c.because == "" || k+1 < c.kills {
				r.await(k+2, trace.PlanExecuted)
			}
		}
		err := r.end()
		if c.because != "" {
			if !errors.Is(err, coordinator.ErrGaveUp) || !strings.Contains(err.Error(), c.because) || !strings.Contains(err.Error(), "a worker was lost") {
				t.Errorf("%s: it ended with %v, want %q", name, err, c.because)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		crashed := int64(0)
		for _, e := range r.events {
			switch {
			case e.Kind == trace.WorkerCrashed:
				crashed = e.Time
			case e.Kind == trace.PlanExecuted && crashed != 0:
				if waited := time.Duration(e.Time - crashed); waited < delay {
					t.Errorf("%s: it started again after %s", name, waited)
				}
				crashed = 0
			}
		}
	}
}
