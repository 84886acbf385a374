package live_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/live"
	"weir/live/recording"
)

// moody is a count that looks at the clock and draws a number per buffer.
type moody struct {
	dataflow.Operator
	ctx *dataflow.Context
}

func (m *moody) Open(c *dataflow.Context) error {
	m.ctx = c
	return m.Operator.Open(c)
}

func (m *moody) Process(port int, b *dataflow.Buffer) error {
	_ = m.ctx.Now()
	_ = m.ctx.Random()
	return m.Operator.Process(port, b)
}

func moodyJob(t testing.TB) *dataflow.Job {
	job := countJob(t, "unaligned", testRecords, testKeys)
	job.Graph.Vertices[1].NonDeterministic = true
	job.Graph.Vertices[1].New = func() dataflow.Operator { return &moody{Operator: newCount()} }
	return job
}

// record runs a job with crashes and returns its recording, anew at each call
// of the result.
func record(t *testing.T, job *dataflow.Job) func() *recording.Recording {
	t.Helper()
	w, g := newWorld(t), newGate(0)
	var file bytes.Buffer
	cfg := w.config(job, g)
	cfg.Recorder = recording.NewWriter(&file)
	crashes(t, w, cfg, g)
	if err := cfg.Recorder.Close(); err != nil {
		t.Fatal(err)
	}
	return func() *recording.Recording {
		rec, err := recording.Read(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
}

// find returns the first step of a kind, behind some others, that fits.
func find(t *testing.T, rec *recording.Recording, kind dataflow.EventKind, fits func(s *recording.Step) bool) *recording.Step {
	t.Helper()
	for _, x := range rec.Incarnations {
		for i := range x.Steps {
			if s := &x.Steps[i]; i > 3 && s.Event.Kind == kind && fits(s) {
				return s
			}
		}
	}
	t.Fatalf("no event of kind %d in the recording", kind)
	return nil
}

func whichever(*recording.Step) bool { return true }

// TestReplayFindsEveryDifference changes one thing in a sound recording.
func TestReplayFindsEveryDifference(t *testing.T) {
	read := record(t, moodyJob(t))
	if err := recording.Replay(moodyJob(t), read(), recording.Options{}); err != nil {
		t.Fatal(err)
	}
	data := func(s *recording.Step) bool { return s.Event.Buffer.Item == dataflow.Data }
	for name, c := range map[string]struct {
		change func(rec *recording.Recording)
		want   string
	}{
		"content of an arrival":    {func(rec *recording.Recording) { find(t, rec, dataflow.EvArrive, data).Event.Buffer.Sum ^= 1 }, "its chain is"},
		"position of an arrival":   {func(rec *recording.Recording) { find(t, rec, dataflow.EvArrive, data).Event.Buffer.Seq++ }, "it fails"},
		"connection of an arrival": {func(rec *recording.Recording) { find(t, rec, dataflow.EvArrive, data).Connection = 1 << 40 }, "sent there differs"},
		"stamp of an arrival": {func(rec *recording.Recording) {
			// Only the wire can tell: the chain covers the content's sum, which stays.
			find(t, rec, dataflow.EvArrive, data).Event.Buffer.Stamp = []byte("x")
		}, "sent there differs"},
		"chain":             {func(rec *recording.Recording) { find(t, rec, dataflow.EvCredit, whichever).Chain ^= 1 }, "its chain is"},
		"number of credits": {func(rec *recording.Recording) { find(t, rec, dataflow.EvCredit, whichever).Event.N++ }, "its chain is"},
		"storage result":    {func(rec *recording.Recording) { find(t, rec, dataflow.EvStored, whichever).Event.Result.Status = 0 }, "its chain is"},
		"answers": {func(rec *recording.Recording) {
			find(t, rec, dataflow.EvTurn, func(s *recording.Step) bool { return len(s.Answers) > 1 }).Answers = nil
		}, "it asks for an answer"},
		"too many answers": {func(rec *recording.Recording) {
			s := find(t, rec, dataflow.EvTurn, func(s *recording.Step) bool { return len(s.Answers) > 1 })
			s.Answers = append(s.Answers, s.Answers[0])
		}, "it asked for"},
		"failure":  {func(rec *recording.Recording) { find(t, rec, dataflow.EvCredit, whichever).Failed = true }, "the recorded run failed"},
		"port":     {func(rec *recording.Recording) { find(t, rec, dataflow.EvCredit, whichever).Event.Port = 99 }, "of another job"},
		"transfer": {func(rec *recording.Recording) { find(t, rec, dataflow.EvTransfer, whichever).Event.Ticket = 1 << 40 }, "has not begun"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := read()
			c.change(rec)
			err := recording.Replay(moodyJob(t), rec, recording.Options{})
			var d *recording.DivergedError
			if !errors.As(err, &d) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "event ") {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestReplayOfAnotherJobFails: a count that is wrong by its code is found
// although every event is as it was.
func TestReplayOfAnotherJobFails(t *testing.T) {
	read := record(t, moodyJob(t))
	other := moodyJob(t)
	other.Graph.Vertices[1].New = func() dataflow.Operator {
		count := newCount()
		count.Add = func(n, k uint64) uint64 {
			if k == 7 {
				return n // forgets one key
			}
			return n + 1
		}
		return &moody{Operator: count}
	}
	var d *recording.DivergedError
	if err := recording.Replay(other, read(), recording.Options{}); !errors.As(err, &d) || d.Task < 2 || d.Task > 3 {
		t.Errorf("error %v", err)
	}
	small := countJob(t, "unaligned", testRecords, testKeys)
	small.Graph.Vertices, small.Graph.Edges = small.Graph.Vertices[:1], nil
	if err := recording.Replay(small, read(), recording.Options{}); err == nil {
		t.Error("the recording was replayed on a job with fewer tasks")
	}
	small.Config.HashContents = false
	if err := recording.Replay(small, read(), recording.Options{}); err == nil || !strings.Contains(err.Error(), "HashContents") {
		t.Errorf("error %v", err)
	}
}

// TestRecordingOfAPanicReplaysUpToIt: the step that panics has no chain.
func TestRecordingOfAPanicReplaysUpToIt(t *testing.T) {
	var file bytes.Buffer
	w := newWorld(t)
	job := countJob(t, "aligned", testRecords, testKeys)
	fuse := newFuse(testRecords / 2)
	job.Graph.Vertices[1].New = func() dataflow.Operator { return bomb{newCount(), fuse} }
	cfg := w.config(job, nil)
	cfg.Recorder = recording.NewWriter(&file)
	if _, err := live.Run(context.Background(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Recorder.Close(); err != nil {
		t.Fatal(err)
	}
	rec, err := recording.Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	open := 0
	for _, x := range rec.Incarnations {
		if n := len(x.Steps); n > 0 && !x.Steps[n-1].Ended {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d incarnations end in the middle of a step, want 1", open)
	}
	if err := recording.Replay(countJob(t, "aligned", testRecords, testKeys), rec, recording.Options{}); err != nil {
		t.Error(err)
	}
}
