package figures

import "weir/results"

// recoveryTimes draws how long a killed job takes to process something new, and
// to catch up.
func recoveryTimes(c context) ([]Figure, error) {
	return c.dotRows(dotRows{
		figure: Figure{
			Name: "recovery" + c.suffix, Question: results.Recovery,
			Heading: "Recovery after SIGKILL",
			Caption: "From the kill of the job's process to the first new record processed, and to the lag being back at its level before. Lower is better.",
		},
		axis: "time since SIGKILL",
		series: []dotSeries{
			{"recovery_ms", "first new record processed", 2},
			{"caught_up_ms", "lag back at its level before", 3},
		},
	})
}
