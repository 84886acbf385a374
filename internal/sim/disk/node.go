package disk

import (
	"bytes"
	"slices"
	"strings"
)

// node is a file or a directory, whatever names it has.
type node struct {
	ino   uint64
	isDir bool
	lock  bool
	nlink int32 // names in the tree as it is now
	open  int32 // handles of this generation
	mtime int64 // nanoseconds since 1970
	mark  uint64

	// A file. data is its content now. What is durable is data[:durable], or
	// base, of the same length, when some of these bytes were overwritten since the last sync.
	data      []byte
	base      []byte
	durable   int
	unsynced  int64 // bytes written since the last sync, for the counters
	overwrote bool  // base is in use

	// A directory. entries is its content now, by name; pending is what was
	// done to it since it was last synced, oldest first; parent is where it is
	// or, if it was removed, was last.
	parent  *node
	entries []entry
	pending []change
	kept    int // during a crash: how many of pending survive
}

type entry struct {
	name string
	node *node
}

// change is one pending operation on a directory entry.
type change struct {
	seq    uint64
	name   string
	before *node // what the name stood for, nil for nothing
	after  *node
	joined bool  // one atomic operation with the change before it
	needs  *node // does not survive unless that directory and its change of the same seq do
}

func byName(e entry, name string) int { return strings.Compare(e.name, name) }

func (n *node) find(name string) (int, bool) {
	if len(n.entries) > 0 && n.entries[len(n.entries)-1].name < name {
		return len(n.entries), false // file names mostly grow
	}
	return slices.BinarySearchFunc(n.entries, name, byName)
}

func (n *node) child(name string) *node {
	if i, ok := n.find(name); ok {
		return n.entries[i].node
	}
	return nil
}

// set makes a name stand for a node, or for nothing, and returns what it stood for.
func (n *node) set(name string, to *node) (before *node) {
	i, found := n.find(name)
	switch {
	case found && to != nil:
		before, n.entries[i].node = n.entries[i].node, to
	case found:
		before = n.entries[i].node
		n.entries = slices.Delete(n.entries, i, i+1)
	case to != nil:
		n.entries = slices.Insert(n.entries, i, entry{name, to})
	}
	return before
}

// place does what set does as a pending operation of its own.
func (v *Volume) place(dir *node, name string, to *node) {
	v.lastSeq++
	v.placeAs(dir, change{seq: v.lastSeq, name: name, after: to})
}

// placeAs does what set does as the pending operation c, of which before is filled in.
func (v *Volume) placeAs(dir *node, c change) {
	if c.after != nil {
		c.after.nlink++
		c.after.parent = dir
	}
	c.before = dir.set(c.name, c.after)
	if c.before != nil {
		c.before.nlink--
		v.release(c.before)
	}
	dir.pending = append(dir.pending, c)
	dir.mtime = v.now()
}

// move gives a node, which is oldName in from, the name newName in to.
func (v *Volume) move(n, from *node, oldName string, to *node, newName string) {
	between := from != to
	if between && n.isDir {
		// If an earlier move could still be lost, this one could put a
		// directory under itself.
		v.commitTree(v.root)
	}
	v.lastSeq++
	insertion := change{seq: v.lastSeq, name: newName, after: n}
	removal := change{seq: v.lastSeq, name: oldName, joined: !between}
	if between {
		removal.needs = to
		if n.isDir {
			insertion.needs = from // a directory has one name at all times
		}
	}
	v.placeAs(to, insertion)
	v.placeAs(from, removal)
}

// release takes the bytes of a file without name and handle off the account.
func (v *Volume) release(n *node) {
	if n.nlink == 0 && n.open == 0 {
		v.used -= int64(len(n.data))
	}
}

// commit makes the pending changes of a directory durable up to seq, and those
// that must not be lost when these survive.
func (v *Volume) commit(dir *node, seq uint64) {
	all := dir.pending
	k := 0
	for k < len(all) && all[k].seq <= seq {
		k++
	}
	dir.pending = all[k:] // before the recursion, which may come back here
	for _, c := range all[:k] {
		for d := c.needs; d != nil; d = d.parent {
			v.commit(d, c.seq)
		}
		if c.removesDir() {
			v.commit(c.before, c.seq)
		}
	}
	clear(all[:k])
	if len(dir.pending) == 0 {
		dir.pending = all[:0]
	}
}

