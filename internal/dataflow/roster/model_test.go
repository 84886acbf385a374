package roster

import (
	"cmp"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"weir/dataflow"
	"weir/id"
)

// world drives one roster and its twin through the same happenings, as a careless
// driver would: late, twice, and in the name of what is gone.
type world struct {
	twin
	t       *rapid.T
	r       *Roster
	begun   []Effect           // Connect, in order
	view    map[int]bool       // by channel: the sender has been told that it is connected
	joined  map[int][2]Ref     // ends of the connection that is up
	used    map[int]Connection // by channel: highest number of a connection
	numbers id.Attempt
}

func TestModel(t *testing.T) {
	r := &Roster{} // one for all runs: Reset must forget everything
	run := func(t *rapid.T) {
		w := newWorld(t, r)
		t.Repeat(map[string]func(*rapid.T){
			"execute":   func(*rapid.T) { w.execute(w.draw()) },
			"start":     func(*rapid.T) { w.started(w.ref()) },
			"start all": func(*rapid.T) { w.each(w.started) },
			"ready":     func(*rapid.T) { w.ready(w.ref(), w.attempt()) },
			"ready some": func(t *rapid.T) {
				w.each(func(x Ref) {
					if rapid.Bool().Draw(t, "ready") {
						w.ready(x, w.r.Plan())
					}
				})
			},
			"ready all": func(*rapid.T) { w.each(func(x Ref) { w.ready(x, w.r.Plan()) }) },
			"connect":   func(*rapid.T) { w.connect() },
			"die":       func(*rapid.T) { w.died(w.ref()) },
			"kill": func(*rapid.T) {
				x := w.ref()
				w.died(x)
				w.noticed([]Ref{x})
			},
			"notice": func(t *rapid.T) {
				var refs []Ref
				for range rapid.IntRange(1, 3).Draw(t, "refs") {
					refs = append(refs, w.ref())
				}
				w.noticed(refs)
			},
			"lose":        func(*rapid.T) { w.lose() },
			"coordinator": func(*rapid.T) { w.r.CoordinatorLost(); w.add(happening{kind: "coordinator"}) },
			"":            func(*rapid.T) { w.check() },
		})
		w.quiet()
	}
	for range 10 { // a run is short, and some mistakes need a rare order
		rapid.Check(t, run)
	}
}

func newWorld(t *rapid.T, r *Roster) *world {
	w := &world{t: t, r: r, view: map[int]bool{}, joined: map[int][2]Ref{}, used: map[int]Connection{}, numbers: 2}
	n := rapid.IntRange(1, 4).Draw(t, "tasks")
	w.tasks = make([]dataflow.TaskInfo, n)
	for i := range w.tasks {
		w.tasks[i].ID = id.TaskID(i)
	}
	for k := range id.ChannelID(rapid.IntRange(0, 5).Draw(t, "channels")) {
		from, to := rapid.IntRange(0, n-1).Draw(t, "from"), rapid.IntRange(0, n-1).Draw(t, "to")
		w.tasks[from].Outputs = append(w.tasks[from].Outputs, dataflow.Channel{ID: k, Peer: id.TaskID(to)})
		w.tasks[to].Inputs = append(w.tasks[to].Inputs, dataflow.Channel{ID: k, Peer: id.TaskID(from)})
		w.ends = append(w.ends, [2]id.TaskID{id.TaskID(from), id.TaskID(to)})
	}
	r.Reset(w.tasks)
	return w
}

// ref draws an incarnation, most often one that exists.
func (w *world) ref() Ref {
	t := id.TaskID(rapid.IntRange(0, len(w.tasks)-1).Draw(w.t, "task"))
	return Ref{t, w.r.Incarnation(t) + Incarnation(rapid.SampledFrom([]int{0, 0, 0, 0, 0, 1, -1}).Draw(w.t, "other"))}
}

func (w *world) attempt() id.Attempt {
	return w.r.Plan() - id.Attempt(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(w.t, "older"))
}

func (w *world) each(f func(Ref)) {
	for i := range w.tasks {
		f(Ref{id.TaskID(i), w.r.Incarnation(id.TaskID(i))})
	}
}

