package dataflow

import (
	"fmt"

	"weir/id"
	"weir/state"
	"weir/state/changelog"
)

// Expand validates the graph and returns its tasks in order of vertices and
// instances: TaskID is the index.
func (g *Graph) Expand(groups int) ([]TaskInfo, error) {
	if err := g.validate(groups); err != nil {
		return nil, err
	}
	var tasks []TaskInfo
	var split id.SplitID
	first := make([]int, len(g.Vertices))
	for v := range g.Vertices {
		x := &g.Vertices[v]
		first[v] = len(tasks)
		for i := range x.Parallelism {
			tasks = append(tasks, TaskInfo{
				ID: id.TaskID(len(tasks)), Vertex: v, Name: x.Name, Role: x.Role, Index: i, Parallelism: x.Parallelism,
				Splits: x.splits(), FirstSplit: split, Groups: state.GroupsOf(i, x.Parallelism, groups), NumGroups: groups,
			})
		}
		split += id.SplitID(x.splits())
	}
	g.reserve(tasks)
	within, heads := g.loops()
	for t := range tasks {
		tasks[t].Heads = heads[tasks[t].Vertex]
	}
	var next id.ChannelID
	for n := range g.Edges {
		e := &g.Edges[n]
		for i := range g.Vertices[e.From].Parallelism {
			for j := range g.Vertices[e.To].Parallelism {
				if e.Partitioning == Forward && i != j {
					continue
				}
				from, to := &tasks[first[e.From]+i], &tasks[first[e.To]+j]
				c := Channel{
					ID: next, Edge: n, Partitioning: e.Partitioning, Back: e.Back, Loop: within[n], Reorders: e.Reorders,
					Forbidden: e.Partitioning == Forward || e.Partitioning == Broadcast,
				}
				next++
				c.Peer, c.Port = to.ID, e.Port
				from.Outputs = append(from.Outputs, c)
				c.Peer, c.Port = from.ID, e.Input
				to.Inputs = append(to.Inputs, c)
			}
		}
	}
	return tasks, nil
}

// reserve gives each task room for its channels: a shuffle of hundreds by
// hundreds has too many to let the lists grow.
func (g *Graph) reserve(tasks []TaskInfo) {
	for t := range tasks {
		in, out := 0, 0
		for n := range g.Edges {
			e := &g.Edges[n]
			from, to := g.Vertices[e.From].Parallelism, g.Vertices[e.To].Parallelism
			if e.Partitioning == Forward {
				from, to = 1, 1
			}
			if e.From == tasks[t].Vertex {
				out += to
			}
			if e.To == tasks[t].Vertex {
				in += from
			}
		}
		tasks[t].Inputs, tasks[t].Outputs = make([]Channel, 0, in), make([]Channel, 0, out)
	}
}

// MaxGroups is the largest number of key groups of a job.
const MaxGroups = 1 << 15

func (g *Graph) validate(groups int) error {
	if groups < 1 || groups > MaxGroups {
		return fmt.Errorf("key groups: %d is outside 1..%d", groups, MaxGroups)
	}
	if len(g.Vertices) == 0 {
		return fmt.Errorf("the graph has no vertices")
	}
	names := make(map[string]bool, len(g.Vertices))
	for i := range g.Vertices {
		v := &g.Vertices[i]
		switch {
		case v.Name == "":
			return fmt.Errorf("vertex %d has no name: snapshots identify operators by name", i)
		case names[v.Name]:
			return fmt.Errorf("two vertices are called %q: snapshots identify operators by name", v.Name)
		case v.New == nil:
			return fmt.Errorf("%s: no operator (Vertex.New is nil)", v.Name)
		case v.Parallelism < 1:
			return fmt.Errorf("%s: parallelism %d; it must be at least 1", v.Name, v.Parallelism)
		case v.Parallelism > groups:
			return fmt.Errorf("%s: parallelism %d is above the %d key groups; lower it or raise the groups", v.Name, v.Parallelism, groups)
		case v.Splits < 0 || v.Splits > 0 && v.Role != RoleSource:
			return fmt.Errorf("%s: %d splits; a source has at least 1, others have none", v.Name, v.Splits)
		case v.Keyed && !g.hashed(i):
			return fmt.Errorf("%s keeps keyed state, but has no input that is partitioned by key (Hash)", v.Name)
		}
		names[v.Name] = true
	}
	for i := range g.Edges {
		if err := g.validateEdge(i); err != nil {
			return err
		}
	}
	if err := g.checkAcyclic(); err != nil {
		return err
	}
	return g.checkLoops()
}

// checkLoops fails on a back-edge that closes no cycle, and on a loop that reorders.
func (g *Graph) checkLoops() error {
	within, _ := g.loops()
	for i := range g.Edges {
		e := &g.Edges[i]
		where := fmt.Sprintf("edge %s -> %s", g.Vertices[e.From].Name, g.Vertices[e.To].Name)
		switch {
		case e.Back && !within[i]:
			return fmt.Errorf("%s: marked as Back, and it closes no cycle", where)
		case e.Reorders && within[i]:
			return fmt.Errorf("%s: lies within a loop, whose channels must be FIFO: its end is found by what arrives behind everything else", where)
		}
	}
	return nil
}

