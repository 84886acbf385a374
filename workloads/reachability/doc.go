// Package reachability is a job with a loop over a graph that changes: which
// nodes can be reached from which roots, in each version of the graph.
//
//	source -> reach -> follow -> (back-edge) reach
//	          reach -> sink
//
// # Records
//
// A source record has 48 bytes, six numbers little-endian: sequence from 0, kind,
// and four numbers. The first roots records name a root each (kind 0: root,
// node); of the others one in eight asks whether a root reaches a node in a version
// (kind 2: root, node, version), and the rest are edges (kind 1: from, to, since,
// until). An edge is added in version since and deleted in version until, so that it
// is there in all from since up to, without, until. Nodes and versions are hashes of
// sequence and seed, below nodes and versions. If the input is not very small, a path of
// twelve more nodes can be reached by the last record only, an edge from the node of
// root 0 in every version: what goes along it is on its way when the input has ended. Of P splits, split p holds the
// records with sequence mod P = p. The event time of record s is 10 x s.
//
// That an edge names its end makes the answer independent of the order of records.
// A deletion that is a record of its own would have to take back what went along
// the edge before it came.
//
// # What goes round
//
// What travels is a root in one version: traveller root x versions + version. reach
// keeps, by node, how often each traveller has arrived there, and hands edges
// on; follow keeps, by node, its edges and the travellers that reach it. One that is
// new at a node goes to follow, which sends it along every edge of the node that is
// there in its version, and along those that come later; round the loop each arrives
// at reach. An edge whose beginning a traveller reaches so carries it exactly once, in
// whatever order records and arrivals come: an arrival lost or repeated changes a count.
//
// # Rows
//
// An arrival makes a row of 24 bytes, traveller, node, and the number of arrivals so
// far, and so does the root's own record, in each version. A query waits for its event time, by a
// timer within the loop. It makes a row when its
// node is reached, at once or later, with the number 2^63 plus the query's sequence;
// one that never is has no row. Canonical rows are
// {"root":R,"version":V,"node":N,"arrivals":A} and
// {"root":R,"version":V,"node":N,"query":S}.
package reachability
