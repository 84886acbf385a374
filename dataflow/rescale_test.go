package dataflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
)

// becomes makes the task under test instance index of a vertex of the job with another
// parallelism of source, middle and sink, over the same storage.
func (r *rig) becomes(name string, index int, op Operator, parallelism ...int) {
	r.t.Helper()
	g := *r.job.Graph
	g.Vertices, g.Edges = slices.Clone(g.Vertices), slices.Clone(g.Edges)
	for v := range g.Vertices {
		g.Vertices[v].Parallelism = parallelism[v]
		if g.Vertices[v].Role == RoleSource {
			g.Vertices[v].Splits = 4
		}
		if g.Vertices[v].Name == name {
			g.Vertices[v].New = func() Operator { return op }
			if _, ok := op.(*vault); ok { // those that settle are others
				g.Vertices[v].New = func() Operator { return &vault{} }
			}
		}
	}
	infos, err := g.Expand(8)
	if err != nil {
		r.t.Fatal(err)
	}
	r.job.Graph = &g
	at := slices.IndexFunc(infos, func(t TaskInfo) bool { return t.Name == name && t.Index == index })
	r.info = &infos[at]
	r.renew()
}

// former names the snapshot 1.1 of a task.
func former(task id.TaskID, name string, index, of int) Former {
	return Former{Ref: SnapshotKey(task, e1), Task: task, Name: name, Index: index, Parallelism: of}
}

// behind is one that is read for what it had captured.
func behind(f Former) Former {
	f.Receiver = true
	return f
}

func (r *rig) startFrom(splits []int, formers ...Former) {
	r.t.Helper()
	r.step(Event{Kind: EvStart, Attempt: 2, Plan: &TaskPlan{Splits: splits, Former: formers, Stable: e1}})
	r.settle()
	if r.failure == nil && len(r.ready) != 1 {
		r.t.Fatalf("ready was said %d times", len(r.ready))
	}
}

// take stores snapshot 1.1 of the task, with all that is queued.
func (r *rig) take() {
	d := r.p.k.Begin(e1, 0)
	d.Outputs()
	for i := range r.info.Inputs {
		d.Queued(i)
	}
	d.Seal()
	r.settle()
}

// sentRecords returns by receiver what was sent of records.
func (r *rig) sentRecords() (all []string) {
	for out := range r.sent {
		s := ""
		for _, b := range r.sent[out] {
			for rec, rest := NextRecord(b.Data); rec != nil; rec, rest = NextRecord(rest) {
				s += string(rec)
			}
		}
		all = append(all, s)
	}
	return all
}

// owners returns which letters of all go to which of n receivers, in their order.
func owners(all string, n int) []string {
	to := make([]string, n)
	for _, c := range all {
		i := state.InstanceOf(state.GroupOf(state.HashBytes([]byte(string(c))), 8), n, 8)
		to[i] += string(c)
	}
	return to
}

// twoOfEach stores snapshots of two sources, two middles and two sinks, in each of which
// something is under way: captured by the receiver of each channel first, then at its sender.
func twoOfEach(t *testing.T, settings ...func(c *Config)) *rig {
	r := newRig(t, "source", &letters{all: "abcdefgh"}, nil, settings...)
	for i := range 2 {
		r.becomes("source", i, &letters{all: "abcdefgh"[4*i : 4*i+3]}, 2, 2, 2)
		r.step(Event{Kind: EvStart, Attempt: 1, Plan: &TaskPlan{Splits: []int{i, i + 2}}})
		for range 3 {
			r.step(Event{Kind: EvTurn, N: 1, Port: 1})
		}
		r.take()
	}
	for i := range 2 {
		r.becomes("middle", i, &forward{}, 2, 2, 2)
		r.start(1, TaskPlan{})
		for in := range 2 {
			r.step(Event{Kind: EvArrive, Port: in, Buffer: data(1, int64(10+i))})
		}
		r.turns()
		for in := range 2 {
			name := string(rune('A' + 2*i + in))
			r.step(Event{Kind: EvArrive, Port: in, Buffer: data(2, 50, name)}) // its watermark is dropped
		}
		r.take()
	}
	return r
}

