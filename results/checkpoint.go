package results

import (
	"encoding/json"

	"weir/trace/cost"
)

// Checkpoint is one checkpoint within a repetition. In JSON it is an object with
// trigger_ms, each time part under its name with _ms, and the bytes that are
// known by name in "bytes".
type Checkpoint struct {
	// TriggerMS is the trigger's offset from the start of the measured time, the
	// clock of TimelinePoint.
	TriggerMS float64
	// Cost is in milliseconds and bytes.
	Cost cost.Vector[float64]
}

const (
	triggerName = "trigger_ms"
	bytesName   = "bytes"
	timeSuffix  = "_ms"
)

// isRecorded: a part that ends below the layer of repetitions is not kept.
func isRecorded(p cost.Part) bool { return p.Definition().Metric != "" }

// MarshalJSON writes every time part, 0 where it is not known, and the known bytes.
func (c Checkpoint) MarshalJSON() ([]byte, error) {
	times, bytes := map[string]any{triggerName: c.TriggerMS}, map[string]int64{}
	for _, p := range cost.Parts() {
		switch d := p.Definition(); {
		case !isRecorded(p):
		case d.Unit == cost.Time:
			times[d.Name+timeSuffix] = c.Cost.Get(p)
		case c.Cost.Has(p):
			bytes[d.Name] = int64(c.Cost.Get(p))
		}
	}
	if len(bytes) > 0 {
		times[bytesName] = bytes
	}
	return json.Marshal(times)
}

// UnmarshalJSON reads what MarshalJSON writes, of any version: a part that is not
// there is not known.
func (c *Checkpoint) UnmarshalJSON(data []byte) error {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*c = Checkpoint{}
	var bytes map[string]float64
	if raw, ok := all[bytesName]; ok {
		if err := json.Unmarshal(raw, &bytes); err != nil {
			return err
		}
	}
	if raw, ok := all[triggerName]; ok {
		if err := json.Unmarshal(raw, &c.TriggerMS); err != nil {
			return err
		}
	}
	for _, p := range cost.Parts() {
		d := p.Definition()
		if n, ok := bytes[d.Name]; ok && d.Unit == cost.Bytes {
			c.Cost.Set(p, n)
		}
		if raw, ok := all[d.Name+timeSuffix]; ok && d.Unit == cost.Time {
			var ms float64
			if err := json.Unmarshal(raw, &ms); err != nil {
				return err
			}
			c.Cost.Set(p, ms)
		}
	}
	return nil
}
