package figures

import "weir/results"

// bytesByState draws the bytes of a checkpoint: what a full one uploads against
// an incremental one, beside what had changed.
func bytesByState(c context) ([]Figure, error) {
	return c.dotRows(dotRows{
		figure: Figure{
			Name: "bytes" + c.suffix, Question: results.Bytes,
			Heading: "Bytes per checkpoint, full against incremental",
			Caption: "Bytes written to checkpoint storage per checkpoint beside the keys and values that had changed since the one before. An incremental checkpoint is to come near to the change; a full one uploads all state. Lower is better.",
		},
		axis: "bytes per checkpoint",
		series: []dotSeries{
			{"uploaded_bytes", "uploaded", 2},
			{"logical_change_bytes", "logical change", 1},
		},
	})
}