// TestSentAgain: what was under way goes out first, by the partitioning of the new shape,
// what receivers had captured before what had not left the senders; then the watermark.
func TestSentAgain(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		r := twoOfEach(t)
		r.becomes("source", 0, &letters{all: "abcdefgh"}, 1, n, 1)
		r.startFrom([]int{0, 1, 2, 3}, former(0, "source", 0, 2), former(1, "source", 1, 2), behind(former(2, "middle", 0, 2)), behind(former(3, "middle", 1, 2)))
		for i := range r.info.Outputs {
			r.step(Event{Kind: EvConnected, Port: i})
			r.step(Event{Kind: EvCredit, Port: i, N: 20})
		}
		r.want(fmt.Sprintf("to %d middles", n), fmt.Sprint(r.sentRecords()), fmt.Sprint(owners("ABCD"+inOrder("abc", 2)+inOrder("efg", 2), n)))
		if at := r.task.Offset(); at != 6 {
			t.Errorf("the splits stand at %d together, want 6", at)
		}
		for out := range r.sent {
			for i, b := range r.sent[out] {
				last := i == len(r.sent[out])-1
				if b.Watermark != NoWatermark || (b.Item == SentAgain) != last || !last && b.Item != Data || i == 0 && b.Seq != 1 {
					t.Errorf("sent is %s", r.wire(out))
				}
			}
		}
	}
}

// inOrder is the order in which the channels of a sender to n receivers were captured.
func inOrder(all string, n int) string { return strings.Join(owners(all, n), "") }

// TestSentAgainToWhoStays: what was on its way along a rebalanced edge goes to the instance that
// it was for, which goes on from its own event time; round robin if the receivers change.
func TestSentAgainToWhoStays(t *testing.T) {
	abc, efg := owners("abc", 2), owners("efg", 2)
	all := "ABCD" + inOrder("abc", 2) + inOrder("efg", 2)
	var dealt [3]string
	for i := range all {
		dealt[i%3] += all[i : i+1]
	}
	for n, want := range [...]string{1: fmt.Sprintf("[%s]", all), 2: fmt.Sprintf("[AB%s%s CD%s%s]", abc[0], efg[0], abc[1], efg[1]), 3: fmt.Sprint(dealt)} {
		if n == 0 {
			continue
		}
		r := twoOfEach(t)
		r.job.Graph.Edges[0].Partitioning, r.job.Graph.Vertices[1].Keyed = Rebalance, false
		r.becomes("source", 0, &letters{all: "abcdefgh"}, 1, n, 1)
		r.startFrom([]int{0, 1, 2, 3}, former(0, "source", 0, 2), former(1, "source", 1, 2), behind(former(2, "middle", 0, 2)), behind(former(3, "middle", 1, 2)))
		for i := range r.info.Outputs {
			r.step(Event{Kind: EvConnected, Port: i})
			r.step(Event{Kind: EvCredit, Port: i, N: 20})
		}
		r.want(fmt.Sprintf("to %d middles", n), fmt.Sprint(r.sentRecords()), want)
	}
}

// TestSentAgainByOne: of several senders each takes the place of those old ones whose
// number is its own modulo theirs.
func TestSentAgainByOne(t *testing.T) {
	r := twoOfEach(t)
	for i, want := range []string{"ACabc", "BDefg", ""} {
		r.becomes("source", i, &letters{all: "abcdefgh"}, 3, 1, 1)
		r.startFrom(nil, former(0, "source", 0, 2), former(1, "source", 1, 2), behind(former(2, "middle", 0, 2)), behind(former(3, "middle", 1, 2)))
		r.connect(0)
		r.step(Event{Kind: EvCredit, N: 20})
		got := []byte(strings.Join(r.sentRecords(), ""))
		slices.Sort(got)
		r.want(fmt.Sprintf("source %d sends", i), string(got), want)
	}
	// One that had left has nothing under way; its receivers may have.
	r.becomes("source", 0, &letters{all: "abcdefgh"}, 1, 1, 1)
	gone := former(0, "source", 0, 2)
	gone.Left = true
	r.startFrom(nil, gone, former(1, "source", 1, 2), behind(former(2, "middle", 0, 2)))
	r.connect(0)
	r.step(Event{Kind: EvCredit, N: 20})
	r.want("beside one that had left", strings.Join(r.sentRecords(), ""), "AB"+inOrder("efg", 2))
}

