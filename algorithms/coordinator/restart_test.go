package coordinator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// bell is a host that only has timers and choices.
type bell struct {
	t       *testing.T
	client  *coordinator.Client
	now     dataflow.Nanos
	tickets id.Ticket
	due     map[id.Ticket]dataflow.Nanos
	draws   []int // what Draw answers, in order; then 0
}

func newBell(t *testing.T) *bell {
	b := &bell{t: t, due: map[id.Ticket]dataflow.Nanos{}}
	b.client = coordinator.NewClient(b)
	return b
}

func (b *bell) After(d dataflow.Nanos) id.Ticket {
	b.tickets++
	b.due[b.tickets] = b.now + d
	return b.tickets
}

func (b *bell) Draw(int) int {
	if len(b.draws) == 0 {
		return 0
	}
	n := b.draws[0]
	b.draws = b.draws[1:]
	return n
}

// pass lets time go by.
func (b *bell) pass(d dataflow.Nanos) {
	until := b.now + d
	for {
		first, found := id.Ticket(0), false
		for k := range id.Ticket(b.tickets + 1) {
			if at, ok := b.due[k]; ok && at <= until && (!found || at < b.due[first]) {
				first, found = k, true
			}
		}
		if !found {
			break
		}
		b.now = b.due[first]
		delete(b.due, first)
		b.client.Timer(first)
	}
	b.now = until
}

func (b *bell) Tell(id.TaskID, []byte)   { b.t.Error("tells") }
func (b *bell) Store(state.Op) id.Ticket { b.t.Error("stores"); return 0 }
func (b *bell) Execute(*dataflow.Plan)   { b.t.Error("executes") }
func (b *bell) JobDone()                 { b.t.Error("ends") }
func (b *bell) JobFailed(error)          { b.t.Error("fails") }
func (b *bell) Observe(dataflow.TraceKind, id.TaskID, id.Attempt, id.Epoch, string) {
}

var errBad = errors.New("a bad record")

// restarting returns a strategy with its bell.
func restarting(t *testing.T, set func(c *dataflow.RestartConfig)) (*coordinator.Restarts, *bell) {
	c := dataflow.DefaultConfig().Restart
	set(&c)
	b := newBell(t)
	return coordinator.NewRestarts(&c, b.client), b
}

// fails counts a failure that is answered after some delay.
func fails(t *testing.T, r *coordinator.Restarts, cause error, want dataflow.Nanos) {
	t.Helper()
	if d, err := r.Failed(cause); err != nil || d != want {
		t.Errorf("a restart after %d, %v; want one after %d", d, err, want)
	}
}

// givesUp counts a failure that ends the job; the error names all that is wanted.
func givesUp(t *testing.T, r *coordinator.Restarts, cause error, want ...string) {
	t.Helper()
	_, err := r.Failed(cause)
	if !errors.Is(err, coordinator.ErrGaveUp) || cause != nil && !errors.Is(err, cause) {
		t.Fatalf("it does not give up: %v", err)
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func TestNoRestart(t *testing.T) {
	r, _ := restarting(t, func(c *dataflow.RestartConfig) { c.Strategy = dataflow.RestartNone })
	givesUp(t, r, nil, "restart.strategy none", "a worker was lost")
	givesUp(t, r, errBad, "a bad record")
}

// TestRestartWithProgress is the default: at once, for ever after crashes, and after what tasks
// fail with as long as checkpoints complete.
func TestRestartWithProgress(t *testing.T) {
	r, _ := restarting(t, func(*dataflow.RestartConfig) {})
	for range 100 {
		fails(t, r, nil, 0)
	}
	r.Progress()
	for range 20 {
		fails(t, r, errBad, 0)
	}
	r.Progress()
	for range 20 {
		fails(t, r, errBad, 0)
	}
	fails(t, r, nil, 0)
	givesUp(t, r, errBad, "restart.strategy progress", "22 recoveries in a row", "restart.progress.attempts is 20")
}

func TestFixedDelay(t *testing.T) {
	r, _ := restarting(t, func(c *dataflow.RestartConfig) {
		c.Strategy, c.FixedAttempts, c.FixedDelay = dataflow.RestartFixedDelay, 3, 7
	})
	for range 3 {
		fails(t, r, nil, 7)
		r.Progress() // is no excuse: attempts are counted in all
	}
	givesUp(t, r, nil, "restart.strategy fixed-delay", "failure 4", "restart.fixed-delay.attempts is 3", "a worker was lost")
}

func TestExponentialDelay(t *testing.T) {
	r, b := restarting(t, func(c *dataflow.RestartConfig) {
		c.Strategy, c.InitialBackoff, c.MaxBackoff, c.Multiplier, c.ResetThreshold, c.Jitter = dataflow.RestartExponential, 1000, 4000, 150, 100_000, 10
	})
	restarts := 0
	answered := func(want dataflow.Nanos) {
		t.Helper()
		d, err := r.Failed(errBad)
		if err != nil || d != want {
			t.Errorf("a restart after %d, %v; want one after %d", d, err, want)
		}
		r.After(d, func() { restarts++ })
		b.pass(d)
	}
	for _, want := range []dataflow.Nanos{1000, 1500, 2250, 3375, 4000, 4000} {
		answered(want)
	}
	b.pass(99_999)
	answered(4000) // it has not run long enough
	b.pass(100_000)
	b.draws = []int{100, 200, 150}
	for _, want := range []dataflow.Nanos{1100, 1350, 2138} { // the longest, the shortest, half of it shorter
		answered(want)
	}
	b.draws = []int{0, 100}
	answered(3375)
	answered(4000) // never above the longest
	if restarts != 12 {
		t.Errorf("%d restarts", restarts)
	}
}

func TestFailureRate(t *testing.T) {
	r, b := restarting(t, func(c *dataflow.RestartConfig) {
		c.Strategy, c.MaxFailures, c.FailureInterval, c.FailureDelay = dataflow.RestartFailureRate, 2, 100, 5
	})
	for range 50 { // two per interval, for ever
		fails(t, r, nil, 5)
		b.pass(50)
	}
	fails(t, r, nil, 5)
	givesUp(t, r, errBad, "restart.strategy failure-rate", "3 failures within the interval", "max-failures-per-interval is 2")
}

// TestDelaysAreReplaced: a restart that a delay holds back happens once, and not when the job has ended.
func TestDelaysAreReplaced(t *testing.T) {
	r, b := restarting(t, func(*dataflow.RestartConfig) {})
	var did []string
	do := func(what string) func() { return func() { did = append(did, what) } }
	if r.After(10, do("first")); !r.Waiting() {
		t.Error("it does not wait")
	}
	b.pass(9)
	r.After(10, do("second"))
	b.pass(9)
	if len(did) != 0 || !r.Waiting() {
		t.Errorf("%v", did)
	}
	b.pass(1)
	if r.Waiting() {
		t.Error("it still waits")
	}
	r.After(10, do("never"))
	r.Stop()
	b.pass(100)
	if r.After(0, do("at once")) {
		t.Error("no delay is waited for")
	}
	if !slices.Equal(did, []string{"second", "at once"}) {
		t.Errorf("%v", did)
	}
}
