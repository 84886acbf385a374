package live_test

import (
	"bytes"
	"testing"

	"weir/dataflow"
	"weir/live/recording"
)

// TestSplitsSurviveCrashes: five splits on two sources, one of which reads three,
// under each algorithm; the recording replays.
func TestSplitsSurviveCrashes(t *testing.T) {
	for _, name := range exactlyOnce() {
		t.Run(name, func(t *testing.T) {
			job := func() *dataflow.Job {
				j := countJob(t, name, testRecords, testKeys)
				j.Graph.SetSplits(5)
				return j
			}
			w, g := newWorld(t), newGate(0)
			var file bytes.Buffer
			cfg := w.config(job(), g)
			cfg.Recorder = recording.NewWriter(&file)
			crashes(t, w, cfg, g)
			if err := cfg.Recorder.Close(); err != nil {
				t.Fatal(err)
			}
			rec, err := recording.Read(&file)
			if err != nil {
				t.Fatal(err)
			}
			if err := recording.Replay(job(), rec, recording.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}