// TestTakeOver: state by key, lists by mode, the lowest watermark, timers up to it.
func TestTakeOver(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	keys := "abcdefgh"
	for i := range 2 {
		op := &forward{}
		r.becomes("middle", i, op, 1, 2, 1)
		r.start(1, TaskPlan{})
		list := op.ctx.List("notes", state.Split)
		list.Items = append(list.Items, fmt.Append(nil, "note ", i))
		for _, k := range owners(keys, 2)[i] {
			op.ctx.Timer(int64(k-'a')+6, []byte(string(k))) // 6 to 13
		}
		r.step(Event{Kind: EvArrive, Port: 0, Buffer: data(1, int64(7+i*3))})
		r.turns() // they stand at 7 and at 10
		if i == 1 {
			op.then = nil
		}
		r.take()
	}
	for n := range 3 {
		op := &forward{}
		r.becomes("middle", n, op, 1, 3, 1)
		r.startFrom(nil, former(1, "middle", 0, 2), former(2, "middle", 1, 2))
		r.connect(0)
		if op.ctx.Watermark() != 7 {
			t.Errorf("the watermark of instance %d is %d, want 7", n, op.ctx.Watermark())
		}
		if l := op.ctx.List("notes", state.Split); n < 2 && fmt.Sprintf("%s", l.Items) != fmt.Sprintf("[note %d]", n) || n == 2 && len(l.Items) > 0 {
			t.Errorf("instance %d has the notes %s", n, l.Items)
		}
		r.turns()
		r.want("told first", r.wire(0), "1 again | 2 wm 7")
		r.step(Event{Kind: EvArrive, Port: 0, Buffer: data(1, 20)})
		r.turns()
		var want []string
		for _, k := range owners(keys, 3)[n] {
			first := owners(string(k), 2)[0] != ""
			if at := int(k-'a') + 6; first && at > 7 || !first && at > 10 {
				want = append(want, fmt.Sprintf("%d %c", at, k))
			}
		}
		r.want(fmt.Sprintf("timers of instance %d", n), fmt.Sprint(op.due), fmt.Sprint(want))
	}
}

// TestFiringIsTakenOver: timers that an old instance had left at its watermark fire.
func TestFiringIsTakenOver(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil, func(c *Config) { c.TimersPerTurn = 1 })
	op := &forward{}
	r.becomes("middle", 0, op, 1, 1, 1)
	r.start(1, TaskPlan{})
	for i, k := range "abc" {
		op.ctx.Timer(int64(i), []byte(string(k)))
	}
	r.step(Event{Kind: EvArrive, Port: 0, Buffer: data(1, 5)})
	r.step(Event{Kind: EvTurn})
	r.want("fired", fmt.Sprint(op.due), "[0 a]")
	r.take()
	var all []string
	for n := range 2 {
		op := &forward{}
		r.becomes("middle", n, op, 1, 2, 1)
		r.startFrom(nil, former(1, "middle", 0, 1))
		r.connect(0)
		r.turns()
		r.want("behind them", r.wire(0), "1 again | 2 wm 5")
		all = append(all, op.due...)
	}
	slices.Sort(all)
	r.want("fired after that", fmt.Sprint(all), "[1 b 2 c]")
}

