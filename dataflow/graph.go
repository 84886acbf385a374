package dataflow

import (
	"slices"

	"weir/id"
	"weir/state"
)

// Partitioning says which instance of the receiver gets a record.
type Partitioning uint8

const (
	Forward   Partitioning = iota + 1 // instance i to instance i; equal parallelism
	Hash                              // by the key group of the record's key
	Rebalance                         // round robin
	Broadcast                         // every instance
)

// Role says what a vertex does besides processing.
type Role uint8

// The roles of a vertex.
const (
	RoleOperator Role = iota
	RoleSource        // reads splits of a replayable log
	RoleSink          // writes to the outside world
	RoleWriter        // a sink that hands on what it has written, for another to commit
)

// Graph is a job's logical graph: vertices with parallelism, edges with
// partitioning. Build it once, then treat it as immutable.
type Graph struct {
	Vertices []Vertex
	Edges    []Edge
}

// SetSplits gives the log of every source so many splits; 0: as many as instances.
func (g *Graph) SetSplits(n int) {
	for i := range g.Vertices {
		if g.Vertices[i].Role == RoleSource {
			g.Vertices[i].Splits = n
		}
	}
}

// SameShape tells that two graphs have the same operators, each as wide. What a job of the one has
// stored is then the other's as it stands.
func (g *Graph) SameShape(o *Graph) bool {
	return slices.EqualFunc(g.Vertices, o.Vertices, func(a, b Vertex) bool { return a.Name == b.Name && a.Parallelism == b.Parallelism })
}

// splits is how many splits the log of a vertex has.
func (v *Vertex) splits() int {
	if v.Role == RoleSource && v.Splits == 0 {
		return v.Parallelism
	}
	return v.Splits
}

// Vertex is one operator of the graph.
type Vertex struct {
	// Name identifies the operator in snapshots: it must survive a changed graph.
	Name        string
	Parallelism int
	Role        Role
	// Splits is how many splits the log of a source has; 0: as many as instances.
	Splits int
	// Keyed says that the operator keeps keyed state: its inputs must be Hash edges.
	// A Broadcast edge beside them may bring what every instance is to know; its
	// records have no place in keyed state.
	Keyed bool
	// NonDeterministic says that the operator, given the same input again, may do
	// something else: it draws random numbers or reads the clock, for example. An
	// operator that asks its Context for such without it fails.
	NonDeterministic bool
	// New makes one instance. The operator must implement Source or Sink where the role says so.
	New func() Operator
}

// Edge connects two vertices, named by their index in Vertices.
type Edge struct {
	From, To int
	// Port is the output port of From: the index that Context.Out takes. Several
	// edges may share a port; each gets every record.
	Port int
	// Input is the input port of To, given to Operator.Process.
	Input        int
	Partitioning Partitioning
	// Key returns the hash of a record's key; only for Hash. It is called per record.
	Key func(rec []byte) uint64
	// Back marks a back-edge: the graph without them has no cycle.
	Back bool
	// Reorders lets the driver deliver what is sent on the edge's channels in any
	// order. Only for algorithms that declare Channels: AnyOrder.
	Reorders bool
}

// TaskInfo describes one task: what a protocol and an operator may know of the graph.
type TaskInfo struct {
	ID          id.TaskID
	Vertex      int
	Name        string // of the vertex
	Role        Role
	Index       int // instance, from 0
	Parallelism int
	// Splits is how many splits the vertex of a source has; FirstSplit is the number
	// of its first one in the job.
	Splits     int
	FirstSplit id.SplitID
	Groups     state.GroupRange
	NumGroups  int // of the job
	// Heads is the number of tasks with a back-edge among their inputs in the
	// loop of this one; 0: it is in no loop.
	Heads   int
	Inputs  []Channel
	Outputs []Channel
}

// Channel is one end of a channel as its task sees it.
type Channel struct {
	ID           id.ChannelID
	Peer         id.TaskID
	Port         int // Input: input port; Output: output port
	Edge         int // index in Graph.Edges
	Partitioning Partitioning
	Back         bool
	Loop         bool // within a loop: what leaves by it can come back
	// Forbidden edges (pointwise, broadcast) may not be overtaken by barriers:
	// captured buffers of such a channel could not be redistributed.
	Forbidden bool
	// Reorders: what is sent may arrive in any order, nothing is lost. The
	// receiving task then keeps a set of positions instead of one number.
	Reorders bool
}
