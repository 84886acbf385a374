package dataflow

import (
	"errors"
	"testing"
)

// handsOn is a job of a writer and a committer that may go back behind a damaged checkpoint.
func handsOn(g *Graph, c *Config) {
	g.Vertices[0].Role, g.Vertices[1].Role, c.Checkpoint.Fallback = RoleWriter, RoleSink, true
}

// TestRefuses: each property that says what an algorithm cannot run.
func TestRefuses(t *testing.T) {
	most := Properties{Topologies: AnyTopology, Channels: AnyOrder, NonDeterminism: Tolerated}
	for _, c := range []struct {
		name    string
		declare func(p *Properties)
		job     func(g *Graph, c *Config)
		want    string // the property; "" : it runs
	}{
		{"nothing special", func(*Properties) {}, func(*Graph, *Config) {}, ""},
		{"a cycle", func(p *Properties) { p.Topologies = Acyclic }, func(g *Graph, _ *Config) { g.Edges[1].Back = true }, "Topologies: Acyclic"},
		{"a pointwise cycle", func(p *Properties) { p.Captures.Outputs = true }, func(g *Graph, _ *Config) { g.Edges[1].Back, g.Edges[1].Partitioning = true, Forward }, "Captures: Outputs"},
		{"reordering", func(p *Properties) { p.Channels = FIFO }, func(g *Graph, _ *Config) { g.Edges[1].Reorders = true }, "Channels: FIFO"},
		{"moods", func(p *Properties) { p.NonDeterminism = Refused }, func(g *Graph, _ *Config) { g.Vertices[1].NonDeterministic = true }, "NonDeterminism: Refused"},
		{"names in captured buffers", func(p *Properties) { p.Captures.Inputs = true }, handsOn, "Captures"},
		{"names in logs", func(p *Properties) { p.Logs = true }, handsOn, "Logs"},
		{"names in snapshots", func(*Properties) {}, handsOn, ""},
		{"no falling back", func(p *Properties) { p.Logs = true }, func(g *Graph, _ *Config) { g.Vertices[1].Role = RoleWriter }, ""},
		{"two at once", func(p *Properties) { p.MaxConcurrent = 1 }, func(_ *Graph, c *Config) { c.Checkpoint.MaxConcurrent = 2 }, "MaxConcurrent: 1"},
	} {
		g := &Graph{Vertices: []Vertex{{Name: "a"}, {Name: "b"}}, Edges: []Edge{{From: 0, To: 1}, {From: 1, To: 0}}}
		config := DefaultConfig()
		c.job(g, &config)
		if err := most.Refuses(g, &config); err != nil {
			t.Errorf("%s: an algorithm that can do everything: %v", c.name, err)
		}
		p := most
		c.declare(&p)
		var r *Refusal
		if err := p.Refuses(g, &config); errors.As(err, &r) != (c.want != "") || r != nil && r.Property != c.want {
			t.Errorf("%s: %v, want one that names %q", c.name, err, c.want)
		}
	}
}