// commitTree makes the pending changes of a directory and all under it durable.
func (v *Volume) commitTree(dir *node) {
	v.commit(dir, v.lastSeq)
	for _, e := range dir.entries {
		if e.node.isDir {
			v.commitTree(e.node)
		}
	}
}

// removesDir reports whether c removed a directory for good. What was done in
// it, files moved out of it above all, was done before.
func (c *change) removesDir() bool { return c.before != nil && c.before.isDir && c.before.nlink == 0 }

// write puts p at off, growing the file. The caller has checked that there is room.
func (v *Volume) write(n *node, p []byte, off int64) {
	if len(p) == 0 {
		return
	}
	if off < int64(n.durable) && !n.overwrote {
		n.base = append(n.base[:0], n.data[:n.durable]...)
		n.overwrote = true
	}
	old, end := len(n.data), int(off)+len(p)
	if end > old {
		v.grow(n, end)
		if int(off) > old {
			clear(n.data[old:off])
		}
		v.used += int64(end - old)
	}
	copy(n.data[off:], p)
	n.unsynced += int64(len(p))
	n.mtime = v.now()
}

// grow makes a file size bytes long; the new bytes are not defined.
func (v *Volume) grow(n *node, size int) {
	if size > cap(n.data) {
		bigger := make([]byte, size, max(size, 2*cap(n.data), 2*SectorSize))
		copy(bigger, n.data)
		n.data = bigger
		return
	}
	n.data = n.data[:size]
}

func (n *node) isDirty() bool { return !n.isDir && (n.overwrote || len(n.data) > n.durable) }

// settled declares the content as it is to be durable.
func (n *node) settled() {
	n.durable, n.unsynced = len(n.data), 0
	n.base, n.overwrote = n.base[:0], false
}

// synced returns the durable content, which must not be changed.
func (n *node) synced() []byte {
	if n.overwrote {
		return n.base
	}
	return n.data[:n.durable]
}

// sectorIsDirty reports whether the sector that begins at a differs from what is durable.
func (n *node) sectorIsDirty(a int) bool {
	b := min(a+SectorSize, len(n.data))
	if b > n.durable {
		return true
	}
	return n.overwrote && !bytes.Equal(n.data[a:b], n.base[a:b])
}

// contains reports whether dir is n or lies under it.
func (n *node) contains(dir *node) bool {
	if n == dir {
		return true
	}
	for _, e := range n.entries {
		if e.node.isDir && e.node.contains(dir) {
			return true
		}
	}
	return false
}

// The pool keeps nodes and their buffers from one run for the next.
const (
	pooledBuffer = 1 << 20 // bytes, of one file
	pooledTotal  = 8 << 20 // bytes, of all files
)

type pool struct {
	nodes []*node
	bytes int
}

// newNode returns an empty node without a name.
func (v *Volume) newNode(isDir bool) *node {
	var n *node
	if last := len(v.pool.nodes) - 1; last < 0 {
		n = new(node)
	} else {
		n = v.pool.nodes[last]
		v.pool.nodes[last] = nil
		v.pool.nodes = v.pool.nodes[:last]
		v.pool.bytes -= cap(n.data)
	}
	v.lastIno++
	*n = node{
		ino: v.lastIno, isDir: isDir, mtime: v.now(),
		data: n.data, base: n.base, entries: n.entries, pending: n.pending,
	}
	return n
}

// recycle puts a node and all that is reachable from it into the pool, each
// once: v.mark tells.
func (v *Volume) recycle(n *node) {
	if n == nil || n.mark == v.mark {
		return
	}
	n.mark = v.mark
	for _, e := range n.entries {
		v.recycle(e.node)
	}
	for _, c := range n.pending {
		v.recycle(c.before)
		v.recycle(c.after)
	}
	clear(n.entries)
	clear(n.pending)
	n.entries, n.pending = n.entries[:0], n.pending[:0]
	n.data, n.base = n.data[:0], n.base[:0]
	if cap(n.data) > pooledBuffer || v.pool.bytes+cap(n.data) > pooledTotal {
		n.data = nil
	}
	if cap(n.base) > pooledBuffer {
		n.base = nil
	}
	v.pool.nodes = append(v.pool.nodes, n)
	v.pool.bytes += cap(n.data)
}
