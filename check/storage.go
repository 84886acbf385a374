// The storage oracle: every retained checkpoint is readable in full at every
// instant, complete means durable, and what nothing refers to is deleted, within
// a bound of time and at the end. It looks at the storage itself.
//
// Without rounds it judges what a recovery could go back to: see passed.go.
//
// It knows objects by their keys, which hold the attempt: what a former graph has
// written is needed and garbage like any other. With a change of the graph only the
// checkpoint that the job goes on from stays under watch, as when a coordinator dies.
//
// It does not verify message logs (logs), nor checkpoints that are neither complete nor
// the base of a recovery. Reads are made when a checkpoint completes, at crashes
// and at the end: what breaks in between is seen then.

package check

import (
	"slices"
	"strings"

	"weir/id"
	"weir/state"
	"weir/trace"
)

type wholeStorage struct {
	judge
	retained  []retained
	counting  []retained       // complete, for all that storage says, and nobody has said so yet
	carried   int              // shares carried over in the newest record looked at
	newest    id.Attempt       // number of the newest plan in storage
	landed    map[string]int64 // keys written, and when; see landing
	present   map[string]bool  // keys of the objects in storage
	listings  []listing        // by prefix
	tried     []string         // prefixes that somebody began to list since the last occasion
	asked     []string         // prefixes whose listing the living coordinator waits for
	occasion  int64            // when the code under test last had to look for garbage
	recovered int64            // when it last had to as it recovered
	orphaned  bool             // the coordinator died and no plan was made since
	outrun    bool             // likewise: it may still be about, and delete what its successor does without
	damaged   bool             // a fault damages stored objects
	barred    []string         // prefixes whose newest listing was refused: nobody can find what stands there
	destroyed map[string]bool  // keys of those that one has damaged
	garbage   garbage
	refs      references
	again     map[string]bool // keys that were deleted; what lands under one is a repetition that comes late
	appended  map[string]bool // logs that got entries since they were trimmed
	overBy    string          // the object that says that the job is over
	gone      []string        // deleted while a recovery was under way that has not ended yet
	kept      []int32         // scratch: snapshots of a task
	keys      []string        // scratch: objects in storage
	counted   []string        // scratch: those of them that somebody could know of
	needed    map[string]bool // scratch: those that something refers to
}

func newStorage(j judge) watcher {
	return &wholeStorage{judge: j, present: map[string]bool{}, appended: map[string]bool{}, landed: map[string]int64{}, again: map[string]bool{}, needed: map[string]bool{}, destroyed: map[string]bool{}, garbage: garbage{since: map[string]int64{}}, refs: references{of: map[string]reference{}}}
}

func (o *wholeStorage) Wants() trace.Mask {
	if o.x.Storage == nil {
		return 0
	}
	var more trace.Mask
	if o.x.hasLine() {
		more = kinds(trace.LineAdvanced, trace.TaskReady)
	}
	return more | kinds(trace.Completed, trace.Subsumed, trace.FellBack, trace.PlanExecuted, trace.Aborted, trace.StoreIssued, trace.StoreApplied, trace.StoreDone,
		trace.WorkerCrashed, trace.CoordinatorCrashed, trace.FaultInjected)
}

func (o *wholeStorage) Reset() {
	o.gone, o.barred, o.counting, o.newest, o.carried = o.gone[:0], o.barred[:0], o.counting[:0], 0, 0
	o.retained, o.listings, o.asked, o.tried = o.retained[:0], o.listings[:0], o.asked[:0], o.tried[:0]
	clear(o.present)
	clear(o.landed)
	clear(o.again)
	clear(o.appended)
	clear(o.destroyed)
	clear(o.refs.of)
	o.occasion, o.recovered, o.orphaned, o.outrun, o.damaged = 0, 0, false, false, false
	o.garbage.reset()
}

// Reshape is like the death of a coordinator: another one takes over.
func (o *wholeStorage) Reshape() {
	o.orphaned, o.asked, o.carried = true, o.asked[:0], 0
}

