// The event-time oracle: in each task event time is what its sources have said and
// its inputs have delivered, and it never goes back along the surviving history;
// a timer fires once, when it is due and not before, and none that is due is left
// when the next buffer is delivered, nor at the end. A watermark is on every output
// before the next buffer of data is: with the buffer sealed first after that, once.
//
// Where it is known which records are too late, an operator gives up those and no others.
// Behind a change of the graph that is measured by how far the instance had come that
// owned the record's key group before, if the task has not come so far itself.
//
// Behind a change of the graph an operator begins at the lowest event time of its former
// instances, at its own if there are as many as before, a split at its own. Its timers are
// its instances' together (see pool): one of them fires each, and none is left at the end
// that is due.
//
// It does not verify that a timer from before a change fires in its order and before the
// next buffer, nor timers of processing time (clock), how long a buffer that is to carry
// a watermark stays open, nor when a source learns that a split has no records left (it
// says so). Where state is not exact, or channels reorder, a task may
// be behind what its inputs have delivered: then only what lies ahead of it is a
// violation.

package check

import (
	"cmp"
	"slices"
	"strconv"

	"weir/id"
	"weir/trace"
)

type eventTime struct {
	judge
	clocks []clock  // by task
	saved  []clock  // by snapshot of the model, at its instant
	ends   []ends   // by channel
	legacy []legacy // by inheritance of the model
}

// ends are the places of a channel among the inputs of its receiver and the
// outputs of its sender.
type ends struct{ in, out int }

// clock is event time in one task, along its surviving history.
type clock struct {
	holding
	exact   bool      // it must be where its inputs are
	at      int64     // where event time must be after the newest buffer
	before  int64     // and before it
	owed    int64     // what the next buffer on each output must have announced
	seen    int64     // the highest that the operator has been shown
	inputs  []int64   // watermarks delivered
	lowest  int       // inputs that hold event time back; 0: not known
	outputs []int64   // watermarks sealed
	splits  []said    // of a source: those that it reads
	late    int64     // records given up
	tooLate []uint64  // of the newest buffer: hashes of records that are to be given up still,
	lateAt  int64     // at this event time
	former  []reached // of its operator's instances of before the graph changed; shared, never changed
}

// said is what a source has said of the event time in a split.
type said struct {
	split id.SplitID
	at    int64
	ended bool // it has no records left: it holds nothing back
}

// timer is a timer without its key, of which a hash is enough.
type timer struct {
	at  int64
	key uint64
}

func (a timer) compare(b timer) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key))
}

func newEventTime(j judge) watcher {
	o := &eventTime{judge: j}
	o.Reshape()
	return o
}

func (o *eventTime) Reshape() {
	o.clocks, o.ends = make([]clock, len(o.tasks)), make([]ends, len(o.channels))
	for i := range o.tasks {
		t := &o.tasks[i]
		c := &o.clocks[i]
		c.exact = o.x.State == ExactlyOnce
		c.inputs, c.outputs = make([]int64, len(t.inputs)), make([]int64, len(t.outputs))
		for k, n := range t.inputs {
			o.ends[n].in = k
			c.exact = c.exact && !o.channels[n].Reorders
		}
		for k, n := range t.outputs {
			o.ends[n].out = k
		}
		o.begin(c, t)
	}
}

func (o *eventTime) Wants() trace.Mask {
	return kinds(trace.Emitted, trace.Sealed, trace.Delivered, trace.SnapshotBegun, trace.TaskRestored, trace.SplitTaken,
		trace.WatermarkSaid, trace.WatermarkSeen, trace.TimerSet, trace.TimerCancelled, trace.TimerFired, trace.RecordLate)
}

func (o *eventTime) Reset() {
	o.saved, o.legacy = o.saved[:0], nil
	if x := o.x.Origin; x != nil {
		for i := range x.Tasks {
			o.saved = append(o.saved, x.Tasks[i].clock())
		}
	}
	for i := range o.clocks {
		o.begin(&o.clocks[i], &o.tasks[i])
	}
}

// begin sets the clock of a task that starts from nothing.
func (o *eventTime) begin(c *clock, t *task) {
	c.at, c.before, c.owed, c.seen, c.lowest, c.late, c.splits, c.timers = trace.NoTime, trace.NoTime, trace.NoTime, trace.NoTime, 0, 0, c.splits[:0], c.timers[:0]
	c.tooLate, c.claimed, c.former = c.tooLate[:0], c.claimed[:0], nil
	for k, n := range t.inputs {
		c.inputs[k] = trace.NoTime
		if o.channels[n].Back {
			c.inputs[k] = trace.EndOfTime
		}
	}
	for k := range c.outputs {
		c.outputs[k] = trace.NoTime
	}
}

