package catalog

import (
	"strings"
	"testing"

	"weir/dataflow"
)

// TestFitNamesTheOthers: a refusal says the property and who would do.
func TestFitNamesTheOthers(t *testing.T) {
	c := dataflow.DefaultConfig()
	g := &dataflow.Graph{Vertices: []dataflow.Vertex{{Name: "a"}, {Name: "b"}}, Edges: []dataflow.Edge{{From: 0, To: 1}, {From: 1, To: 0, Back: true, Reorders: true}}}
	for _, s := range All() {
		err := Fit(s, g, &c)
		if s.Name == "none" {
			if err != nil {
				t.Errorf("none needs nothing of channels and graph: %v", err)
			}
			continue
		}
		if p := s.Declared; p.Channels == dataflow.FIFO && (err == nil || !strings.Contains(err.Error(), s.Name+" cannot run this: it declares ") || !strings.Contains(err.Error(), "these can: none")) {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
	g.Edges = g.Edges[:1]
	for _, s := range All() {
		if err := Fit(s, g, &c); err != nil {
			t.Errorf("%s on a plain graph: %v", s.Name, err)
		}
	}
}