// TestFinishedKeysAreKnown: an instance whose Finish had run is told apart by its keys, in
// later snapshots too.
func TestFinishedKeysAreKnown(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	for i := range 2 {
		r.becomes("middle", i, &forward{}, 1, 2, 1)
		r.start(1, TaskPlan{})
		if i == 0 {
			r.item(0, EndData, 1)
			r.turns()
		}
		r.take()
	}
	check := func(op *forward) {
		t.Helper()
		for g := range uint16(8) {
			if op.ctx.Finished(g) != (g < 4) {
				t.Errorf("group %d: finished %v", g, op.ctx.Finished(g))
			}
		}
		if r.task.drained {
			t.Error("it is drained, and its inputs are new")
		}
	}
	op := &forward{}
	r.becomes("middle", 0, op, 1, 1, 1)
	r.startFrom(nil, former(1, "middle", 0, 2), former(2, "middle", 1, 2))
	check(op)
	d := r.p.k.Begin(id.MakeEpoch(2, 1), 0)
	d.Seal()
	r.settle()
	op = &forward{}
	r.becomes("middle", 0, op, 1, 1, 1)
	r.start(3, TaskPlan{Ref: "snap/t1/2.1"})
	check(op)
}

// TestSettled: what old instances of a sink had sealed is committed in the name of their
// tasks, by the one that takes their place, before it is ready.
func TestSettled(t *testing.T) {
	r := newRig(t, "sink", &vault{}, nil)
	for i := range 3 {
		r.becomes("sink", i, &vault{}, 1, 1, 3)
		r.start(1, TaskPlan{})
		r.take()
	}
	formers := []Former{former(2, "sink", 0, 3), former(3, "sink", 1, 3), former(4, "sink", 2, 3)}
	for i, want := range []string{
		"recover t2 but 1.1 keeping [], recover t2 keeping [1.1], recover t4 keeping [1.1], commit 1.1 of t2, commit 1.1 of t4",
		"recover t3 but 1.1 keeping [], recover t3 keeping [1.1], commit 1.1 of t3",
	} {
		r.becomes("sink", i, &vault{}, 1, 1, 2)
		r.step(Event{Kind: EvStart, Attempt: 2, Plan: &TaskPlan{Former: formers, Stable: e1}})
		var got []string
		for len(r.ops)+len(r.moves)+len(r.exts) > 0 {
			for k := range r.ops {
				r.store(k)
			}
			for k := range r.moves {
				r.transfer(k)
			}
			for k := id.Ticket(1); k < 100; k++ {
				op, ok := r.exts[k]
				if !ok {
					continue
				}
				if len(r.ready) > 0 {
					t.Error("ready before all is settled")
				}
				if len(got) == 1 {
					r.external(k, ExtFailed) // it is asked again
					if _, again := r.exts[k]; again {
						t.Fatal("under the same ticket")
					}
					for again, x := range r.exts {
						if x.Kind == op.Kind && x.Task == op.Task && x.Txn == op.Txn {
							k = again
						}
					}
				}
				got = append(got, renderExt(op))
				r.external(k, ExtOK)
			}
		}
		slices.SortStableFunc(got, func(a, b string) int { return strings.Compare(b[:6], a[:6]) })
		r.want("settled", strings.Join(got, ", "), want)
		if len(r.ready) != 1 || r.failure != nil {
			t.Errorf("ready %d times, %v", len(r.ready), r.failure)
		}
		if p := r.task.sink.Pending(nil); len(p) > 0 {
			t.Errorf("pending are %v", p)
		}
	}
}

func renderExt(op ExtOp) string {
	switch {
	case op.Kind == ExtCommit:
		return fmt.Sprintf("commit %s of %s", op.Txn, op.Task)
	case op.Txn != 0:
		return fmt.Sprintf("recover %s but %s keeping %v", op.Task, op.Txn, op.Keep)
	}
	return fmt.Sprintf("recover %s keeping %v", op.Task, op.Keep)
}

