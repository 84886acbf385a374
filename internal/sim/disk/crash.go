package disk

// Damage says what a crash did: what was pending, and how much of it survived
// although nothing had promised so.
type Damage struct {
	ChangesLost, ChangesKept int64 // pending operations on directory entries
	SectorsLost, SectorsKept int64 // unsynced sectors of the files that are left
	FilesTorn                int64 // files of which some unsynced sectors survived and some did not
}

// The fates of what is pending when the volume crashes, as drawn: of a
// directory one of the first three, of a file any.
const (
	fateLost      = iota // all of it is lost
	fateKept             // all of it survives
	fatePrefix           // the first part survives
	fateScattered        // any sectors survive
	dirFates      = fateScattered
	fileFates     = fateScattered + 1
)

// The bounds of the second draw of a fate. They are constants so that a
// recorded decision means the same when sizes differ.
const (
	prefixParts = 256     // of what is pending, how many 256ths survive
	patterns    = 1 << 16 // which sectors survive
)

// Crash ends every use of the volume (mounts, handles and locks are stale from
// here on) and leaves on it what a restart would find. d decides what survives of
// what is not durable; nil and a d that draws only zeros lose all of it. d is called with the volume locked.
func (v *Volume) Crash(d Drawer) Damage {
	v.mu.Lock()
	defer v.mu.Unlock()
	if d == nil {
		d = quiet{}
	}
	v.gen++
	v.mounted = nil
	v.stats.Crashes++

	var damage Damage
	v.mark++
	v.dirty = v.findDirty(v.root, v.dirty[:0])
	for _, dir := range v.dirty {
		dir.cut(dir.drawCut(d))
	}
	for again := true; again; {
		again = false
		for _, dir := range v.dirty {
			again = dir.enforceNeeds() || again
		}
	}
	for _, dir := range v.dirty {
		dir.revert(&damage)
	}
	clear(v.dirty)
	v.used = 0
	v.mark++
	v.settleTree(v.root, d, &damage)
	return damage
}

type quiet struct{}

func (quiet) Draw(int) int { return 0 }

// findDirty appends the directories with pending changes that can be reached
// now or could be after a loss, in path order.
func (v *Volume) findDirty(dir *node, found []*node) []*node {
	if dir == nil || !dir.isDir || dir.mark == v.mark {
		return found
	}
	dir.mark = v.mark
	if len(dir.pending) > 0 {
		found = append(found, dir)
	}
	for _, e := range dir.entries {
		found = v.findDirty(e.node, found)
	}
	for _, c := range dir.pending {
		found = v.findDirty(c.before, found)
		found = v.findDirty(c.after, found)
	}
	return found
}

// drawCut returns how many of the pending changes survive.
func (n *node) drawCut(d Drawer) int {
	switch d.Draw(dirFates) {
	case fateKept:
		return len(n.pending)
	case fatePrefix:
		return firstPart(d, len(n.pending))
	}
	return 0
}

// firstPart draws a number from 0 to n.
func firstPart(d Drawer, n int) int { return d.Draw(prefixParts) * (n + 1) / prefixParts }

// cut sets how many of the pending changes survive, not splitting an atomic operation.
func (n *node) cut(kept int) {
	for kept < len(n.pending) && n.pending[kept].joined {
		kept--
	}
	n.kept = kept
}

// enforceNeeds shortens the surviving changes to those before the first that
// others, which do not survive, had to precede. It reports whether there was one.
func (n *node) enforceNeeds() bool {
	for i, c := range n.pending[:n.kept] {
		if c.needs != nil && c.needs.loses(c.seq) || c.removesDir() && c.before.kept < len(c.before.pending) {
			n.cut(i)
			return true
		}
	}
	return false
}

// loses reports whether the change seq of a directory does not survive, or the
// directory itself does not.
func (n *node) loses(seq uint64) bool {
	for _, c := range n.lost() {
		if c.seq == seq {
			return true
		}
	}
	for d := n; d.parent != nil; d = d.parent {
		for _, c := range d.parent.lost() {
			if c.after == d {
				return true
			}
		}
	}
	return false
}

// lost returns the changes that do not survive.
func (n *node) lost() []change { return n.pending[min(n.kept, len(n.pending)):] }

// revert undoes the changes that do not survive, newest first; the others are durable.
func (n *node) revert(damage *Damage) {
	for i := len(n.pending) - 1; i >= n.kept; i-- {
		n.set(n.pending[i].name, n.pending[i].before)
	}
	damage.ChangesKept += int64(n.kept)
	damage.ChangesLost += int64(len(n.pending) - n.kept)
	clear(n.pending)
	n.pending = n.pending[:0]
}

// settleTree decides the contents of the files that are left, in path order,
// and counts their names and bytes anew.
func (v *Volume) settleTree(dir *node, d Drawer, damage *Damage) {
	for _, e := range dir.entries {
		n := e.node
		if n.mark == v.mark {
			n.nlink++
			continue
		}
		n.mark = v.mark
		n.nlink, n.open, n.lock = 1, 0, false
		if n.isDir {
			n.parent = dir
			v.settleTree(n, d, damage)
			continue
		}
		if n.isDirty() {
			n.settle(d, damage)
		}
		v.used += int64(len(n.data))
	}
}

// settle decides which unsynced sectors of a file survive. A lost one returns
// to its durable content; what is behind the last surviving byte is cut off.
func (n *node) settle(d Drawer, damage *Damage) {
	survives := n.drawSurvivors(d)
	size, kept, lost := n.durable, 0, 0
	for a := n.firstDirty(); a < len(n.data); a += SectorSize {
		if !n.sectorIsDirty(a) {
			continue
		}
		b := min(a+SectorSize, len(n.data))
		if survives(kept + lost) {
			kept++
			size = max(size, b)
			continue
		}
		lost++
		restored := 0
		if a < n.durable {
			restored = copy(n.data[a:b], n.synced()[a:])
		}
		clear(n.data[a+restored : b])
	}
	n.data = n.data[:size]
	n.settled()
	damage.SectorsKept += int64(kept)
	damage.SectorsLost += int64(lost)
	if kept > 0 && lost > 0 {
		damage.FilesTorn++
	}
}

// drawSurvivors returns whether the i-th dirty sector survives.
func (n *node) drawSurvivors(d Drawer) func(i int) bool {
	switch d.Draw(fileFates) {
	case fateKept:
		return func(int) bool { return true }
	case fatePrefix:
		dirty := 0
		for a := n.firstDirty(); a < len(n.data); a += SectorSize {
			if n.sectorIsDirty(a) {
				dirty++
			}
		}
		first := firstPart(d, dirty)
		return func(i int) bool { return i < first }
	case fateScattered:
		pattern := d.Draw(patterns)
		return func(i int) bool { return pattern>>(i%16)&1 != 0 }
	}
	return func(int) bool { return false }
}

// firstDirty returns the beginning of the first sector that can be dirty.
func (n *node) firstDirty() int {
	if n.overwrote {
		return 0
	}
	return n.durable - n.durable%SectorSize
}
