package job

import (
	"fmt"
	"slices"
	"time"

	"weir/dataflow"
	"weir/live"
	"weir/trace"
	"weir/trace/cost"
)

// watcher leads a job through its phases and takes the readings between which
// the numbers lie. It observes the events that tell when the job is ready.
type watcher struct {
	r       *run
	tasks   int
	ready   int
	stored  int64
	started int64 // of the job's process, since the epoch
	began   mark
	until   mark
	slices  []float64 // throughput of the slices of warming up
	slice   mark
	since   int64 // begin of the phase
	lags    []sampleOf
	lastLag int64
	steady  bool
	// unsteady: warming up came to its limit.
	unsteady bool
	// eventTime: an operator looks at it, so that records can be late.
	eventTime bool
}

type sampleOf struct{ at, value int64 }

// The rule of warming up, as WarmUpRule says it.
const (
	sliceWidth   = 200 * time.Millisecond
	steadySlices = 3
	steadyWithin = 0.10
)

// WarmUpRule is the rule by which a repetition warms up, in words.
func WarmUpRule(limit time.Duration) string {
	return fmt.Sprintf("closed loop until the state has its size, by the number of records that the workload says, then until the throughput of %d successive slices of %s and the bytes of 2 successive checkpoints lie within %.0f %%, at most %s",
		steadySlices, sliceWidth, 100*steadyWithin, limit)
}

func newWatcher(r *run, g *dataflow.Graph) *watcher {
	w := &watcher{r: r, lastLag: -1}
	for i := range g.Vertices {
		v := &g.Vertices[i]
		w.tasks += v.Parallelism
		if v.Role == dataflow.RoleOperator {
			_, waits := v.New().(dataflow.TimerHandler)
			w.eventTime = w.eventTime || waits
		}
	}
	return w
}

// Wants implements trace.Observer.
func (w *watcher) Wants() trace.Mask {
	return trace.Mask(0).With(trace.PlanExecuted, trace.TaskReady, trace.SnapshotStored, trace.Completed, trace.TaskFailed)
}

// Observe implements trace.Observer.
func (w *watcher) Observe(e *trace.Event) {
	c := w.r.counters
	switch e.Kind {
	case trace.PlanExecuted:
		w.ready = 0
	case trace.TaskReady:
		if w.ready++; w.ready == w.tasks {
			c.Set(CounterReady, e.Time)
		}
	case trace.SnapshotStored:
		w.stored++
		if w.r.algorithm.IsLocal() && w.stored%int64(w.tasks) == 0 {
			c.Add(CounterDurable, 1)
		}
	case trace.Completed:
		c.Add(CounterDurable, 1)
	case trace.TaskFailed:
		w.r.failed(e)
	default: // not counted
	}
}

const tick = 2 * time.Millisecond

// watch returns when the job has ended.
func (w *watcher) watch(j *live.Job) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-j.Done():
			w.conclude(j)
			return
		case <-t.C:
			w.step(j)
		}
	}
}

// conclude takes the readings of a job that has ended between two looks at it.
func (w *watcher) conclude(j *live.Job) {
	if w.until.at != 0 {
		return
	}
	c := w.r.counters
	w.until = w.take(j)
	if !w.r.spec.Timed() {
		w.endWithInput(c)
	}
}

// endWithInput lets a finite run end when its last source did, unless that was
// in an earlier process: then this one has only carried it to its end.
func (w *watcher) endWithInput(c *Counters) {
	if last := c.Get(CounterLast); last > w.began.at {
		w.until.at = last
	}
}

func (w *watcher) enter(p Phase) {
	w.since = w.r.spec.Clock()
	w.r.counters.Set(CounterPhase, int64(p))
}

// step moves on to the next phase if it is time.
func (w *watcher) step(j *live.Job) {
	s := w.r.spec
	switch w.r.counters.Phase() {
	case Starting:
		if w.r.counters.Get(CounterReady) == 0 {
			return
		}
		if s.Killed || !s.Timed() {
			w.begin(j)
		} else {
			w.enter(Filling)
		}
	case Filling:
		if n, _ := w.r.counters.Emitted(s.NumSplits()); n >= s.Fill && (s.Rate == 0 || w.r.counters.Get(CounterOpened) != 0) {
			w.slice = w.take(j)
			w.enter(Warming)
		}
	case Warming:
		w.warm(j)
	case Measuring:
		w.measure(j)
	case Ending, Ended:
	}
}

// warm begins to measure when throughput is steady.
func (w *watcher) warm(j *live.Job) {
	now := w.r.spec.Clock()
	if now-w.slice.at >= int64(sliceWidth) {
		next := w.take(j)
		w.slices = append(w.slices, float64(next.records-w.slice.records)/float64(next.at-w.slice.at))
		w.slice = next
		w.steady = isSteady(w.slices, steadySlices)
	}
	late := now-w.since >= int64(w.r.spec.Warm)
	ready := w.steady && w.snapshotsSteady()
	if ready || late {
		w.unsteady = !ready
		w.begin(j)
	}
}

