package sim

import "weir/trace"

// fanout is the one observer that tasks know. It puts the time on events, counts
// them by kind and passes them to those who want them.
type fanout struct {
	sim    *Sim
	list   []trace.Observer
	masks  []trace.Mask
	all    trace.Mask // what anybody wants
	strike int        // index of the injector in list, -1: none
	struck bool       // the injector has seen something
	counts [trace.Kinds]int64
	scrap  trace.Event
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
	f.list, f.masks, f.all = f.list[:0], f.masks[:0], 0
	f.counts = [trace.Kinds]int64{}
	f.strike, f.struck = -1, true
	for _, o := range list {
		f.add(o)
	}
	if injector != nil {
		f.strike = len(f.list)
		f.add(injector)
	}
}

func (f *fanout) add(o trace.Observer) {
	m := o.Wants()
	f.list, f.masks = append(f.list, o), append(f.masks, m)
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
	for i, o := range f.list {
		if f.masks[i].Has(e.Kind) {
			o.Observe(e)
			f.struck = f.struck || i == f.strike
		}
	}
}
