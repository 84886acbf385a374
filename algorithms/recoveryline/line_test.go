package recoveryline

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// topology makes tasks with the given channels (sender, receiver).
func topology(tasks int, channels [][2]int) []dataflow.TaskInfo {
	infos := make([]dataflow.TaskInfo, tasks)
	for i := range infos {
		infos[i] = dataflow.TaskInfo{ID: id.TaskID(i), Name: fmt.Sprintf("op%d", i)}
	}
	for c, ch := range channels {
		from, to := &infos[ch[0]], &infos[ch[1]]
		from.Outputs = append(from.Outputs, dataflow.Channel{ID: id.ChannelID(c), Peer: to.ID})
		to.Inputs = append(to.Inputs, dataflow.Channel{ID: id.ChannelID(c), Peer: from.ID})
	}
	return infos
}

// world is a computation that sends, receives and snapshots, one event at a time.
type world struct {
	infos    []dataflow.TaskInfo
	channels [][2]int
	sent     []id.Seq // by channel
	received []id.Seq
	hist     []history
}

func newWorld(tasks int, channels [][2]int) *world {
	w := &world{infos: topology(tasks, channels), channels: channels, sent: make([]id.Seq, len(channels)), received: make([]id.Seq, len(channels))}
	for i := range w.infos {
		w.hist = append(w.hist, history{snaps: []coordinator.Part{initial(len(w.infos[i].Inputs), len(w.infos[i].Outputs))}})
	}
	return w
}

// now is where task t stands.
func (w *world) now(t int) coordinator.Part {
	p := initial(0, 0)
	p.Epoch = id.MakeEpoch(1, uint32(len(w.hist[t].snaps)))
	for _, c := range w.infos[t].Inputs {
		p.Delivered = append(p.Delivered, w.received[c.ID])
	}
	for _, c := range w.infos[t].Outputs {
		p.Sealed = append(p.Sealed, w.sent[c.ID])
	}
	return p
}

// run draws a history: events on random tasks and channels.
func (w *world) run(t *rapid.T) {
	for range rapid.IntRange(0, 60).Draw(t, "events") {
		switch k := rapid.IntRange(0, 2*len(w.channels)+len(w.infos)-1).Draw(t, "event"); {
		case k < len(w.channels):
			w.sent[k] += id.Seq(rapid.IntRange(1, 3).Draw(t, "items"))
		case k < 2*len(w.channels):
			c := k - len(w.channels)
			w.received[c] += id.Seq(rapid.Uint64Range(0, uint64(w.sent[c]-w.received[c])).Draw(t, "items"))
		default:
			task := k - 2*len(w.channels)
			w.hist[task].snaps = append(w.hist[task].snaps, w.now(task))
		}
	}
}

// naiveLine is rollback propagation on the rollback-dependency graph as the
// survey tells it, with nothing clever: a node for every point of every task,
// an edge to the next point of the same task, and one from the interval of a
// send to the interval of its receipt; every node reachable from what is lost
// cannot be used, and the line is the newest node left of each task.
//
// lost has, per task, the index of its first point that does not exist any more:
// what happened behind the point before it is undone.
func naiveLine(w *world, points [][]coordinator.Part, lost []int) (line []int) {
	type node struct{ task, point int } // point p stands for the interval that ends with it
	edges := map[node][]node{}
	for t := range points {
		for p := range points[t] {
			edges[node{t, p}] = append(edges[node{t, p}], node{t, p + 1})
		}
	}
	interval := func(t int, position func(p *coordinator.Part) id.Seq, item id.Seq) int {
		for p := range points[t] {
			if position(&points[t][p]) >= item {
				return p
			}
		}
		return len(points[t]) // after the last point: nobody has recorded it
	}
	for t := range w.infos {
		for i, in := range w.infos[t].Inputs {
			from := int(in.Peer)
			o := slices.IndexFunc(w.infos[from].Outputs, func(c dataflow.Channel) bool { return c.ID == in.ID })
			for item := id.Seq(1); item <= w.received[in.ID]; item++ {
				s := interval(from, func(p *coordinator.Part) id.Seq { return p.Sealed[o] }, item)
				r := interval(t, func(p *coordinator.Part) id.Seq { return p.Delivered[i] }, item)
				edges[node{from, s}] = append(edges[node{from, s}], node{t, r})
			}
		}
	}
	undone := map[node]bool{}
	var work []node
	for t, p := range lost {
		work = append(work, node{t, p})
	}
	for len(work) > 0 {
		n := work[len(work)-1]
		work = work[:len(work)-1]
		if undone[n] {
			continue
		}
		undone[n] = true
		work = append(work, edges[n]...)
	}
	for t := range points {
		p := len(points[t]) - 1
		for p >= 0 && undone[node{t, p}] {
			p--
		}
		line = append(line, p)
	}
	return line
}

func drawWorld(t *rapid.T) *world {
	tasks := rapid.IntRange(1, 4).Draw(t, "tasks")
	var channels [][2]int
	for range rapid.IntRange(0, 6).Draw(t, "channels") { // cycles and parallel channels too
		channels = append(channels, [2]int{rapid.IntRange(0, tasks-1).Draw(t, "from"), rapid.IntRange(0, tasks-1).Draw(t, "to")})
	}
	w := newWorld(tasks, channels)
	w.run(t)
	return w
}

// TestRecoveryLineAgainstNaive: with random histories and random failures, the
// line is that of the explicit graph.
func TestRecoveryLineAgainstNaive(t *testing.T) {
	back := 0
	// A short run (-short) draws few worlds: on, until one of them shows something.
	for n := 0; back == 0 && n < 20; n++ {
		rapid.Check(t, func(t *rapid.T) { back += compareLines(t) })
	}
	if back == 0 {
		t.Error("no history made a task go back: the test shows nothing")
	}
}