// hashed reports whether a vertex has an input that is partitioned by key.
func (g *Graph) hashed(v int) bool {
	for i := range g.Edges {
		if g.Edges[i].To == v && g.Edges[i].Partitioning == Hash {
			return true
		}
	}
	return false
}

func (g *Graph) validateEdge(i int) error {
	e := &g.Edges[i]
	if e.From < 0 || e.From >= len(g.Vertices) || e.To < 0 || e.To >= len(g.Vertices) {
		return fmt.Errorf("edge %d connects vertex %d to %d; there are %d", i, e.From, e.To, len(g.Vertices))
	}
	from, to := &g.Vertices[e.From], &g.Vertices[e.To]
	where := fmt.Sprintf("edge %s -> %s", from.Name, to.Name)
	switch {
	case e.Port < 0:
		return fmt.Errorf("%s: output port %d; ports count from 0", where, e.Port)
	case e.Input < 0:
		return fmt.Errorf("%s: input port %d; ports count from 0", where, e.Input)
	case to.Role == RoleSource:
		return fmt.Errorf("%s: a source takes no input", where)
	case from.Role == RoleSink:
		return fmt.Errorf("%s: a sink has no output", where)
	case e.Partitioning < Forward || e.Partitioning > Broadcast:
		return fmt.Errorf("%s: no partitioning", where)
	case e.Partitioning == Forward && from.Parallelism != to.Parallelism:
		return fmt.Errorf("%s: a forward edge needs equal parallelism, not %d and %d; use Rebalance", where, from.Parallelism, to.Parallelism)
	case e.Partitioning == Hash && e.Key == nil:
		return fmt.Errorf("%s: a hash edge needs a Key function", where)
	case to.Keyed && e.Partitioning != Hash && e.Partitioning != Broadcast:
		return fmt.Errorf("%s: %s keeps keyed state, so its input must be partitioned by key (Hash)", where, to.Name)
	}
	return nil
}

// checkAcyclic fails on a cycle without a marked back-edge.
func (g *Graph) checkAcyclic() error {
	const visiting, done = 1, 2
	mark := make([]int, len(g.Vertices))
	var visit func(v int) error
	visit = func(v int) error {
		mark[v] = visiting
		for i := range g.Edges {
			e := &g.Edges[i]
			if e.From != v || e.Back {
				continue
			}
			if mark[e.To] == visiting {
				return fmt.Errorf("the graph has a cycle through %s -> %s: mark the edge that closes it as Back", g.Vertices[v].Name, g.Vertices[e.To].Name)
			}
			if mark[e.To] == 0 {
				if err := visit(e.To); err != nil {
					return err
				}
			}
		}
		mark[v] = done
		return nil
	}
	for v := range g.Vertices {
		if mark[v] == 0 {
			if err := visit(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// Validate reports the first setting that cannot work, and what to do.
func (c *Config) Validate() error {
	type bound struct {
		name string
		v    int64
		low  int64
	}
	for _, b := range []bound{
		{"batch records", int64(c.BatchRecords), 1}, {"batch bytes", int64(c.BatchBytes), 64},
		{"batch timeout", int64(c.BatchTimeout), 0}, {"queue buffers", int64(c.QueueBuffers), 1},
		{"credits", int64(c.Credits), 1}, {"source batch", int64(c.SourceBatch), 1}, {"timers per turn", int64(c.TimersPerTurn), 1},
	} {
		if b.v < b.low {
			return fmt.Errorf("%s: %d; it must be at least %d", b.name, b.v, b.low)
		}
	}
	for i := range settings {
		if err := settings[i].check(c); err != nil {
			return err
		}
	}
	return c.Restart.agree()
}

// DefaultConfig returns settings that suit a real run: batches of up to 1,024
// records or 32 KiB, a checkpoint every second.
func DefaultConfig() Config {
	const millisecond = Nanos(1e6)
	return Config{
		BatchRecords: 1024, BatchBytes: 32 << 10, BatchTimeout: millisecond, QueueBuffers: 4, Credits: 4, SourceBatch: 1024, TimersPerTurn: 64,
		Groups: state.DefaultGroups,
		Checkpoint: CheckpointConfig{
			Interval: 1000 * millisecond, MaxConcurrent: 1, Timeout: 600_000 * millisecond, AlignmentTimeout: 100 * millisecond, Tolerated: 0, Retain: 1,
			OnCancel: RetainOnCancel, AfterFinished: true, ChangelogSegment: changelog.DefaultSegmentBytes,
		},
		Restart: RestartConfig{
			Strategy: RestartProgress, ProgressAttempts: 20, Failover: FailoverFull,
			FixedAttempts: 1, FixedDelay: 1000 * millisecond,
			InitialBackoff: 1000 * millisecond, MaxBackoff: 60_000 * millisecond, Multiplier: 150, Jitter: 10, ResetThreshold: 3_600_000 * millisecond,
			MaxFailures: 1, FailureInterval: 60_000 * millisecond, FailureDelay: 1000 * millisecond,
		},
	}
}
