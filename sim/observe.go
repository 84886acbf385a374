package sim

import "weir/trace"

// fanout is the one observer that tasks know. It puts the time on events, counts
// them by kind and passes them to those who want them.
type fanout struct {
	sim    *Sim
	list   []audience
	all    trace.Mask // what anybody wants
	alone  trace.Mask // what only the first wants, who is not the injector
	struck bool       // the injector has seen something
	counts [trace.Kinds]int64
	scrap  trace.Event
}

// audience is an observer, with what it wants.
type audience struct {
	trace.Observer
	wants    trace.Mask
	injector bool // it is the injector
}

// counted are the kinds that are counted even if nobody looks: they are rare.
func counted() trace.Mask {
	var m trace.Mask
	for k := trace.BarrierSent; k <= trace.JobDone; k++ {
		m = m.With(k)
	}
	return m.With(trace.TaskFailed) &^ trace.Mask(0).With(trace.PositionIn, trace.PositionOut)
}

func (f *fanout) reset(list []trace.Observer, injector Injector) {
	clear(f.list)
	f.list, f.all, f.alone = f.list[:0], 0, 0
	f.counts = [trace.Kinds]int64{}
	f.struck = true
	for _, o := range list {
		f.add(o, false)
	}
	if injector != nil {
		f.add(injector, true)
	}
}

func (f *fanout) add(o trace.Observer, injector bool) {
	m := o.Wants()
	if f.alone &^= m; len(f.list) == 0 && !injector {
		f.alone = m
	}
	f.list = append(f.list, audience{o, m, injector})
	f.all |= m
}

// Wants is the union over all observers and what is counted anyway.
func (f *fanout) Wants() trace.Mask { return f.all | counted() }

func (f *fanout) wants(k trace.Kind) bool { return f.all.Has(k) }

// Observe takes an event of a task.
func (f *fanout) Observe(e *trace.Event) {
	f.counts[e.Kind]++
	if f.all.Has(e.Kind) {
		f.pass(e)
	}
}

// count counts an event of the simulator or the coordinator, and shows it.
func (f *fanout) count(e trace.Event) {
	f.counts[e.Kind]++
	if f.all.Has(e.Kind) {
		f.send(e)
	}
}

// send shows an event without counting it.
func (f *fanout) send(e trace.Event) {
	f.scrap = e
	f.pass(&f.scrap)
}

func (f *fanout) pass(e *trace.Event) {
	e.Time = f.sim.now
	if f.alone.Has(e.Kind) {
		f.list[0].Observe(e)
		return
	}
	for i := range f.list {
		if o := &f.list[i]; o.wants.Has(e.Kind) {
			o.Observe(e)
			if o.injector {
				f.struck = true
			}
		}
	}
}