// draw draws a plan: parts of it keep, and sometimes it is old.
func (w *world) draw() *dataflow.Plan {
	w.numbers++
	p := &dataflow.Plan{Number: w.numbers - id.Attempt(rapid.SampledFrom([]int{0, 0, 0, 0, 1, 2}).Draw(w.t, "old"))}
	for range w.tasks {
		p.Tasks = append(p.Tasks, dataflow.TaskPlan{Mode: rapid.SampledFrom([]dataflow.Mode{dataflow.Restart, dataflow.Keep}).Draw(w.t, "mode")})
	}
	return p
}

func (w *world) execute(p *dataflow.Plan) {
	i := w.add(happening{kind: "execute", plan: p})
	got, ok := w.r.Execute(nil, p)
	if ok != w.counted(i) {
		w.t.Fatalf("plan %d after %d: executed %v", p.Number, w.number(i), ok)
	}
	if !ok {
		w.same(got, nil)
		return
	}
	var want, end []Effect
	var gone, missed []id.TaskID
	for j := range p.Tasks {
		t, part := id.TaskID(j), &p.Tasks[j]
		n, _ := w.born(t, i)
		ph := w.phase(t, i)
		switch {
		case part.Mode == dataflow.Restart:
			if ph != Absent {
				want = append(want, Effect{Kind: Discard, Task: t, Incarnation: n})
				if ph != Isolated {
					gone = append(gone, t)
				}
			}
			end = append(end, Effect{Kind: Start, Task: t, Incarnation: n + 1, Attempt: p.Number, Part: part})
		case ph == Alive:
			end = append(end, Effect{Kind: Keep, Task: t, Incarnation: n, Attempt: p.Number, Part: part})
		case ph == Absent || ph == Isolated:
			missed = append(missed, t)
		}
	}
	if len(missed) > 0 {
		end = append(end, Effect{Kind: TellFailed, Tasks: missed})
	}
	// One that is isolated already and restarted is no survivor either.
	cuts := slices.DeleteFunc(w.cuts(gone, i), func(e Effect) bool { return p.Tasks[e.Task].Mode == dataflow.Restart })
	w.same(got, append(append(want, cuts...), end...))
}

func (w *world) started(x Ref) {
	n, _ := w.born(x.Task, len(w.past))
	want := n == x.Incarnation && w.phase(x.Task, len(w.past)) == Starting
	if got := w.r.Started(x.Task, x.Incarnation); got != want {
		w.t.Fatalf("started %v: %v", x, got)
	}
	if want {
		w.add(happening{kind: "started", ref: x})
	}
}

func (w *world) ready(x Ref, a id.Attempt) {
	ins := w.tasks[x.Task].Inputs
	delivered := make([]id.Seq, len(ins))
	for n := range delivered {
		delivered[n] = id.Seq(len(w.past)*10 + n)
	}
	i := w.add(happening{kind: "ready", ref: x, attempt: a, delivered: delivered})
	var want []Effect
	if w.accepts(i) {
		for _, c := range append(slices.Clone(ins), w.tasks[x.Task].Outputs...) {
			begins := w.state(c.ID, i) == down && w.state(c.ID, i+1) == connecting
			if begins && !slices.ContainsFunc(want, func(e Effect) bool { return e.Channel == c.ID }) {
				want = append(want, Effect{Kind: Connect, Channel: c.ID, Connection: w.r.Connection(c.ID) + 1})
			}
		}
		want = append(want, Effect{Kind: TellReady, Task: x.Task, Incarnation: x.Incarnation, Attempt: a})
	}
	w.same(w.r.Ready(nil, x.Task, x.Incarnation, a, delivered), want)
}

// connect answers one of the connections begun, perhaps one that is none any more.
func (w *world) connect() {
	if len(w.begun) == 0 {
		w.t.Skip("none is begun")
	}
	e := w.begun[rapid.IntRange(max(0, len(w.begun)-6), len(w.begun)-1).Draw(w.t, "connection")]
	w.connected(e)
}

func (w *world) connected(e Effect) {
	k := e.Channel
	from, to := w.ends[k][0], w.ends[k][1]
	i := w.add(happening{kind: "connected", channel: k, counts: w.r.Connection(k) == e.Connection})
	want := w.past[i].counts
	seen, ok := w.r.Connected(k, e.Connection)
	if ok != want {
		w.t.Fatalf("connection %d of %s stands: %v", e.Connection, k, ok)
	}
	if !ok {
		return
	}
	_, in := w.r.Receiver(k)
	if s := w.past[w.twin.ready(to, i)].delivered[in]; seen != s {
		w.t.Fatalf("%s: connected at %d; its receiver reported %d", k, seen, s)
	}
	if w.view[int(k)] {
		w.t.Fatalf("%s: a second connection", k)
	}
	w.view[int(k)] = true
	w.joined[int(k)] = [2]Ref{{from, w.r.Incarnation(from)}, {to, w.r.Incarnation(to)}}
}