// snapshotsSteady: a job that takes snapshots has taken one, so that caches know
// what they cost, and the last two that it took as a whole since the state has
// its size uploaded about as much, so that the shape of a store is settled.
func (w *watcher) snapshotsSteady() bool {
	if a := w.r.algorithm; !a.HasRounds() {
		return !a.TakesSnapshots() || w.r.counters.Get(CounterDurable) > 0
	}
	var bytes []float64
	for _, c := range w.r.checkpoints.Completed() {
		if c.Triggered >= w.since {
			bytes = append(bytes, float64(c.Cost.Get(cost.Uploaded)))
		}
	}
	return isSteady(bytes, 2)
}

// isSteady tells whether the last n values are there and close together.
func isSteady(values []float64, n int) bool {
	if len(values) < n {
		return false
	}
	last := values[len(values)-n:]
	low, high := slices.Min(last), slices.Max(last)
	return low > 0 && high-low <= steadyWithin*high
}

func (w *watcher) begin(j *live.Job) {
	w.enter(Measuring)
	if w.r.spec.Timed() {
		w.began = w.take(j)
	} // a finite run is measured from its start
	w.r.counters.Set(CounterBegan, w.began.at)
}

// measure ends measuring in time, and the input after it.
func (w *watcher) measure(j *live.Job) {
	s, now := w.r.spec, w.r.spec.Clock()
	w.sampleLag(now)
	switch {
	case s.Killed && s.Timed():
		if w.recovered(now) || now-w.began.at > int64(s.Measure) {
			w.until = w.take(j)
			w.end(now)
		}
	case !s.Timed():
		if n, _ := w.r.counters.Emitted(s.NumSplits()); n >= s.Events {
			w.until = w.take(j)
			w.endWithInput(w.r.counters)
			w.enter(Ending)
		}
	default:
		if w.until.at == 0 && now-w.began.at >= int64(s.Measure) {
			w.until = w.take(j)
		}
		if w.until.at != 0 && now-w.until.at >= w.tail() {
			w.end(now)
		}
	}
}

// recovered reports whether the first new record is there and the lag at its
// level before the kill.
func (w *watcher) recovered(now int64) bool {
	c, s := w.r.counters, w.r.schedule
	if c.Get(CounterNew) == 0 {
		return false
	}
	if s.rate == 0 {
		return true
	}
	if s.backlog(now) > c.Get(CounterLag)+s.rate/1000 {
		return false
	}
	c.SetOnce(CounterCaught, now)
	return true
}

// mostTail bounds how long the load goes on after the measured time.
const mostTail = 5 * time.Second

// tail is how long the load of an open loop goes on after the measured time, so
// that the last records measured are committed as all others are.
func (w *watcher) tail() int64 {
	if w.r.spec.Rate == 0 || !w.r.algorithm.TakesSnapshots() {
		return 0
	}
	return int64(min(w.r.spec.Interval*5/4+200*time.Millisecond, mostTail))
}

// margin is how far in the future the end of the input is put: far enough for no
// source to be beyond it when it hears of it.
const margin = 250 * time.Millisecond

// mostCatchUp bounds the work on a backlog that is there at the end, at twice the
// throughput of the measured time.
const mostCatchUp = 10 * time.Second

// end lets the input end soon.
func (w *watcher) end(now int64) {
	w.enter(Ending)
	s, c := w.r.schedule, w.r.counters
	total, furthest := c.Emitted(s.splits)
	perSecond := int64(0)
	if elapsed := now - w.began.at; elapsed > 0 {
		perSecond = int64(2 * float64(total-w.began.records) / float64(elapsed) * 1e9)
	}
	ahead := max(perSecond/int64(s.splits), 1<<20) * int64(margin) / int64(time.Second)
	limit := furthest + ahead
	if s.rate > 0 && c.Get(CounterOpened) != 0 {
		// All that is due by then, so that no record escapes that waited long, but
		// for a load far above capacity.
		worked := perSecond * int64(mostCatchUp/time.Second)
		limit = max(min(furthest+max(ahead, worked/int64(s.splits)), s.dueTotal(now+int64(margin))/int64(s.splits)), furthest+min(int64(w.r.spec.Tuning.SourceBatch), s.rate+1))
	}
	c.SetLimit(limit)
}

const lagEvery = int64(20 * time.Millisecond)

func (w *watcher) sampleLag(now int64) {
	if w.r.schedule.rate == 0 || w.until.at != 0 || w.lastLag >= 0 && now-w.lastLag < lagEvery {
		return
	}
	w.lastLag = now
	w.lags = append(w.lags, sampleOf{now, w.r.schedule.backlog(now)})
}
