// Package reachability is a job with a loop over a graph that grows while it
// runs: which nodes can be reached from which roots.
//
//	source -> reach -> follow -> (back-edge) reach
//	          reach -> sink
//
// # Records
//
// A source record has 32 bytes, four numbers little-endian: sequence from 0, kind,
// and two numbers. The first roots records name a root each (kind 0: root,
// node); of the others one in eight asks whether a root reaches a node (kind 2:
// root, node), and the rest are edges (kind 1: from, to). Nodes are hashes of
// sequence and seed, below nodes. Of P splits, split p holds the
// records with sequence mod P = p.
//
// # What goes round
//
// reach keeps, by node, how often each root has arrived there, and hands edges
// on; follow keeps, by node, its edges and the roots that reach it. A root that is new at a node goes to
// follow, which sends it along every edge of the node there is, and along those
// that come later; round the loop each arrives at reach. An edge whose beginning a
// root reaches so carries that root exactly once, in whatever order records and
// arrivals come: an arrival lost or repeated changes a count.
//
// # Rows
//
// An arrival makes a row of 24 bytes, root, node, and the number of arrivals so
// far, and so does the root's own record. A query makes one when its node is
// reached, at once or later, with the number 2^63 plus the query's sequence; one
// that never is has no row. Canonical rows are {"root":R,"node":N,"arrivals":A}
// and {"root":R,"node":N,"query":S}.
package reachability
