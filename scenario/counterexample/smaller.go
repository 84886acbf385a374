package counterexample

import (
	"slices"

	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/sim"
)

// fewerFailing lets no operation fail that the plan does not name, and nothing be
// slow: all at once, or else what it can.
func (s *Shrinker) fewerFailing() {
	operations := [...]func(f *File) *sim.Operations{
		func(f *File) *sim.Operations { return &f.Settings.Model.Storage },
		func(f *File) *sim.Operations { return &f.Settings.Model.Sink },
	}
	for _, of := range operations {
		o := of(s.best)
		if o.Of == 0 {
			continue
		}
		if s.better(s.edited(func(f *File) { calm(of(f)) })) {
			continue
		}
		for _, way := range [...]func(o *sim.Operations) *int{
			func(o *sim.Operations) *int { return &o.NotApplied }, func(o *sim.Operations) *int { return &o.Applied },
			func(o *sim.Operations) *int { return &o.Late }, func(o *sim.Operations) *int { return &o.Torn },
		} {
			if *way(of(s.best)) > 0 {
				s.better(s.edited(func(f *File) { *way(of(f)) = 0 }))
			}
		}
	}
	for _, slow := range [...]func(f *File) *[]int{
		func(f *File) *[]int { return &f.Settings.Model.WorkerSlow },
		func(f *File) *[]int { return &f.Settings.Model.LinkSlow },
	} {
		if len(*slow(s.best)) > 0 {
			s.better(s.edited(func(f *File) { *slow(f) = nil }))
		}
	}
}

func calm(o *sim.Operations) { o.Of, o.NotApplied, o.Applied, o.Late, o.Torn = 0, 0, 0, 0, 0 }

// redraws is how often the decisions of a candidate are drawn anew. A job with
// fewer records or tasks takes other draws, and those recorded are then no better than
// any: what must stay is the signature, not the way to it.
const redraws = 12

// anyDraw keeps a candidate as it is, without any loud decision, or with decisions
// drawn anew.
func (s *Shrinker) anyDraw(f *File) bool {
	if f == nil {
		return false
	}
	if s.better(f) {
		return true
	}
	quiet := *f
	if quiet.Decisions, quiet.Resumed = nil, nil; s.better(&quiet) {
		return true
	}
	for n := range uint64(redraws) {
		if quiet.Seed = n + 1; s.kept(&quiet, true) {
			return true
		}
	}
	return false
}

// fewerRecords looks for the least number of records that will do, from few to
// many: runs of few are short.
func (s *Shrinker) fewerRecords() {
	if s.Records == nil {
		return
	}
	for n := 1; n < s.Records(s.best) && !s.over(); n += max(1, n/2) {
		if s.withRecords(n) {
			break
		}
	}
}

// withRecords keeps a candidate of n records: as it is; at a pace at which they take
// as long as those before; and with checkpoints and faults that come as much
// earlier as there are fewer records.
func (s *Shrinker) withRecords(n int) bool {
	c := s.WithRecords(s.best, n)
	if c == nil {
		return false
	}
	ratio := int64(s.Records(s.best)+n-1) / int64(max(n, 1))
	slow, one, early := *c, *c, *c
	slow.Settings.Model.StepBase *= ratio
	slow.Settings.Model.StepRecord *= ratio
	one.Settings.Job.BatchRecords, one.Settings.Job.SourceBatch = 1, 1
	early.Settings.Job.BatchRecords, early.Settings.Job.SourceBatch = 1, 1
	early.Settings.Job.Checkpoint.Interval = max(leastInterval, early.Settings.Job.Checkpoint.Interval/dataflow.Nanos(ratio))
	early.Plan = sooner(early.Plan, ratio)
	slowOne := slow
	slowOne.Settings.Job.BatchRecords, slowOne.Settings.Job.SourceBatch = 1, 1
	return s.anyDraw(c) || s.anyDraw(&one) || s.anyDraw(&slow) || s.anyDraw(&early) || s.anyDraw(&slowOne)
}

// mostInterval is longer than any run, in nanoseconds: there is no second round.
const mostInterval = 1_000_000_000_000

// leastInterval is the shortest time between checkpoints that is tried, in
// nanoseconds: a round takes some of the latencies of a message.
const leastInterval = 200_000

// sooner returns the plan with all its times, and numbers of events, divided.
func sooner(p faults.Plan, by int64) faults.Plan {
	return change(p, func(st *faults.Step) {
		st.Time /= by
		if st.N > 0 {
			st.N = max(1, st.N/int(by))
		}
	})
}

// change returns the plan with every step of its conditions changed.
func change(p faults.Plan, each func(st *faults.Step)) faults.Plan {
	q := faults.Plan{Faults: slices.Clone(p.Faults)}
	for i := range q.Faults {
		steps := slices.Clone(q.Faults[i].When.Steps)
		for k := range steps {
			each(&steps[k])
		}
		q.Faults[i].When.Steps = steps
	}
	return q
}

// fewerTasks makes the job narrower, and gives its sources fewer splits.
func (s *Shrinker) fewerTasks() {
	for n := 1; n < s.best.Parallelism; n++ {
		if s.anyDraw(s.edited(func(f *File) { f.Parallelism, f.Splits = n, n })) || s.anyDraw(s.edited(func(f *File) { f.Parallelism = n })) {
			break
		}
	}
	for n := 1; n < s.best.Splits; n++ {
		if s.anyDraw(s.edited(func(f *File) { f.Splits = n })) {
			break
		}
	}
}

