package dataflow

import (
	"fmt"
	"strings"
	"testing"

	"weir/id"
	"weir/state"
)

// keeper is a forward that opens state.
type keeper struct {
	forward
	open func(c *Context) error
}

func (k *keeper) Open(c *Context) error {
	k.ctx = c
	return k.open(c)
}

// TestBroadcastState: a map in order of its keys, which a snapshot has, and which
// only what every instance gets may change.
func TestBroadcastState(t *testing.T) {
	var rules *BroadcastState[string, int64]
	op := &keeper{open: func(c *Context) (err error) {
		rules, err = OpenBroadcast(c, "rules", state.String, state.Int64)
		return err
	}}
	n := int64(0)
	op.each = func(rec string) {
		if gone, ok := strings.CutPrefix(rec, "-"); ok {
			rules.Delete(gone)
			return
		}
		n++
		rules.Put(rec, n)
	}
	all := func() (s string) {
		rules.Each(func(k string, v int64) bool { s += fmt.Sprint(k, v, " "); return true })
		return s
	}
	r := newRig(t, "middle", op, nil)
	begin := func(ref Ref) {
		r.start(1, TaskPlan{Ref: ref})
		r.task.inputs[1].Partitioning = Broadcast
		r.connect(0)
	}
	begin("")
	r.arrive(1, 1, "b", "a", "c", "a", "-c", "none")
	r.turns()
	v, ok := rules.Get("a")
	_, there := rules.Get("c")
	r.want("the state", fmt.Sprint(all(), rules.Len(), v, ok, there), "a4 b1 none5 3 4 true false")
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
	r.renew()
	begin("snap/t2/1.1")
	r.want("restored", all(), "a4 b1 none5 ")
	for _, change := range []func(){
		func() { r.arrive(0, 1, "keyed"); r.turns() },
		func() { r.arrive(0, 1, "-a"); r.turns() },
		func() { rules.Put("outside", 1) },
	} {
		r.renew()
		begin("snap/t2/1.1")
		change()
		r.fails(`changes the broadcast state "rules" while no buffer of a Broadcast input is processed`)
		r.want("what was to be changed", all(), "a4 b1 none5 ")
	}
}

// TestExpiryByTimers: event time is that of the timer that fires, however far the
// watermark has jumped, also after a restore between two of them.
func TestExpiryByTimers(t *testing.T) {
	var log []string
	var seen *state.Value[string]
	op := &keeper{open: func(c *Context) (err error) {
		seen, err = state.OpenValue(c.Store(), "seen", state.String, state.TTL{Clock: state.EventTime, Duration: 10})
		return err
	}}
	op.then = func(at int64, key string) {
		k := op.ctx.Key([]byte("one"))
		v, ok := seen.Get(k)
		log = append(log, fmt.Sprint(at, v, ok))
		if key == "set" {
			seen.Set(k, fmt.Sprint("set at ", at))
		}
	}
	r := newRig(t, "middle", op, nil, few(2))
	r.start(1, TaskPlan{})
	r.connect(0)
	for at, key := range map[int64]string{5: "set", 14: "look", 15: "look", 16: "set", 20: "set", 29: "look", 30: "look"} {
		op.ctx.Timer(at, []byte(key))
	}
	r.advance(1, 100)
	r.p.k.Begin(e1, 0).Seal()
	r.settle()
	r.renew()
	r.start(2, TaskPlan{Ref: "snap/t2/1.1"})
	r.connect(0)
	r.turns()
	r.want("seen", strings.Join(log, ", "), "5false, 14set at 5true, 15false, 16false, 20set at 16true, 29set at 20true, 30false")
	r.p.k.Begin(e2, 0).Seal()
	r.settle()
	if got := r.task.State().Sum(); got != 0 {
		t.Errorf("all has expired by the watermark, and the sum is %#x", got)
	}
}

// TestExpiryByClock: what expires by the clock of the worker is a choice, which the
// vertex has to declare.
func TestExpiryByClock(t *testing.T) {
	var seen *state.Value[string]
	op := &keeper{open: func(c *Context) (err error) {
		seen, err = state.OpenValue(c.Store(), "seen", state.String, state.TTL{Clock: state.ProcessingTime, Duration: 10})
		return err
	}}
	var log []string
	op.each = func(rec string) {
		k := op.ctx.Key([]byte("one"))
		v, ok := seen.Get(k)
		log = append(log, fmt.Sprint(v, ok))
		if rec == "set" {
			seen.Set(k, "it")
		}
	}
	r := newRig(t, "middle", op, nil)
	r.start(1, TaskPlan{})
	r.connect(0)
	for i, now := range []int64{100, 109, 110} {
		r.clock = now
		r.arrive(0, id.Seq(i+1), map[bool]string{true: "set", false: "look"}[i == 0])
		r.turns()
		r.step(Event{Kind: EvCredit, N: 1})
	}
	r.want("seen", strings.Join(log, " "), "false ittrue false")

	r.job.Graph.Vertices[1].NonDeterministic = false
	if _, err := NewTask(&r.job, r.info, Env{Host: r, Observer: r}); err == nil || !strings.Contains(err.Error(), `"seen", which expires by processing time`) || !strings.Contains(err.Error(), "set NonDeterministic") {
		t.Errorf("it opens in a vertex that does not say so: %v", err)
	}
}
