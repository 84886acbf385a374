package roster

import (
	"slices"

	"weir/dataflow"
	"weir/id"
)

// The naive twin keeps nothing but what has happened, and whether it meant anything
// then, and answers every question by going through all of it again.

type happening struct {
	kind      string // execute, started, ready, connected, died, noticed, lost, coordinator
	plan      *dataflow.Plan
	ref       Ref // started, ready, died
	refs      []Ref
	attempt   id.Attempt
	delivered []id.Seq
	channel   id.ChannelID
	counts    bool // meant something. Of connected and lost, the number is the machine's.
}

type twin struct {
	tasks []dataflow.TaskInfo
	ends  [][2]id.TaskID // sender and receiver by channel
	past  []happening
}

// add makes h part of the past and returns the index it has there.
func (w *twin) add(h happening) int {
	i := len(w.past)
	switch h.kind {
	case "execute":
		h.counts = true
		for _, x := range w.past {
			if x.kind == "execute" && x.plan.Number >= h.plan.Number {
				h.counts = false
			}
		}
	case "ready":
		n, _ := w.born(h.ref.Task, i)
		h.counts = h.ref.Incarnation == n && h.attempt == w.number(i) && w.phase(h.ref.Task, i) == Alive
	case "connected":
		h.counts = h.counts && w.state(h.channel, i) == connecting && w.phase(w.ends[h.channel][0], i) == Alive
	case "lost":
		h.counts = h.counts && w.state(h.channel, i) == up
	}
	w.past = append(w.past, h)
	return i
}

// counted reports whether the happening at i was a plan newer than all before it.
func (w *twin) counted(i int) bool { return w.past[i].kind == "execute" && w.past[i].counts }

// lastPlan is the index of the newest plan before i, -1: none.
func (w *twin) lastPlan(i int) int {
	for i--; i >= 0 && !w.counted(i); i-- {
	}
	return i
}

func (w *twin) number(i int) id.Attempt {
	if p := w.lastPlan(i); p >= 0 {
		return w.past[p].plan.Number
	}
	return 0
}

// born gives the number of incarnations of t before i, and when the last one began.
func (w *twin) born(t id.TaskID, i int) (n Incarnation, at int) {
	at = -1
	for j := range i {
		if w.counted(j) && w.past[j].plan.Tasks[t].Mode == dataflow.Restart {
			n, at = n+1, j
		}
	}
	return n, at
}

// death gives when the incarnation that t has before i died and when that was
// noticed, -1: not.
func (w *twin) death(t id.TaskID, i int) (died, noticed int) {
	n, at := w.born(t, i)
	died, noticed = -1, -1
	for j := at + 1; j < i && n > 0; j++ {
		h := &w.past[j]
		lost := h.kind == "lost" && h.counts && w.ends[h.channel][1] == t
		if died < 0 && (lost || h.kind == "died" && h.ref == Ref{t, n}) {
			died = j
		}
		if died >= 0 && noticed < 0 && (lost || h.kind == "noticed" && slices.Contains(h.refs, Ref{t, n})) {
			noticed = j
		}
	}
	return died, noticed
}

func (w *twin) phase(t id.TaskID, i int) Phase {
	n, at := w.born(t, i)
	died, noticed := w.death(t, i)
	switch {
	case n == 0:
		return Absent
	case noticed >= 0:
		return Isolated
	case died >= 0:
		return Dead
	case slices.ContainsFunc(w.past[at:i], func(h happening) bool { return h.kind == "started" && h.ref == Ref{t, n} }):
		return Alive
	default:
		return Starting
	}
}

// accepts reports whether the happening at j was a Ready that meant something.
func (w *twin) accepts(j int) bool { return w.past[j].kind == "ready" && w.past[j].counts }

// ready is the index of the newest Ready of t before i that meant anything, -1 if
// there is none for the newest plan or its death is known.
func (w *twin) ready(t id.TaskID, i int) int {
	if w.phase(t, i) == Isolated {
		return -1
	}
	for j := i - 1; j > w.lastPlan(i); j-- {
		if w.accepts(j) && w.past[j].ref.Task == t {
			return j
		}
	}
	return -1
}

// breaks reports whether the connection of k, in state s before j, ends at j.
func (w *twin) breaks(k id.ChannelID, s connectionState, j int) bool {
	for _, t := range w.ends[k] {
		if w.counted(j) && w.past[j].plan.Tasks[t].Mode == dataflow.Restart {
			return true
		}
		if _, noticed := w.death(t, j+1); noticed == j {
			return true
		}
	}
	return w.counted(j) && s == connecting
}

// state of channel k before i.
func (w *twin) state(k id.ChannelID, i int) connectionState {
	s := down
	for j := range i {
		h := &w.past[j]
		switch {
		case s != down && w.breaks(k, s, j):
			s = down
		case w.accepts(j) && s == down && w.ready(w.ends[k][0], j+1) >= 0 && w.ready(w.ends[k][1], j+1) >= 0 && slices.Contains(w.ends[k][:], h.ref.Task):
			s = connecting
		case h.kind == "connected" && h.channel == k && h.counts:
			s = up
		}
	}
	return s
}

func (w *twin) term(i int) (c Term, since int) {
	c, since = 1, -1
	for j := range i {
		if w.past[j].kind == "coordinator" {
			c, since = c+1, j
		}
	}
	return c, since
}

func (w *twin) hears(t id.TaskID, n Incarnation, c Term, i int) bool {
	now, since := w.term(i)
	newest, _ := w.born(t, i)
	_, noticed := w.death(t, i)
	return c == now && w.lastPlan(i) > since && n == newest && noticed < 0
}

// cuts are the effects that cut the tasks that are alive before i, and not to be
// restarted at i, off from those in gone.
func (w *twin) cuts(gone []id.TaskID, i int) (out []Effect) {
	lives := func(t id.TaskID) bool {
		return w.phase(t, i) == Alive && !slices.Contains(gone, t)
	}
	for k, e := range w.ends {
		from, to := e[0], e[1]
		if slices.Contains(gone, to) && lives(from) {
			out = append(out, w.cut(CutOutput, from, id.ChannelID(k), w.tasks[from].Outputs, i))
		}
		if slices.Contains(gone, from) && lives(to) {
			out = append(out, w.cut(CutInput, to, id.ChannelID(k), w.tasks[to].Inputs, i))
		}
	}
	return out
}

func (w *twin) cut(kind EffectKind, t id.TaskID, k id.ChannelID, ports []dataflow.Channel, i int) Effect {
	n, _ := w.born(t, i)
	port := slices.IndexFunc(ports, func(c dataflow.Channel) bool { return c.ID == k })
	return Effect{Kind: kind, Task: t, Incarnation: n, Channel: k, Port: port}
}