// fewerWorkers puts the tasks on fewer workers: faults of one that is gone hit
// another.
func (s *Shrinker) fewerWorkers() {
	for n := 1; n < s.best.Workers; n++ {
		if s.anyDraw(s.edited(func(f *File) {
			f.Workers, f.Plan = n, faults.Plan{Faults: slices.Clone(f.Plan.Faults)}
			for i := range f.Plan.Faults {
				f.Plan.Faults[i].Worker %= n
			}
		})) {
			break
		}
	}
}

// fewerCoordinators leaves the standbys out, if nothing of the plan needs them.
func (s *Shrinker) fewerCoordinators() {
	needed := slices.ContainsFunc(s.best.Plan.Faults, func(f faults.Fault) bool { return f.Kind == faults.Failover || f.Target == faults.Process })
	if s.best.Coordinators > 1 && !needed {
		s.anyDraw(s.edited(func(f *File) { f.Coordinators = 0 }))
	}
}

// fewerCheckpoints lets no round fail for taking long, and none matter that fails, takes
// one round at a time, keeps one, and makes them rarer.
func (s *Shrinker) fewerCheckpoints() {
	of := func(f *File) *dataflow.CheckpointConfig { return &f.Settings.Job.Checkpoint }
	base := scenario.NewDrawn().Settings.Job.Checkpoint
	for _, calm := range [...]func(k *dataflow.CheckpointConfig){
		func(k *dataflow.CheckpointConfig) { k.Timeout = base.Timeout },
		func(k *dataflow.CheckpointConfig) { k.Tolerated = base.Tolerated },
		func(k *dataflow.CheckpointConfig) { k.Fallback = base.Fallback },
	} {
		k := *of(s.best)
		if calm(&k); k != *of(s.best) {
			s.better(s.edited(func(f *File) { *of(f) = k }))
		}
	}
	s.lower(int64(of(s.best).MaxConcurrent), 1, func(f *File, v int64) { of(f).MaxConcurrent = int(v) })
	s.lower(int64(of(s.best).Retain), 1, func(f *File, v int64) { of(f).Retain = int(v) })
	s.lower(int64(of(s.best).MinPause), 0, func(f *File, v int64) { of(f).MinPause = dataflow.Nanos(v) })
	for of(s.best).Interval < mostInterval {
		if !s.better(s.edited(func(f *File) { of(f).Interval *= 2 })) {
			break
		}
	}
}

// smallerFaults takes steps out of the conditions of faults and operations, and makes their
// numbers smaller.
func (s *Shrinker) smallerFaults() {
	for i := range s.best.Plan.Faults {
		ddmin(s.best.Plan.Faults[i].When.Steps, s.over, func(kept []faults.Step) ([]faults.Step, bool) {
			ok := s.better(s.fault(i, func(x *faults.Fault) { x.When.Steps = kept }))
			return s.best.Plan.Faults[i].When.Steps, ok
		})
		for k := range s.best.Plan.Faults[i].When.Steps {
			s.smallerStep(i, k)
		}
		s.lower(int64(s.best.Plan.Faults[i].To), 1, func(f *File, v int64) { *f = *s.fault(i, func(x *faults.Fault) { x.To = int(v) }) })
		s.lower(int64(s.best.Plan.Faults[i].Times), 1, func(f *File, v int64) { *f = *s.fault(i, func(x *faults.Fault) { x.Times = int(v) }) })
		s.lower(s.best.Plan.Faults[i].Duration, 1, func(f *File, v int64) { *f = *s.fault(i, func(x *faults.Fault) { x.Duration = v }) })
	}
}

// smallerStep makes the numbers of one step of one fault's condition smaller.
func (s *Shrinker) smallerStep(i, k int) {
	set := func(f *File, put func(st *faults.Step)) {
		*f = *s.fault(i, func(x *faults.Fault) {
			x.When.Steps = slices.Clone(x.When.Steps)
			put(&x.When.Steps[k])
		})
	}
	st := s.best.Plan.Faults[i].When.Steps[k]
	s.lower(int64(st.N), 1, func(f *File, v int64) { set(f, func(st *faults.Step) { st.N = int(v) }) })
	s.lower(st.Time, 0, func(f *File, v int64) { set(f, func(st *faults.Step) { st.Time = v }) })
}

// fault returns the best with one fault of its plan changed.
func (s *Shrinker) fault(i int, put func(x *faults.Fault)) *File {
	return s.edited(func(f *File) {
		f.Plan = faults.Plan{Faults: slices.Clone(f.Plan.Faults)}
		put(&f.Plan.Faults[i])
	})
}

// smallerSizes makes the sizes of the job smaller.
func (s *Shrinker) smallerSizes() {
	for _, of := range [...]func(j *dataflow.Config) *int{
		func(j *dataflow.Config) *int { return &j.BatchRecords }, func(j *dataflow.Config) *int { return &j.SourceBatch },
		func(j *dataflow.Config) *int { return &j.QueueBuffers }, func(j *dataflow.Config) *int { return &j.Credits },
	} {
		s.lower(int64(*of(&s.best.Settings.Job)), 1, func(f *File, v int64) { *of(&f.Settings.Job) = int(v) })
	}
	s.lower(int64(s.best.Settings.Job.BatchTimeout), 0, func(f *File, v int64) { f.Settings.Job.BatchTimeout = dataflow.Nanos(v) })
}
