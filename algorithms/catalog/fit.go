package catalog

import (
	"fmt"
	"strings"

	"weir/algorithms"
	"weir/dataflow"
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