func (o *eventTime) Observe(e *trace.Event) {
	if e.Way == trace.ByClock {
		return // of another time
	}
	c := &o.clocks[e.Task]
	switch e.Kind {
	case trace.Delivered:
		o.delivered(e, c)
	case trace.Sealed:
		o.sealed(e, c)
	case trace.SplitTaken:
		o.taken(e, c)
	case trace.Emitted:
		if x := c.split(e.Split); x != nil && e.To >= o.x.size(e.Split) {
			x.ended = true
			c.advance()
		}
	case trace.WatermarkSaid:
		if x := c.split(e.Split); x != nil {
			x.at = max(x.at, e.At)
			if c.advance(); c.at != trace.EndOfTime { // else it goes with the end of the data
				c.owe(c.floor())
			}
		}
	case trace.WatermarkSeen:
		o.shown(e, c)
	case trace.TimerSet:
		t := timer{e.At, hash(e.Data)}
		o.claim(e.Task, t)
		c.timers = insert(c.timers, t)
	case trace.TimerCancelled:
		t := timer{e.At, hash(e.Data)}
		o.claim(e.Task, t)
		if i, there := slices.BinarySearchFunc(c.timers, t, timer.compare); there {
			c.timers = slices.Delete(c.timers, i, i+1)
		}
	case trace.TimerFired:
		o.fired(e, c)
	case trace.RecordLate:
		c.late++
		o.givenUp(e, c)
	case trace.SnapshotBegun:
		o.noneTaken(e, c)
		o.save(c)
	case trace.TaskRestored:
		o.restored(e, c)
	default: // not asked for
	}
}

// taken adds a split to those that a source reads, unless its snapshot had it.
func (o *eventTime) taken(e *trace.Event, c *clock) {
	if int(e.Split) < 0 || int(e.Split) >= len(o.x.Splits) || c.split(e.Split) != nil {
		return
	}
	x := said{split: e.Split, at: trace.NoTime, ended: e.To >= o.x.size(e.Split)}
	if t := &o.tasks[e.Task]; t.made {
		x.at = o.legacy[t.inherits].saidOf(e.Split)
	}
	c.splits = append(c.splits, x)
}

// split finds a split of a source; nil: it does not read it.
func (c *clock) split(n id.SplitID) *said {
	for i := range c.splits {
		if c.splits[i].split == n {
			return &c.splits[i]
		}
	}
	return nil
}

// advance moves event time of a source to the lowest of its splits that have
// records left: one that has said nothing holds it back.
func (c *clock) advance() {
	low := int64(trace.EndOfTime)
	for i := range c.splits {
		if x := &c.splits[i]; !x.ended {
			low = min(low, x.at)
		}
	}
	c.before, c.at = c.at, max(c.at, low)
}

// floor is what the splits of a source have all said. One that has no records left
// counts until the source has said that too.
func (c *clock) floor() int64 {
	low := int64(trace.EndOfTime)
	for i := range c.splits {
		low = min(low, c.splits[i].at)
	}
	return low
}

// owe notes a watermark that the operator is done with: it is on the outputs, but for
// the end of time, which goes with the end of the data.
func (c *clock) owe(wm int64) {
	if wm != trace.EndOfTime {
		c.owed = max(c.owed, wm)
	}
}

// delivered moves event time to the lowest watermark of all inputs.
func (o *eventTime) delivered(e *trace.Event, c *clock) {
	if !o.isChannel(e.Channel) {
		return
	}
	if due := c.due(); due >= 0 {
		o.violate(e.Task, 0, "a buffer of channel %s is delivered while a timer of %d, which is due at %s, has not fired", e.Channel, c.timers[due].at, moment(c.reached()))
		c.timers = c.timers[due+1:]
	}
	o.noneTaken(e, c)
	c.before = c.at
	o.expectLate(e, c)
	c.owe(c.at) // no data is served while timers are firing
	in := &c.inputs[o.ends[e.Channel].in]
	if e.At <= *in {
		return
	}
	old := *in
	*in = e.At
	if old > c.at { // it did not hold event time back
		return
	}
	if c.lowest--; c.lowest <= 0 {
		c.lowestInputs()
	}
}

// lowestInputs looks for the inputs that hold event time back. As long as one of
// them is left there is nothing to look for.
func (c *clock) lowestInputs() {
	low := slices.Min(c.inputs)
	c.at, c.lowest = max(c.at, low), 0
	for _, w := range c.inputs {
		if w <= c.at {
			c.lowest++
		}
	}
}

// reached is the time that the task has reached for certain.
func (c *clock) reached() int64 {
	if c.exact {
		return c.at
	}
	return c.seen
}

// due returns the place of the last timer that must have fired, or -1.
func (c *clock) due() int {
	n := -1
	for n+1 < len(c.timers) && c.timers[n+1].at <= c.reached() {
		n++
	}
	return n
}

