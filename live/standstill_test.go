package live_test

import (
	"encoding/binary"
	"sync/atomic"
	"testing"
	"time"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/id"
	"weir/state"
	"weir/trace"
)

// standstill stops a count job in the middle of its input, when every record
// handed out has been counted, until a checkpoint has been completed. Only then
// does the coordinator's interval pass, whatever the clock says: under either
// driver, that checkpoint and the last one are of the same state.
type standstill struct {
	hold    id.Offset // of each split
	records uint64    // handed out by then

	counted   atomic.Uint64
	completed atomic.Bool
}

// Wants implements trace.Observer.
func (s *standstill) Wants() trace.Mask {
	return trace.Mask(0).With(trace.Delivered, trace.Completed)
}

// Observe implements trace.Observer.
func (s *standstill) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.Delivered: // by the counts: until the input ends they send nothing
		s.counted.Add(e.To - e.From)
	case trace.Completed:
		s.completed.Store(true)
	default: // not wanted
	}
}

func (s *standstill) isReached() bool { return s.counted.Load() == s.records && !s.completed.Load() }

// stoppingSource does not go beyond the standstill while it lasts.
type stoppingSource struct {
	*operators.Source
	s    *standstill
	next id.Offset // it has one split
}

func (x *stoppingSource) Seek(split int, o id.Offset) error {
	x.next = o
	return x.Source.Seek(split, o)
}

func (x *stoppingSource) Emit(split, most int) (dataflow.Batch, error) {
	if !x.s.completed.Load() {
		most = min(most, int(x.s.hold-x.next))
	}
	b, err := x.Source.Emit(split, most)
	x.next += id.Offset(b.Records)
	return b, err
}

// steppedAlgorithm begins rounds at the standstill instead of by its interval.
type steppedAlgorithm struct {
	dataflow.Algorithm
	s *standstill
}

func (a steppedAlgorithm) NewCoordinator(c *dataflow.Config) dataflow.Coordinator {
	return &steppedCoordinator{Coordinator: a.Algorithm.NewCoordinator(c), s: a.s, interval: c.Checkpoint.Interval, asked: map[id.Ticket]id.Ticket{}}
}

type steppedCoordinator struct {
	dataflow.Coordinator
	s        *standstill
	h        dataflow.CoordHost
	interval dataflow.Nanos
	asked    map[id.Ticket]id.Ticket // ticket of a look at the standstill: that of the interval
}

func (c *steppedCoordinator) Start(h dataflow.CoordHost, j *dataflow.JobInfo) {
	c.h = h
	c.Coordinator.Start(steppedHost{h, c}, j)
}

const lookEvery = dataflow.Nanos(time.Millisecond)

func (c *steppedCoordinator) Timer(t id.Ticket) {
	first, ok := c.asked[t]
	if !ok {
		c.Coordinator.Timer(t)
		return
	}
	delete(c.asked, t)
	if !c.s.isReached() {
		c.asked[c.h.After(lookEvery)] = first
		return
	}
	c.Coordinator.Timer(first)
}

type steppedHost struct {
	dataflow.CoordHost
	c *steppedCoordinator
}

func (h steppedHost) After(d dataflow.Nanos) id.Ticket {
	if d != h.c.interval || h.c.s.completed.Load() {
		return h.CoordHost.After(d)
	}
	t := h.CoordHost.After(lookEvery)
	h.c.asked[t] = t
	return t
}

// halves is a partition whose second half knows only few of the keys.
type halves struct {
	numbers
	half id.Offset
}

func (p halves) Read(from id.Offset, n int, out *dataflow.Output) int64 {
	var rec [8]byte
	for i := range id.Offset(n) {
		key := p.key(uint64(from+i)*p.of + p.index)
		if from+i >= p.half {
			key %= p.keys / 8
		}
		binary.LittleEndian.PutUint64(rec[:], key)
		out.EmitHashed(state.HashUint64(key), rec[:])
	}
	return dataflow.NoWatermark
}

// standstillJob counts with a standstill in the middle.
func standstillJob(t *testing.T, algorithm string, b state.Backend) (*dataflow.Job, *standstill) {
	t.Helper()
	s := &standstill{hold: testRecords / 4, records: testRecords / 2}
	job := parityJob(countJob(t, algorithm, testRecords, testKeys), b)
	job.Algorithm = steppedAlgorithm{job.Algorithm, s}
	job.Graph.Vertices[0].New = func() dataflow.Operator {
		return &stoppingSource{Source: operators.NewSource(func(i, of int) (operators.Partition, error) {
			return halves{numbers{uint64(i), uint64(of), testRecords, testKeys}, s.hold}, nil
		}), s: s}
	}
	return job, s
}

// TestCheckpointsAtAStandstillTakeTheSameBytesSimulated compares two
// checkpoints, of which the second is incremental where the backend is. Without
// rounds there is none: each task's clock says when it takes a snapshot, so that
// only the last ones are alike.
func TestCheckpointsAtAStandstillTakeTheSameBytesSimulated(t *testing.T) {
	for _, b := range parityBackends(t) {
		for _, algorithm := range withSnapshots(true) {
			t.Run(algorithm+"/"+b.Name(), func(t *testing.T) {
				job, s := standstillJob(t, algorithm, b)
				simulation := simulated(t, job, s)
				job, s = standstillJob(t, algorithm, b)
				compareSizes(t, simulation, lived(t, job, s), 2)
				held, changed := 0, 0
				for _, x := range simulation {
					held += int(x.State)
					if x.Epoch.Index() > 1 {
						changed += int(x.Changed)
					}
				}
				if held == 0 || changed >= held {
					t.Errorf("of %d bytes of state %d changed after the first checkpoint", held, changed)
				}
			})
		}
	}
}