// TestFormersRefused: what cannot be made a task of is said, and that trying again is of no use.
func TestFormersRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		splits  []int
		formers []Former
		spoil   func(r *rig)
		want    string
		is      error
	}{
		{"another operator", nil, []Former{former(2, "source", 0, 1)}, nil, "the snapshot belongs to middle[0], the plan takes it for one of source[0]", state.ErrIncompatible},
		{"a split of nobody", []int{0, 9}, []Former{former(0, "source", 0, 2)}, nil, "split 9, whose offset stands in 0 snapshots", state.ErrIncompatible},
		{"a split of two", []int{0}, []Former{former(0, "source", 0, 2), former(0, "source", 0, 2)}, nil, "split 0, whose offset stands in 2 snapshots", state.ErrIncompatible},
		{"an edge that is no more", nil, []Former{former(0, "source", 0, 2)}, func(r *rig) { r.job.Graph.Edges[0].Input = 1 }, "under way from source to middle (output port 0, input port 0), and there is no such edge", state.ErrIncompatible},
		{"a broadcast edge", nil, []Former{former(0, "source", 0, 2), behind(former(2, "middle", 0, 2))}, func(r *rig) { r.job.Graph.Edges[0].Partitioning, r.job.Graph.Vertices[1].Keyed = Broadcast, false }, "under way on the broadcast edge source -> middle", state.ErrIncompatible},
		{"gone", nil, []Former{former(9, "source", 0, 2)}, nil, `get "snap/t9/1.1": not found`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := twoOfEach(t)
			if c.spoil != nil {
				c.spoil(r)
			}
			r.becomes("source", 0, &letters{all: "abcdefgh"}, 1, 1, 1)
			r.startFrom(c.splits, c.formers...)
			r.fails(c.want)
			if c.is != nil && !errors.Is(r.failure, c.is) {
				t.Errorf("%v does not say that restoring again is of no use", r.failure)
			}
		})
	}
}

// TestOrderOfSenders: nothing behind the end of what one sender sends again is taken before
// all of them have sent theirs, whatever the algorithm blocks and whatever is restored.
func TestOrderOfSenders(t *testing.T) {
	r := newRig(t, "middle", &forward{}, nil)
	r.becomes("middle", 0, &forward{}, 1, 1, 1)
	r.start(1, TaskPlan{})
	r.take()
	op := &forward{}
	r.becomes("middle", 0, op, 3, 1, 1)
	r.startFrom(nil, former(1, "middle", 0, 1))
	r.connect(0)
	r.arrive(0, 1, "a")
	r.item(0, SentAgain, 2)
	r.arrive(0, 3, "late")
	r.arrive(1, 1, "b")
	r.item(1, SentAgain, 2)
	r.barrier(1, e1, 3)
	r.turns()
	slices.Sort(op.seen)
	r.want("taken", fmt.Sprint(op.seen), "[a b]")
	r.p.log = nil
	r.p.k.Block(0)
	r.p.k.Unblock(0)
	r.p.k.Block(1)
	r.turns()
	r.want("taken after the algorithm has blocked and let go", fmt.Sprint(op.seen, r.p.log), "[a b] []")

	d := r.p.k.Begin(id.MakeEpoch(2, 1), 0)
	for i := range 3 {
		d.Queued(i)
	}
	d.Seal()
	r.settle()
	for _, restored := range []bool{false, true} {
		if restored {
			op = &forward{}
			r.becomes("middle", 0, op, 3, 1, 1)
			r.start(3, TaskPlan{Ref: "snap/t3/2.1"})
			r.connect(4)
			r.turns()
			r.want("taken after a restore", fmt.Sprint(op.seen), "[]")
		}
		r.arrive(2, 1, "c")
		r.item(2, SentAgain, 2)
		r.arrive(2, 3, "d")
		op.seen = nil
		r.turns()
		r.want("taken when all have theirs", strings.Join(op.seen[:1], " "), "c")
		slices.Sort(op.seen)
		r.want("taken in the end", fmt.Sprint(op.seen), "[c d late]")
		for i := range r.task.inputs {
			if in := &r.task.inputs[i]; in.awaits || in.waits || in.blocked&byOrder != 0 {
				t.Errorf("input %d waits still", i)
			}
		}
		if !restored && slices.Contains(r.p.log, "control 1 1.1") {
			t.Errorf("a blocked input is served: %v", r.p.log)
		}
	}
}
