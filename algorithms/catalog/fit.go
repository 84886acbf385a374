package catalog

import (
	"fmt"
	"slices"
	"strings"

	"weir/algorithms"
	"weir/dataflow"
	"weir/external/sinks"
)

// Fit returns why s cannot run a job of this graph with these settings, and the
// algorithms of the catalog that can; nil if s can. The error wraps a
// *dataflow.Refusal.
func Fit(s *algorithms.Spec, g *dataflow.Graph, c *dataflow.Config) error {
	err := s.Declared.Refuses(g, c)
	if err == nil {
		return nil
	}
	var would []string
	for _, o := range All() {
		if o.Declared.Refuses(g, c) == nil {
			would = append(would, o.Name)
		}
	}
	if len(would) == 0 {
		return fmt.Errorf("%s cannot run this: %w; no algorithm of the catalog can", s.Name, err)
	}
	return fmt.Errorf("%s cannot run this: %w; these can: %s", s.Name, err, strings.Join(would, ", "))
}

// FitSink returns what the output of a job of this graph is worth under s with a
// sink. The error, which wraps a *sinks.Refusal, says why s cannot serve it, what
// it can serve, and which algorithms of the catalog can serve that sink.
func FitSink(s *algorithms.Spec, sink *sinks.Sink, g *dataflow.Graph) (sinks.Promise, error) {
	deterministic := !slices.ContainsFunc(g.Vertices, func(v dataflow.Vertex) bool { return v.NonDeterministic })
	p, err := sink.Promise(s.Declared, deterministic)
	if err == nil {
		return p, nil
	}
	var would []string
	for _, o := range All() {
		if _, err := sink.Promise(o.Declared, deterministic); err == nil {
			would = append(would, o.Name)
		}
	}
	return p, fmt.Errorf("%s cannot run this: %w; the sink %s can be served by %s (docs/guarantees.md)", s.Name, err, sink.Name, strings.Join(would, ", "))
}
