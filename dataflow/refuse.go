package dataflow

import (
	"fmt"
	"slices"
)

// Refusal says that an algorithm cannot run a job, by what it declares.
type Refusal struct {
	Property string // as declared, for example "Topologies: Acyclic"
	Reason   string // what in the job is against it, and what would go wrong
}

// Error names the property and the reason.
func (r *Refusal) Error() string {
	return fmt.Sprintf("it declares %s, but %s", r.Property, r.Reason)
}

// Refuses returns a *Refusal if an algorithm with these properties cannot run
// the graph with the settings, nil if it can. It is asked before every run.
func (p *Properties) Refuses(g *Graph, c *Config) error {
	for i := range g.Edges {
		e := &g.Edges[i]
		between := g.Vertices[e.From].Name + " -> " + g.Vertices[e.To].Name
		if e.Back && p.Topologies == Acyclic {
			return &Refusal{"Topologies: Acyclic", between + " is a back-edge: its snapshots would miss what goes round"}
		}
		if e.Back && p.Captures.Outputs && (e.Partitioning == Forward || e.Partitioning == Broadcast) {
			return &Refusal{"Captures: Outputs", between + " is a back-edge that no barrier may overtake: its own task would wait for it for ever"}
		}
		if e.Reorders && p.Channels == FIFO {
			return &Refusal{"Channels: FIFO", between + " may reorder: a marker would say nothing of what was sent before it"}
		}
	}
	for i := range g.Vertices {
		if v := &g.Vertices[i]; v.NonDeterministic && p.NonDeterminism == Refused {
			return &Refusal{"NonDeterminism: Refused", v.Name + " is not deterministic: run again, it would contradict effects that stand"}
		}
	}
	if err := p.refusesFallback(g, c); err != nil {
		return err
	}
	if n := c.Checkpoint.MaxConcurrent; p.MaxConcurrent > 0 && n > p.MaxConcurrent {
		return &Refusal{fmt.Sprintf("MaxConcurrent: %d", p.MaxConcurrent), fmt.Sprintf("checkpoint.concurrent is %d: so many would be under way at once", n)}
	}
	return nil
}

// refusesFallback: where buffers come back from snapshots or logs, an older checkpoint holds what
// a writer had handed on for another to commit. That names rows outside which are visible
// since, and no longer to be had: such a job would never come up again.
func (p *Properties) refusesFallback(g *Graph, c *Config) error {
	holds := "Captures"
	if p.Logs {
		holds = "Logs"
	}
	if !c.Checkpoint.Fallback || !p.Logs && p.Captures == (Captures{}) {
		return nil
	}
	for i := range g.Vertices {
		if v := &g.Vertices[i]; v.Role == RoleWriter {
			return &Refusal{holds, v.Name + " hands on names of rows for a committer, and with checkpoint.fallback an older checkpoint would put back names of rows that are committed since: leave it out, or take a sink that writes and commits in one place"}
		}
	}
	return nil
}

// RefusesChange returns a *Refusal if a job under an algorithm with these properties cannot go on as
// graph next from what it has stored as graph before; nil, as any other graph.
func (p *Properties) RefusesChange(before, next *Graph) error {
	if !p.HasRounds() {
		return &Refusal{
			"snapshots that are no rounds",
			"a job goes on with another parallelism from a job-wide checkpoint: message logs are of channels that are no more then, and without snapshots there is nothing",
		}
	}
	if i := slices.IndexFunc(next.Edges, func(e Edge) bool { return e.Back }); i >= 0 {
		return &Refusal{"Snapshots: Rounds", next.Vertices[next.Edges[i].From].Name + " lies in a loop: what goes round is part of a checkpoint and cannot be handed out anew"}
	}
	for i := range next.Edges {
		e := &next.Edges[i]
		if before != nil && next.Vertices[e.To].Parallelism == before.Vertices[e.To].Parallelism {
			continue
		}
		if err := p.handsOut(next, e); err != nil {
			return err
		}
	}
	return nil
}

// handsOut returns why what an algorithm captures on an edge cannot be handed out to other
// receivers: on a broadcast edge each of them has one of its own, or has handled it. Who has
// barriers overtake captures on both sides, and aligns such edges. That one captures on
// back-edges alone it does not declare.
func (p *Properties) handsOut(g *Graph, e *Edge) error {
	if e.Partitioning != Broadcast || p.Captures.Inputs == p.Captures.Outputs {
		return nil
	}
	side := "Inputs"
	if p.Captures.Outputs {
		side = "Outputs"
	}
	return &Refusal{
		"Captures: " + side,
		fmt.Sprintf("%s -> %s is a broadcast edge whose receivers change: what is under way to one of them is nobody else's", g.Vertices[e.From].Name, g.Vertices[e.To].Name),
	}
}

// Validate reports the first thing that keeps the job from running, and what to do.
func (j *Job) Validate() error {
	if err := j.Config.Validate(); err != nil {
		return err
	}
	p := j.Algorithm.Properties()
	return p.Refuses(j.Graph, &j.Config)
}