func (o *wholeStorage) Observe(e *trace.Event) {
	switch e.Kind {
	case trace.StoreIssued:
		o.issued(e)
	case trace.StoreApplied:
		o.applied(e)
	case trace.StoreDone:
		o.answered(e)
	case trace.Completed:
		o.uncount(e.Epoch)
		o.checkDurable(e.Epoch)
		o.retain(e.Epoch)
		o.checkCarried(e.Epoch)
		o.lookForGarbage()
	case trace.Subsumed, trace.FellBack:
		o.subsumed(e.Epoch)
	case trace.PlanExecuted:
		o.mustLook()
		o.recovered, o.carried, o.outrun = o.now, 0, false
		o.baseChosen(e.Epoch)
	case trace.Aborted:
		o.mustLook()
	case trace.LineAdvanced:
		o.lookBehindLine()
	case trace.TaskReady:
		if o.line.complete {
			o.recoveredLine()
		}
	case trace.WorkerCrashed:
		o.verifyAll()
	case trace.CoordinatorCrashed:
		o.orphaned, o.outrun, o.asked = true, true, o.asked[:0]
		o.verifyAll()
	case trace.FaultInjected:
		o.damaged = o.damaged || e.Cause == trace.Damage
		if e.Cause == trace.Damage && e.Key != "" {
			o.destroyed[e.Key] = true // if it cannot be read, or is not there, a fault did it
		}
		o.garbage.held = addHeld(o.garbage.held, e.To)
	default: // not asked for
	}
}

// mustLook: a recovery, or a round that was given up, leaves what only a listing
// finds.
func (o *wholeStorage) mustLook() { o.occasion, o.tried = o.now, o.tried[:0] }

// checkDurable: complete means that every share was known durable.
func (o *wholeStorage) checkDurable(e id.Epoch) {
	if !o.x.Coordinated || !o.whole {
		return
	}
	for i, p := range o.parts {
		if !o.snapshots[p].stored {
			o.violate(id.TaskID(i), e, "the checkpoint is complete before the snapshot of %s was durable", o.taskName(i))
		}
	}
}

// retained is a complete checkpoint that recovery may need.
type retained struct {
	epoch id.Epoch
	key   string // of its record
	refs  []string
}

// retain begins to watch over a complete checkpoint, after reading it in full.
func (o *wholeStorage) retain(e id.Epoch) {
	if o.x.Layout.RecordKey == nil {
		return
	}
	r := retained{epoch: e, key: o.x.Layout.RecordKey(e)}
	data, ok := o.read(e, r.key, "the checkpoint is complete, but its record cannot be read")
	if !ok {
		return
	}
	refs, err := o.refs.read(&o.x.Layout, r.key, data)
	if err != nil {
		if !o.destroyed[r.key] { // else another write stands in its place, and is whole
			o.violate(trace.Coordinator, e, "record %s: %v", r.key, err)
		}
		return
	}
	r.refs = refs
	o.retained = append(o.retained, r)
	o.verify(&r)
}

// read gets an object with its checksum verified.
func (o *wholeStorage) read(e id.Epoch, key, what string) ([]byte, bool) {
	r := o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status == state.OK {
		return r.Data, true
	}
	if o.destroyed[key] {
		return nil, false
	}
	o.violate(trace.Coordinator, e, "%s: %s: %s", what, key, resultText(r))
	return nil, false
}

func resultText(r state.Result) string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return r.Status.String()
}

// verify reads everything that a checkpoint needs.
func (o *wholeStorage) verify(r *retained) {
	for _, key := range r.refs {
		o.read(r.epoch, key, "the retained checkpoint cannot be restored")
	}
}

// verifyAll reads every retained checkpoint: at a crash and at the end.
func (o *wholeStorage) verifyAll() {
	for i := range o.retained {
		r := &o.retained[i]
		o.read(r.epoch, r.key, "the record of the retained checkpoint cannot be read")
		o.verify(r)
	}
}

// subsumed: the checkpoint is no longer needed.
func (o *wholeStorage) subsumed(e id.Epoch) {
	o.retained = slices.DeleteFunc(o.retained, func(r retained) bool { return r.epoch == e })
}

