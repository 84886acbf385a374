package check

import (
	"fmt"

	"weir/trace"
)

// Outcome is the answer of one run.
type Outcome struct {
	Name   string // what ran, for example "aligned/heap/seed 7"
	Digest string // of the committed rows in canonical form; "" when the run did not end
}

// Agreement compares the answers of runs on the same input: those that promise
// exactly-once output, and any that was not disturbed, must give one digest. It
// returns a violation for each that differs from the first.
func Agreement(outcomes []Outcome) []Violation {
	var vs []Violation
	for i := 1; i < len(outcomes); i++ {
		if first, o := outcomes[0], outcomes[i]; o.Digest != first.Digest {
			vs = append(vs, Violation{Oracle: SameAnswer, Task: trace.Coordinator, Text: fmt.Sprintf("%s answers %s, %s answers %s", first.Name, first.Digest, o.Name, o.Digest)})
		}
	}
	return vs
}
