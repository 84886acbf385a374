package job

import (
	"errors"
	"testing"
	"time"

	"weir/id"
)

// TestLateRecordsAreThoseOnTheSideOutput: every record that is counted as late is a
// row by itself of sessions.
func TestLateRecordsAreThoseOnTheSideOutput(t *testing.T) {
	spec := &Spec{
		Algorithm: "aligned", State: "heap", Workload: "sessions", Settings: map[string]string{"numEvents": "2000"}, Parallelism: 2,
		Interval: 10 * time.Millisecond, Tuning: DefaultTuning(), Dir: t.TempDir(), Epoch: time.Now().UnixNano(), Events: 2000,
	}
	spec.Tuning.BatchRecords, spec.Tuning.SourceBatch = 4, 4
	r, err := openRun(spec)
	if err != nil {
		t.Fatal(err)
	}
	err = r.run(t.Context())
	late := int64(0)
	err = errors.Join(err, r.sink.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		if len(row) == 24 {
			late++
		}
		return nil
	}), r.close())
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadReport(spec.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if p.LateRecords == nil || *p.LateRecords != late || late == 0 {
		t.Errorf("%v late records, %d stand in the output", p.LateRecords, late)
	}
}