func (w *world) died(x Ref) {
	i := len(w.past)
	n, _ := w.born(x.Task, i)
	ph := w.phase(x.Task, i)
	want := n == x.Incarnation && (ph == Starting || ph == Alive)
	if got := w.r.Died(x.Task, x.Incarnation); got != want {
		w.t.Fatalf("died %v: %v", x, got)
	}
	w.add(happening{kind: "died", ref: x})
}

func (w *world) noticed(refs []Ref) {
	i := w.add(happening{kind: "noticed", refs: refs})
	var gone []id.TaskID
	for _, x := range refs {
		n, _ := w.born(x.Task, i)
		if n == x.Incarnation && w.phase(x.Task, i) == Dead && !slices.Contains(gone, x.Task) {
			gone = append(gone, x.Task)
		}
	}
	cause := fmt.Errorf("cause %d", i)
	want := w.cuts(gone, i)
	if len(gone) > 0 {
		want = append(want, Effect{Kind: TellFailed, Tasks: gone, Cause: cause})
	}
	w.same(w.r.Noticed(nil, cause, refs...), want)
}

// lose breaks a connection, perhaps one that is none any more.
func (w *world) lose() {
	if len(w.ends) == 0 {
		w.t.Skip("no channel")
	}
	k := id.ChannelID(rapid.IntRange(0, len(w.ends)-1).Draw(w.t, "channel"))
	n := w.r.Connection(k) - Connection(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(w.t, "older"))
	i := w.add(happening{kind: "lost", channel: k, counts: n == w.r.Connection(k)})
	cause := fmt.Errorf("cause %d", i)
	var want []Effect
	if w.past[i].counts {
		to := w.ends[k][1]
		inc, _ := w.born(to, i)
		want = append(want, Effect{Kind: Discard, Task: to, Incarnation: inc})
		want = append(want, w.cuts([]id.TaskID{to}, i)...)
		want = append(want, Effect{Kind: TellFailed, Tasks: []id.TaskID{to}, Cause: cause})
	}
	w.same(w.r.Lost(nil, k, n, cause), want)
}

// same compares effects; the order of cuts among each other is free. Then it lets
// the tasks see them.
func (w *world) same(got, want []Effect) {
	show := func(es []Effect) (out []string) {
		es = slices.Clone(es)
		cut := func(e Effect) bool { return e.Kind == CutOutput || e.Kind == CutInput }
		if i := slices.IndexFunc(es, cut); i >= 0 {
			n := i
			for n < len(es) && cut(es[n]) {
				n++
			}
			slices.SortFunc(es[i:n], func(a, b Effect) int {
				return cmp.Or(cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Kind, b.Kind))
			})
		}
		for _, e := range es {
			out = append(out, fmt.Sprintf("%+v", e))
		}
		return out
	}
	if g, s := show(got), show(want); !slices.Equal(g, s) {
		w.t.Fatalf("effects:\n%q\nwant:\n%q\nafter %+v", g, s, w.past)
	}
	for _, e := range got {
		w.see(e)
	}
}

func (w *world) see(e Effect) {
	switch e.Kind {
	case Connect:
		if e.Connection <= w.used[int(e.Channel)] {
			w.t.Fatalf("%s: number %d again", e.Channel, e.Connection)
		}
		w.used[int(e.Channel)] = e.Connection
		w.begun = append(w.begun, e)
	case CutOutput, CutInput:
		w.view[int(e.Channel)] = false
	case Discard:
		w.forget(e.Task)
	case TellFailed:
		for _, t := range e.Tasks {
			w.forget(t)
		}
	default: // changes no connection
	}
}

func (w *world) forget(t id.TaskID) {
	for k, e := range w.ends {
		if slices.Contains(e[:], t) {
			w.view[k] = false
		}
	}
}

