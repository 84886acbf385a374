package laiyang

import (
	"slices"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// received is what a task had of one input at its instant: all up to a position, and spans beyond it.
type received struct {
	upTo   id.Seq
	beyond []dataflow.Span
}

// has reports whether a message was received.
func (r received) has(b *dataflow.Buffer) bool {
	return b.Last() <= r.upTo || slices.ContainsFunc(r.beyond, func(s dataflow.Span) bool { return s.From < b.Seq && b.Last() <= s.To })
}

// append adds r to positions: the prefix, the number of spans, and where each begins and ends.
func (r received) append(positions []id.Seq) []id.Seq {
	positions = append(positions, r.upTo, id.Seq(len(r.beyond)))
	for _, s := range r.beyond {
		positions = append(positions, s.From, s.To)
	}
	return positions
}

// decode takes the first one off positions.
func decode(positions []id.Seq) (r received, rest []id.Seq) {
	r.upTo, rest = positions[0], positions[2:]
	for range positions[1] {
		r.beyond, rest = append(r.beyond, dataflow.Span{From: rest[0], To: rest[1]}), rest[2:]
	}
	return r, rest
}

// standing is what a task has received at the instant of d, of all inputs.
func standing(t *dataflow.TaskInfo, d *dataflow.Draft) (h dataflow.Header) {
	for in := range t.Inputs {
		var r received
		r.upTo, r.beyond = d.Received(in)
		h.Delivered = r.append(h.Delivered)
	}
	return h
}

// toSenders turns what tasks have received of their inputs into what, of its outputs, the receivers of
// each have.
func toSenders(tasks []dataflow.TaskInfo, at []*coordinator.Part) [][]id.Seq {
	had := map[id.ChannelID]received{}
	for t := range tasks {
		positions := at[t].Delivered
		for i, in := range tasks[t].Inputs {
			if at[t].Ref != "" { // it has left, and had everything
				had[in.ID] = received{upTo: positions[i]}
			} else {
				had[in.ID], positions = decode(positions)
			}
		}
	}
	to := make([][]id.Seq, len(tasks))
	for t := range tasks {
		for _, out := range tasks[t].Outputs {
			to[t] = had[out.ID].append(to[t])
		}
	}
	return to
}
