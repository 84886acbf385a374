package command

import (
	"errors"
	"fmt"
	"strings"

	"weir/algorithms"
	"weir/dataflow"
)

// meantFor returns the settings that are given, by algorithm, each only those that it reads. One that
// none of the chosen algorithms reads is an error.
func (c *choice) meantFor(chosen []*algorithms.Spec) ([]dataflow.Given, error) {
	given, err := c.settings.Given()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	all, err := algorithms.Deal(given, chosen)
	var unread *algorithms.UnreadError
	switch {
	case errors.As(err, &unread):
		return nil, fmt.Errorf("%w: %w: %s", errUsage, err, c.readers(&unread.Setting))
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return all, nil
}

// readers names the algorithms that read a setting.
func (c *choice) readers(s *dataflow.Setting) string {
	var of []string
	for _, name := range c.known.algorithms.Names() {
		if a, err := c.known.algorithms.Lookup(name); err == nil && s.Means(&a.Declared, a.Turns) {
			of = append(of, name)
		}
	}
	return strings.Join(of, ", ")
}