// check holds the answers of the roster against the twin, and what must always be so.
func (w *world) check() {
	i := len(w.past)
	c, _ := w.term(i)
	if w.r.Plan() != w.number(i) || w.r.Term() != c {
		w.t.Fatalf("plan %d, term %d; want %d, %d", w.r.Plan(), w.r.Term(), w.number(i), c)
	}
	for j := range w.tasks {
		w.checkTask(id.TaskID(j), i, c)
	}
	for k := range w.ends {
		w.checkChannel(id.ChannelID(k), i)
	}
}

func (w *world) checkTask(t id.TaskID, i int, c Term) {
	n, at := w.born(t, i)
	ph := w.phase(t, i)
	if w.r.Incarnation(t) != n || w.r.Phase(t) != ph || at >= 0 && w.r.Attempt(t) != w.past[at].plan.Number {
		w.t.Fatalf("%s: incarnation %d, phase %d, attempt %d; want %d, %d", t, w.r.Incarnation(t), w.r.Phase(t), w.r.Attempt(t), n, ph)
	}
	current := 0
	for x := Incarnation(1); x <= n+1; x++ {
		if w.r.Current(t, x) {
			current++
		}
		if got := w.r.Current(t, x); got != (x == n && ph == Alive) {
			w.t.Fatalf("%s: incarnation %d of %d in phase %d is current: %v", t, x, n, ph, got)
		}
		for y := Term(0); y <= c+1; y++ {
			if got := w.r.Hears(t, x, y); got != w.hears(t, x, y, i) {
				w.t.Fatalf("%s: term %d hears what incarnation %d of %d in phase %d said to term %d: %v", t, c, x, n, ph, y, got)
			}
		}
	}
	if current > 1 {
		w.t.Fatalf("%s: %d incarnations are current", t, current)
	}
}

func (w *world) checkChannel(k id.ChannelID, i int) {
	if got := w.r.channels[k].state; got != w.state(k, i) {
		w.t.Fatalf("%s: state %d, want %d, after %+v", k, got, w.state(k, i), w.past)
	}
	if w.r.Up(k) != w.view[int(k)] {
		w.t.Fatalf("%s: up %v, but its sender was told %v", k, w.r.Up(k), w.view[int(k)])
	}
	// What is still on its way over a connection that is gone has another number.
	if n, used := w.r.Connection(k), w.used[int(k)]; (n == used) != (w.state(k, i) != down) && used > 0 || n < used {
		w.t.Fatalf("%s in state %d: number %d; that of the newest connection is %d", k, w.state(k, i), n, used)
	}
	if !w.r.Up(k) {
		return
	}
	for _, x := range w.joined[int(k)] {
		if w.r.Incarnation(x.Task) != x.Incarnation || w.r.Phase(x.Task) < Alive || w.r.Phase(x.Task) == Isolated {
			w.t.Fatalf("%s: joins %v, which is incarnation %d in phase %d", k, x, w.r.Incarnation(x.Task), w.r.Phase(x.Task))
		}
	}
}

// quiet lets everything come to rest: all is noticed, a plan restarts what is dead and
// keeps the rest, and everybody does what it says. All channels are connected then, and
// one that was up between kept tasks is still the same connection.
func (w *world) quiet() {
	w.each(func(x Ref) { w.noticed([]Ref{x}) })
	w.numbers++
	p := &dataflow.Plan{Number: w.numbers, Tasks: make([]dataflow.TaskPlan, len(w.tasks))}
	before := map[int]Connection{}
	for i := range w.tasks {
		if ph := w.r.Phase(id.TaskID(i)); ph == Alive || ph == Starting {
			p.Tasks[i].Mode = dataflow.Keep
		}
	}
	for k, e := range w.ends {
		if w.r.Up(id.ChannelID(k)) && p.Tasks[e[0]].Mode == dataflow.Keep && p.Tasks[e[1]].Mode == dataflow.Keep {
			before[k] = w.r.Connection(id.ChannelID(k))
		}
	}
	w.execute(p)
	w.each(w.started)
	w.each(func(x Ref) { w.ready(x, p.Number) })
	for _, e := range w.begun {
		w.connected(e)
	}
	w.check()
	for k, e := range w.ends {
		n := w.r.Connection(id.ChannelID(k))
		if !w.r.Up(id.ChannelID(k)) {
			w.t.Fatalf("c%d between t%d and t%d is not connected when all is quiet", k, e[0], e[1])
		}
		if was, kept := before[k]; kept && was != n {
			w.t.Fatalf("c%d between two kept tasks: connection %d became %d", k, was, n)
		}
	}
}
