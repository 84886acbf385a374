package check

import (
	"slices"

	"weir/id"
	"weir/state"
	"weir/trace"
)

// This is the storage oracle where there are no rounds: what the recovery line of a
// total failure needs, or a newer one may, stays; what is behind the line, or was
// rolled back, goes.

// lineDeleted: an object that a recovery could need must stay. What a recovery under
// way gives up is known when every task has gone back; one is under way too when a
// coordinator that was replaced has made a plan, of which nobody hears but its successor.
func (o *wholeStorage) lineDeleted(key string) {
	if o.line.active || o.outrun && o.newest > o.line.plan {
		o.gone = append(o.gone, key)
		return
	}
	o.judgeDeleted(key)
}

// recoveredLine judges what was deleted while the recovery was under way.
func (o *wholeStorage) recoveredLine() {
	for _, key := range o.gone {
		if !o.present[key] { // else it was written again
			o.judgeDeleted(key)
		}
	}
	o.gone = o.gone[:0]
}

func (o *wholeStorage) judgeDeleted(key string) {
	owner, ok := o.x.Layout.OwnerOf(key)
	if !ok || int(owner.Task) >= len(o.tasks) {
		return
	}
	for _, p := range o.standing(owner.Task) {
		s := &o.snapshots[p]
		if owner.Whole && s.epoch == owner.Epoch {
			o.violate(owner.Task, s.epoch, "%s was deleted, and the recovery line of a total failure stands at %s: a recovery would need it", key, o.lineText(owner.Task))
		} else if slices.Contains(o.referencesOf(owner.Task, s.epoch), key) {
			o.violate(owner.Task, s.epoch, "%s was deleted, which a snapshot on the recovery line or in front of it needs", key)
		}
	}
}

// standing returns the snapshots of a task on the line and in front of it that can
// be restored. Valid until the next call.
func (o *wholeStorage) standing(t id.TaskID) []int32 {
	from := o.lineOf(t)
	x := &o.tasks[t]
	o.kept = o.kept[:0]
	for k := len(x.snapshots) - 1; k >= 0; k-- {
		if o.stands(x, k) {
			o.kept = append(o.kept, x.snapshots[k])
		}
		if x.snapshots[k] == from {
			break
		}
	}
	return o.kept
}

// referencesOf returns what a snapshot needs, nothing if it cannot be read.
func (o *wholeStorage) referencesOf(t id.TaskID, e id.Epoch) []string {
	key := o.x.Layout.SnapshotKey(t, e)
	r := o.x.Storage.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status != state.OK {
		return nil
	}
	refs, err := o.refs.read(&o.x.Layout, key, r.Data)
	if err != nil && !o.destroyed[key] {
		o.violate(t, e, "%s: %v", key, err)
	}
	return refs
}

func (o *wholeStorage) lineText(t id.TaskID) string {
	if p := o.lineOf(t); p != none {
		return o.snapshots[p].epoch.String()
	}
	return "the beginning"
}

// lookBehindLine lists the storage now and then while no recovery is under way, as
// lookForGarbage does.
func (o *wholeStorage) lookBehindLine() {
	g, bound := &o.garbage, o.pace.Trim
	if bound == 0 || g.held == trace.NoBound || o.damaged || o.line.active || o.stand.stage == Broken || o.now-g.looked < bound/4 {
		return
	}
	g.looked = o.now
	clear(o.needed)
	for t := range o.tasks {
		for _, p := range o.standing(id.TaskID(t)) {
			s := &o.snapshots[p]
			o.needed[o.x.Layout.SnapshotKey(s.task, s.epoch)] = true
			for _, key := range o.referencesOf(s.task, s.epoch) {
				o.needed[key] = true
			}
		}
	}
	for key := range o.x.Storage.Objects() {
		if o.needed[key] || !o.dead(key) {
			delete(g.since, key)
			continue
		}
		first, ok := g.since[key]
		if !ok {
			g.since[key] = o.now
		} else if o.now-first > bound+int64(g.held) {
			o.violate(trace.Coordinator, 0, "%s is needed by no recovery since %d ns ago at least and is still there", key, o.now-first)
			g.since[key] = o.now // once per bound
		}
	}
}

// dead reports that an object that no standing snapshot needs is of no further use:
// of a snapshot behind the line, whatever the code under test has looked for, or of
// one that was rolled back. What landed too late to be found is exempt: behind
// the line only what had been deleted before, or is of a snapshot that had
// failed. What is of a snapshot that has not landed may still be needed.
func (o *wholeStorage) dead(key string) bool {
	owner, ok := o.x.Layout.OwnerOf(key)
	if !ok || int(owner.Task) >= len(o.tasks) {
		return false // plans: see Finish
	}
	t := &o.tasks[owner.Task]
	p := o.find(t, owner.Epoch)
	if p == none || !o.survives(&o.snapshots[p], t.segment) {
		return !o.unknown(key) && !o.hidden(key)
	}
	if o.snapshots[p].failed && o.hidden(key) {
		return false // nobody has its name but by a listing
	}
	on := o.lineOf(owner.Task)
	if on == none || o.snapshots[on].epoch <= owner.Epoch {
		return false
	}
	return !o.again[key] && !o.landedBehind(key, &o.snapshots[p]) || !o.unknown(key)
}

// landedBehind reports that an object of a snapshot landed when that had failed.
func (o *wholeStorage) landedBehind(key string, s *snapshot) bool {
	at, ok := o.landing(key)
	return ok && s.failed && at > s.failedAt
}