// baseChosen: recovery goes back to checkpoint e, so it must be whole, whether or
// not anybody saw it complete. A coordinator that has died may have had others
// in mind than the one that took over: those are no longer watched.
func (o *wholeStorage) baseChosen(e id.Epoch) {
	if e == 0 || !o.x.Coordinated {
		return
	}
	if !slices.ContainsFunc(o.retained, func(r retained) bool { return r.epoch == e }) {
		o.retain(e)
	}
	if o.orphaned {
		o.retained = slices.DeleteFunc(o.retained, func(r retained) bool { return r.epoch != e })
		o.orphaned = false
	}
}

// applied watches what happens to the objects of retained checkpoints.
func (o *wholeStorage) applied(e *trace.Event) {
	key := e.Key
	switch e.Op {
	case trace.Delete:
		delete(o.present, key)
		delete(o.garbage.since, key) // what lands under the name once more is garbage from then on
		delete(o.refs.of, key)
		o.deleted(key, e)
	case trace.Put, trace.Create:
		if !o.present[key] { // else it could be found before, and this is the same write again
			o.present[key] = true
			o.landed[key] = o.now
		}
		if e.Op == trace.Put {
			o.overwritten(key, e)
		}
		if o.destroyed[key] && o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: key}).Status == state.OK {
			delete(o.destroyed, key) // it is written again
		}
		if e.Op == trace.Create && !o.over && !o.endsJob(key) { // as records and plans are made
			o.mayCount(key)
		}
	case trace.Append:
		o.appended[key] = true
	case trace.Trim:
		delete(o.appended, key)
	case trace.List:
		if e.Cause == trace.FencedOff {
			return
		}
		if l := o.listingOf(key); l != nil {
			l.at = o.now
		} else {
			o.listings = append(o.listings, listing{prefix: key, at: o.now})
		}
	default:
	}
}

// endsJob: from the plan on that says that the job is over nothing is retained, where
// that is allowed.
func (o *wholeStorage) endsJob(key string) bool {
	if !o.mayLeaveNothing || o.x.Layout.Over == nil {
		return false
	}
	r := o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status != state.OK || !o.x.Layout.Over(key, r.Data) {
		return false
	}
	o.over, o.overBy = true, key
	o.retained, o.counting = o.retained[:0], o.counting[:0]
	o.mustLook()
	return true
}

// listing is what is known of the listings of a prefix.
type listing struct {
	prefix string
	at     int64 // of the newest
	heard  int64 // what had landed before is known, by an answer
}

func (o *wholeStorage) listingOf(prefix string) *listing {
	for i := range o.listings {
		if l := &o.listings[i]; l.prefix == prefix {
			return l
		}
	}
	return nil
}

// issued notes who looks: the answer to a coordinator that has died since
// tells nobody anything, and one that was replaced and goes on deletes nothing of its successor's.
func (o *wholeStorage) issued(e *trace.Event) {
	if e.Op == trace.List && e.Cause != trace.FencedOff {
		o.asked, o.tried = append(o.asked, e.Key), append(o.tried, e.Key)
	}
}

// answered: what had landed when somebody looked and got an answer can be
// found and deleted. Later than that nobody can know of it.
func (o *wholeStorage) answered(e *trace.Event) {
	if e.Op != trace.List || e.Cause == trace.FencedOff {
		return
	}
	prefix := e.Key
	i := slices.Index(o.asked, prefix)
	if i < 0 {
		return
	}
	o.asked = slices.Delete(o.asked, i, i+1)
	o.barred = slices.DeleteFunc(o.barred, func(p string) bool { return p == prefix })
	if e.Outcome == trace.Refused {
		o.barred = append(o.barred, prefix)
	}
	if e.Outcome != trace.OK || o.done {
		return
	}
	if l := o.listingOf(prefix); l != nil {
		l.heard = l.at
	}
}

