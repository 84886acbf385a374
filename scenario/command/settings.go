package command

import (
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
	all := make([]dataflow.Given, len(chosen))
	meant := dataflow.Given{}
	for i, a := range chosen {
		p := a.Properties()
		all[i] = given.For(&p, a.Turns)
		if err := all[i].Agree(&p); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errUsage, a.Name, err)
		}
		for name := range all[i] {
			meant[name] = ""
		}
	}
	for _, s := range dataflow.Settings() {
		if given.Has(s.Name) && !meant.Has(s.Name) {
			return nil, fmt.Errorf("%w: setting %s (--%s) means nothing to %s: it is read by %s", errUsage, s.Name, s.Flag, names(chosen), c.readers(&s))
		}
	}
	return all, nil
}

func names(all []*algorithms.Spec) string {
	var names []string
	for _, a := range all {
		names = append(names, a.Name)
	}
	return strings.Join(names, ", ")
}

// readers says which algorithms read a setting.
func (c *choice) readers(s *dataflow.Setting) string {
	var of []*algorithms.Spec
	for _, name := range c.known.algorithms.Names() {
		if a, err := c.known.algorithms.Lookup(name); err == nil {
			if p := a.Properties(); s.Means(&p, a.Turns) {
				of = append(of, a)
			}
		}
	}
	return fmt.Sprintf("%s: %s", s.Readers, names(of))
}
