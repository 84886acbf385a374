package explain

import (
	"fmt"

	"weir/trace"
)

// positions puts what a snapshot has received, sent and read into its own
// sentence; the trace has an event for each.
type positions struct {
	run  *Run
	text map[int]string // by the index of SnapshotBegun
}

func newPositions(r *Run) *positions {
	p := &positions{r, map[int]string{}}
	begun := map[int]int{} // by line
	for i := range r.Events {
		e := &r.Events[i]
		switch e.Kind {
		case trace.SnapshotBegun:
			begun[e.Line] = i
		case trace.PositionIn:
			p.text[begun[e.Line]] += fmt.Sprintf(", received %s=%d", e.Channel, e.To)
		case trace.PositionOut:
			p.text[begun[e.Line]] += fmt.Sprintf(", sent %s=%d", e.Channel, e.To)
		case trace.PositionSplit:
			p.text[begun[e.Line]] += fmt.Sprintf(", read %s=%d", e.Split, e.To)
		default:
		}
	}
	return p
}

// isPart tells an event that stands in the sentence of its snapshot.
func (p *positions) isPart(i int) bool {
	k := p.run.Events[i].Kind
	return k == trace.PositionIn || k == trace.PositionOut || k == trace.PositionSplit
}

// of returns what stands behind the sentence of a snapshot.
func (p *positions) of(i int) string {
	if p.run.Events[i].Kind == trace.SnapshotBegun {
		return p.text[i]
	}
	return ""
}
