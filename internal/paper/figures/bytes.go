package figures

import "weir/results"

// bytesByState draws the bytes of a checkpoint: what a full one uploads against
// an incremental one, beside all state and what of it had changed, where these
// were measured.
func bytesByState(c context) ([]Figure, error) {
	return c.dotRows(dotRows{
		figure: Figure{
			Name: "bytes" + c.suffix, Question: results.Bytes,
			Heading: "Bytes per checkpoint, full against incremental",
			Caption: "Bytes written to checkpoint storage per checkpoint. A full checkpoint uploads all state; an incremental one is to come near to the keys and values that had changed since the one before. Both stand beside it where they were measured. Lower is better.",
		},
		axis: "bytes per checkpoint",
		series: []dotSeries{
			{"uploaded_bytes", "uploaded", 2},
			{"logical_change_bytes", "logical change", 1},
			{"state_bytes", "all state", 4},
		},
	})
}
