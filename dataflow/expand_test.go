package dataflow

import (
	"strings"
	"testing"

	"weir/state"
	"weir/state/heap"
)

func newNothing() Operator { return &forward{} }

func vertex(name string, p int, role Role) Vertex {
	return Vertex{Name: name, Parallelism: p, Role: role, New: newNothing}
}

func hashKey([]byte) uint64 { return 0 }

// pipeline is a valid graph to be spoilt.
func pipeline() *Graph {
	return &Graph{
		Vertices: []Vertex{vertex("source", 2, RoleSource), vertex("count", 3, RoleOperator), vertex("sink", 1, RoleSink)},
		Edges:    []Edge{{From: 0, To: 1, Partitioning: Hash, Key: hashKey}, {From: 1, To: 2, Partitioning: Rebalance}},
	}
}

func TestExpandRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		spoil  func(g *Graph)
		groups int
		want   string
	}{
		{"no groups", func(*Graph) {}, 0, "outside 1..32768"},
		{"too many groups", func(*Graph) {}, 1<<15 + 1, "outside 1..32768"},
		{"empty", func(g *Graph) { g.Vertices = nil }, 8, "no vertices"},
		{"no name", func(g *Graph) { g.Vertices[1].Name = "" }, 8, "has no name"},
		{"one name twice", func(g *Graph) { g.Vertices[1].Name = "source" }, 8, `two vertices are called "source"`},
		{"no operator", func(g *Graph) { g.Vertices[1].New = nil }, 8, "count: no operator"},
		{"parallelism 0", func(g *Graph) { g.Vertices[1].Parallelism = 0 }, 8, "count: parallelism 0; it must be at least 1"},
		{"parallelism -1", func(g *Graph) { g.Vertices[1].Parallelism = -1 }, 8, "count: parallelism -1"},
		{"above the groups", func(g *Graph) { g.Vertices[1].Parallelism = 9 }, 8, "above the 8 key groups"},
		{"edge to nowhere", func(g *Graph) { g.Edges[1].To = 3 }, 8, "connects vertex 1 to 3; there are 3"},
		{"edge from nowhere", func(g *Graph) { g.Edges[1].From = -1 }, 8, "connects vertex -1"},
		{"into a source", func(g *Graph) { g.Edges[1].To = 0 }, 8, "a source takes no input"},
		{"out of a sink", func(g *Graph) { g.Edges[1].From, g.Edges[1].To = 2, 1 }, 8, "a sink has no output"},
		{"no partitioning", func(g *Graph) { g.Edges[1].Partitioning = 0 }, 8, "no partitioning"},
		{"forward with unequal parallelism", func(g *Graph) { g.Edges[1].Partitioning = Forward }, 8, "needs equal parallelism, not 3 and 1"},
		{"hash without key", func(g *Graph) { g.Edges[0].Key = nil }, 8, "needs a Key function"},
		{"keyed state on an unkeyed stream", func(g *Graph) {
			g.Vertices[1].Keyed = true
			g.Edges = append(g.Edges, Edge{From: 0, To: 1, Partitioning: Rebalance})
		}, 8, "count keeps keyed state, so its input must be partitioned by key"},
		{"keyed state on a broadcast stream", func(g *Graph) {
			g.Vertices[1].Keyed, g.Edges[0].Partitioning = true, Broadcast
		}, 8, "count keeps keyed state, but has no input that is partitioned by key"},
		{"keyed source", func(g *Graph) { g.Vertices[0].Keyed = true }, 8, "source keeps keyed state, but has no input"},
		{"output port -1", func(g *Graph) { g.Edges[0].Port = -1 }, 8, "output port -1"},
		{"input port -1", func(g *Graph) { g.Edges[0].Input = -1 }, 8, "input port -1"},
		{"unmarked cycle", func(g *Graph) {
			g.Edges = append(g.Edges, Edge{From: 1, To: 1, Partitioning: Rebalance})
		}, 8, "has a cycle through count -> count: mark the edge that closes it as Back"},
		{"long unmarked cycle", func(g *Graph) {
			g.Vertices = append(g.Vertices, vertex("map", 1, RoleOperator))
			g.Edges = append(g.Edges, Edge{From: 1, To: 3, Partitioning: Rebalance}, Edge{From: 3, To: 1, Partitioning: Rebalance})
		}, 8, "has a cycle through map -> count"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := pipeline()
			c.spoil(g)
			_, err := g.Expand(c.groups)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestExpand(t *testing.T) {
	g := pipeline()
	g.Vertices = append(g.Vertices, vertex("again", 3, RoleOperator))
	g.Edges = append(g.Edges,
		Edge{From: 1, To: 3, Partitioning: Forward, Port: 1}, Edge{From: 3, To: 1, Partitioning: Forward, Input: 1, Back: true})
	tasks, err := g.Expand(8)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 2+3+1+3 {
		t.Fatalf("%d tasks, want 9", len(tasks))
	}
	covered := 0
	type end struct{ in, out int }
	ends := map[int]*end{}
	at := func(c Channel) *end {
		if ends[int(c.ID)] == nil {
			ends[int(c.ID)] = &end{-1, -1}
		}
		return ends[int(c.ID)]
	}
	for i := range tasks {
		x := &tasks[i]
		if int(x.ID) != i {
			t.Errorf("task %d has the number %s", i, x.ID)
		}
		if x.Name == "count" {
			covered += int(x.Groups.Hi - x.Groups.Lo)
		}
		for _, c := range x.Outputs {
			at(c).in = i
			if c.Forbidden != (c.Partitioning == Forward || c.Partitioning == Broadcast) {
				t.Errorf("%s of %s: forbidden is %v", c.ID, x.ID, c.Forbidden)
			}
		}
		for _, c := range x.Inputs {
			at(c).out = i
			if c.Back != (x.Name == "count" && c.Port == 1) {
				t.Errorf("%s into %s: back is %v", c.ID, x.ID, c.Back)
			}
		}
	}
	if covered != 8 {
		t.Errorf("the counts own %d key groups, want 8", covered)
	}
	if want := 2*3 + 3*1 + 3 + 3; len(ends) != want {
		t.Errorf("%d channels, want %d", len(ends), want)
	}
	for c, e := range ends {
		if e.in < 0 || e.out < 0 {
			t.Errorf("channel %d has one end only", c)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	c := DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Fatalf("the defaults do not work: %v", err)
	}
	for want, spoil := range map[string]func(c *Config){
		"batch records: 0":           func(c *Config) { c.BatchRecords = 0 },
		"batch bytes: 1":             func(c *Config) { c.BatchBytes = 1 },
		"batch timeout: -1":          func(c *Config) { c.BatchTimeout = -1 },
		"queue buffers: 0":           func(c *Config) { c.QueueBuffers = 0 },
		"credits: 0":                 func(c *Config) { c.Credits = 0 },
		"source batch: 0":            func(c *Config) { c.SourceBatch = 0 },
		"checkpoint.interval: 0s":    func(c *Config) { c.Checkpoint.Interval = 0 },
		"checkpoint.min-pause: -1ns": func(c *Config) { c.Checkpoint.MinPause = -1 },
		"checkpoint.concurrent: 0":   func(c *Config) { c.Checkpoint.MaxConcurrent = 0 },
		"checkpoint.timeout: 0s":     func(c *Config) { c.Checkpoint.Timeout = 0 },
		"checkpoint.tolerated: -2":   func(c *Config) { c.Checkpoint.Tolerated = -2 },
		"checkpoint.retain: 0":       func(c *Config) { c.Checkpoint.Retain = 0 },
		`checkpoint.on-cancel: "keep"; it must be one of retain, delete`:                           func(c *Config) { c.Checkpoint.OnCancel = "keep" },
		`restart.strategy: ""; it must be one of none, progress`:                                   func(c *Config) { c.Restart.Strategy = "" },
		"restart.fixed-delay.attempts: -1":                                                         func(c *Config) { c.Restart.FixedAttempts = -1 },
		"restart.exponential-delay.backoff-multiplier: 0.99; it must be at least 1":                func(c *Config) { c.Restart.Multiplier = 99 },
		"restart.exponential-delay.jitter-factor: 1.01; it must be at most 1":                      func(c *Config) { c.Restart.Jitter = 101 },
		"restart.exponential-delay.initial-backoff is above restart.exponential-delay.max-backoff": func(c *Config) { c.Restart.MaxBackoff = 1 },
	} {
		bad := c
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want one that says %q", err, want)
		}
	}
}

// tabled opens a keyed state.
type tabled struct{ forward }

func (o *tabled) Open(c *Context) error {
	_, err := c.Store().Table(state.Descriptor{Name: "sum", Kind: state.KindValue, Codec: "bytes/1"})
	return err
}

func TestKeyedStateNeedsAKeyedVertex(t *testing.T) {
	for _, keyed := range []bool{false, true} {
		g := pipeline()
		g.Vertices[1].New = func() Operator { return &tabled{} }
		g.Vertices[1].Keyed = keyed
		infos, err := g.Expand(8)
		if err != nil {
			t.Fatal(err)
		}
		j := &Job{Graph: g, Backend: heap.Backend{}, Config: DefaultConfig(), Algorithm: scripted{func() Protocol { return &script{} }}}
		_, err = NewTask(j, &infos[2], Env{})
		if keyed && err != nil {
			t.Error(err)
		}
		if !keyed && (err == nil || !strings.Contains(err.Error(), `count opens the keyed state "sum" on a stream that is not partitioned by key`)) {
			t.Errorf("keyed state on an unkeyed vertex: the error is %v", err)
		}
	}
}

func TestRoleAndOperatorMustFit(t *testing.T) {
	g := pipeline()
	infos, err := g.Expand(8)
	if err != nil {
		t.Fatal(err)
	}
	j := &Job{Graph: g, Backend: heap.Backend{}, Config: DefaultConfig(), Algorithm: scripted{func() Protocol { return &script{} }}}
	if _, err := NewTask(j, &infos[0], Env{}); err == nil || !strings.Contains(err.Error(), "a source must implement Source") {
		t.Errorf("a source whose operator is none: the error is %v", err)
	}
}