// landing returns when a key landed that no listing has told of since.
func (o *wholeStorage) landing(key string) (at int64, ok bool) {
	if at, ok = o.landed[key]; !ok {
		return 0, false
	}
	return at, !slices.ContainsFunc(o.listings, func(l listing) bool { return at < l.heard && strings.HasPrefix(key, l.prefix) })
}

// unknown reports whether a key landed too late to be found: after the last
// answered listing, and either after the last occasion to look, or somebody has
// tried to since. What the code under test never tried to list is known.
func (o *wholeStorage) unknown(key string) bool {
	at, ok := o.landing(key)
	if !ok {
		return false
	}
	occasion := o.occasion
	if o.x.Layout.EpochOf != nil {
		if e, ok := o.x.Layout.EpochOf(key); ok && e.Index() == 0 {
			occasion = o.recovered // of no round: one that was given up is no occasion to look for it
		}
	}
	return at > occasion || slices.ContainsFunc(o.tried, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// hidden reports that storage refuses to say that an object is there, or which records are: one
// of those may need it.
func (o *wholeStorage) hidden(key string) bool {
	return slices.ContainsFunc(o.barred, func(prefix string) bool {
		return strings.HasPrefix(key, prefix) || o.x.Layout.RecordKey != nil && strings.HasPrefix(o.x.Layout.RecordKey(1), prefix)
	})
}

// deleted: an object that a retained checkpoint needs must stay. Without its
// record a checkpoint is retained no longer, unless it is the newest. A coordinator that was
// replaced may delete that too as long as its successor has made no plan, if the record
// of a newer one has landed, though nobody hears that it is complete: see mayCount.
func (o *wholeStorage) deleted(key string, e *trace.Event) {
	if x := o.x.Origin; x != nil && x.Owns(key) {
		o.deletedOrigin(key, e)
		return
	}
	if o.over {
		return
	}
	if o.x.hasLine() {
		o.again[key] = true
		o.lineDeleted(key)
		return
	}
	for i := range o.retained {
		r := &o.retained[i]
		if r.key == key {
			if i == len(o.retained)-1 && (!o.outrun || len(o.counting) == 0) {
				o.violate(e.Task, r.epoch, "the record of the newest complete checkpoint was deleted: %s", key)
			}
			o.retained = slices.Delete(o.retained, i, i+1)
			return
		}
	}
	for i := range o.retained {
		if r := &o.retained[i]; slices.Contains(r.refs, key) {
			o.violate(e.Task, r.epoch, "%s was deleted, which the retained checkpoint needs", key)
		}
	}
	for i := range o.counting {
		r := &o.counting[i]
		if r.key == key {
			o.counting = slices.Delete(o.counting, i, i+1)
			return
		}
		if slices.Contains(o.referred(r.key), key) {
			o.violate(e.Task, r.epoch, "%s was deleted, and %s is in storage, which needs it: a coordinator that starts now goes back to that checkpoint", key, r.key)
		}
	}
}

// deletedOrigin: of the savepoint that the job began from nothing is deleted, unless it is the
// job's own and no recovery goes back to it any more.
func (o *wholeStorage) deletedOrigin(key string, e *trace.Event) {
	if !o.x.Origin.Claimed {
		o.violate(e.Task, o.x.Origin.Epoch, "%s was deleted, which is of the savepoint that the job began from and is not its own", key)
	} else if o.mayBeginAgain() {
		o.violate(e.Task, o.x.Origin.Epoch, "%s was deleted, and a recovery would go back to the savepoint that it is of", key)
	}
}

// mayBeginAgain reports that a recovery now would begin from nothing, or from the origin.
func (o *wholeStorage) mayBeginAgain() bool {
	switch {
	case o.over || o.done:
		return false
	case o.x.hasLine():
		for t := range o.tasks {
			if o.lineOf(id.TaskID(t)) == none {
				return true
			}
		}
		return false
	}
	return len(o.retained) == 0
}

// overwritten: a put under a name in use must leave the object readable as it was.
func (o *wholeStorage) overwritten(key string, e *trace.Event) {
	if x := o.x.Origin; x != nil && x.Owns(key) {
		o.violate(e.Task, x.Epoch, "%s was written again, which is of the savepoint that the job began from", key)
	}
	for i := range o.retained {
		r := &o.retained[i]
		if k := slices.Index(r.refs, key); k >= 0 {
			o.read(r.epoch, key, "an object that the retained checkpoint needs was written again")
			return
		}
	}
}

// Finish: at the end every retained checkpoint is whole, and only what it needs is
// left, beside what landed too late to be found.
func (o *wholeStorage) Finish(end End) {
	if !o.done && !end.Cancelled && !end.Left || o.x.Storage == nil {
		return
	}
	o.verifyAll()
	if o.x.Layout.Roots == nil || end.Left {
		return
	}
	if logs, ok := o.x.Storage.(LogStorage); ok && o.x.Logs {
		for key, entries := range logs.LogLengths() {
			if entries > 0 && (!end.Cancelled || !o.appended[key]) {
				o.violate(trace.Coordinator, 0, "%d entries of %s are needed by nothing and were not trimmed", entries, key)
			}
		}
	}
	o.findNeeded(true)
	var left []string
	for _, key := range o.keys {
		if !o.needed[key] && !o.unknown(key) && !o.hidden(key) {
			left = append(left, key)
		}
	}
	if len(left) > 0 {
		o.violate(trace.Coordinator, 0, "%d of %d objects in storage are needed by nothing and were not deleted: %s", len(left), len(o.keys), strings.Join(left[:min(len(left), 3)], ", "))
	}
}

// findNeeded lists the storage into o.keys and marks what something refers to.
func (o *wholeStorage) findNeeded(strict bool) {
	o.keys = o.keys[:0]
	for key := range o.x.Storage.Objects() {
		if o.x.Layout.Apart == nil || !o.x.Layout.Apart(key) {
			o.keys = append(o.keys, key)
		}
	}
	clear(o.needed)
	for i := range o.retained {
		o.need(o.retained[i].key, strict)
	}
	o.counted = o.counted[:0]
	for _, key := range o.keys {
		if !o.unknown(key) || o.hidden(key) { // what nobody knows of makes nothing older useless
			o.counted = append(o.counted, key)
		}
	}
	for _, key := range o.x.Layout.Roots(o.counted) {
		if o.over && key != o.overBy && o.ofSomeEpoch(key) {
			continue // not even records stand for their own sake: only who leads
		}
		late, hidden := o.unknown(key), o.hidden(key)
		if hidden && !o.x.Coordinated || !hidden && !late { // a late record counts for nothing, and what a hidden snapshot needs stays
			o.need(key, strict)
		}
	}
}

// ofSomeEpoch reports whether a key is that of a plan, or of something of a round.
func (o *wholeStorage) ofSomeEpoch(key string) bool {
	if o.x.Layout.EpochOf == nil {
		return true
	}
	_, ok := o.x.Layout.EpochOf(key)
	return ok
}

// need marks an object and everything that it refers to. Unless strict, one that
// is just being deleted needs nothing.
func (o *wholeStorage) need(key string, strict bool) {
	if o.needed[key] {
		return
	}
	o.needed[key] = true
	if o.x.Layout.References == nil && !strict {
		return
	}
	for _, r := range o.refersTo(key, strict) {
		o.need(r, strict)
	}
}

// refersTo returns what an object refers to; of one that a fault has destroyed what it did
// when it could be read.
func (o *wholeStorage) refersTo(key string, strict bool) []string {
	var data []byte
	if strict {
		var ok bool
		if data, ok = o.read(0, key, "an object that is still referred to cannot be read"); !ok {
			return o.refs.of[key].keys
		}
	} else if r := o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: key}); r.Status == state.OK {
		data = r.Data
	} else {
		return o.refs.of[key].keys
	}
	if o.x.Layout.References == nil {
		return nil
	}
	refs, err := o.refs.read(&o.x.Layout, key, data)
	if err != nil && !o.destroyed[key] {
		o.violate(trace.Coordinator, 0, "%s: %v", key, err)
	}
	return refs
}