// sealed looks at a watermark that the task announces.
func (o *eventTime) sealed(e *trace.Event, c *clock) {
	if !o.isChannel(e.Channel) {
		return
	}
	out := &c.outputs[o.ends[e.Channel].out]
	told := *out
	if e.At != trace.EndOfTime { // what ends the data comes behind the last watermark
		told = max(told, e.At)
	}
	if c.exact && told < c.owed && !o.channels[e.Channel].Back {
		o.violate(e.Task, 0, "channel %s: a buffer is sealed with watermark %s announced, and watermark %s was to be handed on before it", e.Channel, moment(told), moment(c.owed))
		*out = c.owed
		return
	}
	if e.At == trace.NoTime {
		return
	}
	if o.x.Tasks[e.Task].Source {
		c.advance() // one without splits has said all
	}
	switch {
	case o.channels[e.Channel].Back && e.At != trace.EndOfTime:
		o.violate(e.Task, 0, "channel %s: watermark %s is announced on a back-edge, which knows nothing of what is to come", e.Channel, moment(e.At))
	case e.At > c.at:
		o.violate(e.Task, 0, "channel %s: watermark %s is announced at event time %s", e.Channel, moment(e.At), moment(c.at))
	case e.At < *out:
		o.violate(e.Task, 0, "channel %s: watermark %s is announced behind watermark %s: event time goes back", e.Channel, moment(e.At), moment(*out))
	case c.exact && e.At == *out && e.At != trace.EndOfTime: // waves come behind the end
		o.violate(e.Task, 0, "channel %s: watermark %s is announced again", e.Channel, moment(e.At))
	}
	*out = max(*out, e.At)
}

// shown holds what an operator sees against where event time must be. While it
// processes a buffer that brought a watermark it still sees the one before.
func (o *eventTime) shown(e *trace.Event, c *clock) {
	switch {
	case e.At > c.at:
		o.violate(e.Task, 0, "the operator sees watermark %s at event time %s", moment(e.At), moment(c.at))
	case e.At < c.seen:
		o.violate(e.Task, 0, "the operator sees watermark %s and has seen %s: event time goes back", moment(e.At), moment(c.seen))
	case c.exact && e.At != c.at && e.At != c.before:
		o.violate(e.Task, 0, "the operator sees watermark %s at event time %s", moment(e.At), moment(c.at))
	}
	c.seen = max(c.seen, e.At)
}

// fired takes a timer, which must be the first of all that were asked for.
func (o *eventTime) fired(e *trace.Event, c *clock) {
	t := timer{e.At, hash(e.Data)}
	o.claim(e.Task, t)
	i, there := slices.BinarySearchFunc(c.timers, t, timer.compare)
	switch {
	case !there:
		o.violate(e.Task, 0, "a timer of %d fires that nobody has set, or that has fired before", e.At)
		return
	case e.At > c.at:
		o.violate(e.Task, 0, "a timer of %d fires at event time %s", e.At, moment(c.at))
	case e.At > c.timers[0].at:
		o.violate(e.Task, 0, "a timer of %d fires before one of %d", e.At, c.timers[0].at)
	}
	c.timers = slices.Delete(c.timers, i, i+1)
}

// save keeps the clock with the snapshot that the model has just begun.
func (o *eventTime) save(c *clock) {
	c.before = c.at // the instant lies between two buffers
	for len(o.saved) < len(o.snapshots) {
		if len(o.saved) < cap(o.saved) {
			o.saved = o.saved[:len(o.saved)+1]
		} else {
			o.saved = append(o.saved, clock{})
		}
	}
	o.saved[len(o.saved)-1].copy(c)
}

func (c *clock) copy(from *clock) {
	tooLate := c.tooLate[:0] // the instant lies between two buffers
	inputs, outputs, splits, timers := append(c.inputs[:0], from.inputs...), append(c.outputs[:0], from.outputs...), append(c.splits[:0], from.splits...), append(c.timers[:0], from.timers...)
	claimed := append(c.claimed[:0], from.claimed...)
	*c = *from
	c.inputs, c.outputs, c.splits, c.timers, c.claimed, c.tooLate = inputs, outputs, splits, timers, claimed, tooLate
}

// restored takes the task back to the clock of its snapshot.
func (o *eventTime) restored(e *trace.Event, c *clock) {
	t := &o.tasks[e.Task]
	switch {
	case e.Epoch == 0:
		o.begin(c, t)
	case t.made:
		o.made(e, c, t)
	case t.restored != none && int(t.restored) < len(o.saved):
		c.copy(&o.saved[t.restored])
	}
}

// Finish: no timer is left that is due.
func (o *eventTime) Finish(End) {
	if !o.done {
		return
	}
	for i := range o.clocks {
		c := &o.clocks[i]
		o.report.LateRecords += c.late
		o.noneTaken(&trace.Event{Task: id.TaskID(i)}, c)
		if due := c.due(); due >= 0 {
			o.violate(id.TaskID(i), 0, "the job ended with %d timers that are due and have not fired; the first is of %d", due+1, c.timers[0].at)
		}
	}
	if h := o.inherited(); h != none && int(h) < len(o.legacy) {
		o.report.LateRecords += o.legacy[h].late
		o.leftOf(h)
	}
}

// moment is an event time in words: nothing said yet, the end, or a number.
type moment int64

func (m moment) String() string {
	switch m {
	case trace.NoTime:
		return "none"
	case trace.EndOfTime:
		return "the end"
	}
	return strconv.FormatInt(int64(m), 10)
}

// hash is FNV-1a.
func hash(b []byte) uint64 {
	h := uint64(0xcbf29ce484222325)
	for _, x := range b {
		h = (h ^ uint64(x)) * 0x100000001b3
	}
	return h
}