// compareLines draws a world and compares its line with the explicit graph's; it
// returns how many points were given up.
func compareLines(t *rapid.T) (given int) {
	w := drawWorld(t)
	points, lost := make([][]coordinator.Part, len(w.hist)), make([]int, len(w.hist))
	l := make(line, len(w.hist))
	for i := range w.hist {
		points[i] = slices.Clone(w.hist[i].snaps)
		l[i] = len(points[i]) - 1
		lost[i] = len(points[i])
		if rapid.Bool().Draw(t, "survives") { // its live end is a point
			live := w.now(i)
			w.hist[i].live = &live
			points[i] = append(points[i], live)
			l[i]++
			lost[i]++ // nothing behind its live end was recorded by anybody
		}
	}
	top := slices.Clone(l)
	want := naiveLine(w, points, lost)
	useless, err := newGraph(w.infos).recoveryLine(w.hist, l)
	if err != nil {
		t.Fatal(err)
	}
	for i := range l {
		if l[i] != want[i] {
			t.Fatalf("the line is %v, by the explicit graph %v", l, want)
		}
		given += top[i] - l[i]
	}
	if useless != given {
		t.Fatalf("%d points are said to be given up, %d are", useless, given)
	}
	// The graph says that it is the newest; that it is consistent is plain to see.
	checkConsistent(t, w, l)
	return given
}

func checkConsistent(t *rapid.T, w *world, l line) {
	for r := range w.infos {
		for i, in := range w.infos[r].Inputs {
			s := int(in.Peer)
			o := slices.IndexFunc(w.infos[s].Outputs, func(c dataflow.Channel) bool { return c.ID == in.ID })
			if got, sent := point(&w.hist[r], l[r]).Delivered[i], point(&w.hist[s], l[s]).Sealed[o]; got > sent {
				t.Fatalf("on the line %v task %d has received %d of channel %s, task %d has sent %d", l, r, got, in.ID, s, sent)
			}
		}
	}
}

// TestDomino: a cycle in which every snapshot is an orphan of the other falls
// back to the start.
func TestDomino(t *testing.T) {
	w := newWorld(2, [][2]int{{0, 1}, {1, 0}})
	const rounds = 5
	for range rounds {
		for _, c := range []int{0, 1} { // each receives, snapshots, then sends what the other snapshots
			w.sent[c]++
			w.received[c]++
			w.hist[w.channels[c][1]].snaps = append(w.hist[w.channels[c][1]].snaps, w.now(w.channels[c][1]))
		}
	}
	live := w.now(0)
	w.hist[0].live = &live
	l := line{rounds + 1, rounds}
	useless, err := newGraph(w.infos).recoveryLine(w.hist, l)
	if err != nil || l[0] > 1 || l[1] > 1 {
		t.Errorf("the line is %v (%v); the domino effect goes to the start", l, err)
	}
	if useless == 0 {
		t.Error("nothing was given up")
	}
}

// TestNoRecoveryLine: an orphan of what cannot go back any further is an error, not a loop.
func TestNoRecoveryLine(t *testing.T) {
	w := newWorld(2, [][2]int{{0, 1}})
	w.hist[1].snaps[0].Delivered[0] = 1
	if _, err := newGraph(w.infos).recoveryLine(w.hist, line{0, 0}); err == nil {
		t.Error("a line without its sender's message is accepted")
	}
}

func TestLineageAgainstNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// The naive lineage is the list of what happened and was not undone.
		var alive []id.Epoch
		var all []id.Epoch
		attempt := id.Attempt(1)
		l := lineage(nil).cut(0, attempt)
		k := uint32(0)
		for range rapid.IntRange(0, 30).Draw(t, "events") {
			if rapid.IntRange(0, 3).Draw(t, "event") > 0 {
				k++
				alive, all = append(alive, id.MakeEpoch(attempt, k)), append(all, id.MakeEpoch(attempt, k))
				continue
			}
			to := rapid.IntRange(0, len(alive)).Draw(t, "to")
			alive = alive[:to]
			e := id.Epoch(0)
			if to > 0 {
				e = alive[to-1]
			}
			attempt += id.Attempt(rapid.IntRange(1, 3).Draw(t, "attempts")) // plans of others take numbers too
			k = 0
			l = l.cut(e, attempt)
		}
		for _, e := range all {
			if got, want := l.admits(e), slices.Contains(alive, e); got != want {
				t.Fatalf("%s counts: %v, want %v; the lineage is %v", e, got, want, l)
			}
		}
		if l.admits(id.MakeEpoch(attempt+1, 1)) || !l.admits(id.MakeEpoch(attempt, k+1)) {
			t.Fatal("the newest attempt's next snapshot counts, that of a later attempt does not")
		}
		ls, err := decodeLineages(encodeLineages([]lineage{nil, l}))
		if err != nil || len(ls) != 2 || len(ls[0]) != 0 || !slices.Equal(ls[1], l) {
			t.Fatalf("%v comes back as %v, %v", l, ls, err)
		}
	})
}

func FuzzLineages(f *testing.F) {
	f.Add(encodeLineages([]lineage{lineage(nil).cut(0, 1), lineage(nil).cut(0, 1).cut(id.MakeEpoch(1, 2), 3)}))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, src []byte) {
		if ls, err := decodeLineages(src); err == nil && len(ls) > len(src) {
			t.Errorf("%d lineages in %d bytes", len(ls), len(src))
		}
	})
}
