package results

import (
	"encoding/json"
	"testing"

	"weir/trace/cost"
)

// TestCheckpointKeepsItsNames: what is committed must stay readable.
func TestCheckpointKeepsItsNames(t *testing.T) {
	const text = `{"ack_ms":1,"alignment_ms":2,"async_ms":3,"bytes":{"inflight":4,"logical_change":5,"uploaded":6},"fsync_ms":7,"metadata_ms":8,"sync_ms":9,"total_ms":10,"travel_ms":11.5,"trigger_ms":12}`
	var c Checkpoint
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[cost.Part]float64{
		cost.Ack: 1, cost.Alignment: 2, cost.Async: 3, cost.Inflight: 4, cost.Changed: 5, cost.Uploaded: 6,
		cost.Fsync: 7, cost.Metadata: 8, cost.Sync: 9, cost.Total: 10, cost.Travel: 11.5,
	} {
		if !c.Cost.Has(p) || c.Cost.Get(p) != want {
			t.Errorf("%s is %g (%v), want %g", p, c.Cost.Get(p), c.Cost.Has(p), want)
		}
	}
	again, err := json.Marshal(c)
	if err != nil || string(again) != text || c.TriggerMS != 12 {
		t.Errorf("%v, written again as %s", err, again)
	}
	for _, bad := range []string{`[]`, `{"bytes":1}`, `{"sync_ms":"x"}`, `{"trigger_ms":"x"}`} {
		if err := json.Unmarshal([]byte(bad), &c); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

func TestEveryCostWithAMetricHasOne(t *testing.T) {
	for _, p := range cost.Parts() {
		name := p.Definition().Metric
		if name == "" {
			continue
		}
		m, err := MetricNamed(name)
		if err != nil || m.Definition != p.Definition().Meaning {
			t.Errorf("%s: %+v, %v", p, m, err)
		}
	}
}
