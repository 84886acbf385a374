package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/mutants"
)

// strike is what run and sweep are told to do to every job instead of what the
// seed draws, and what it is to draw beside faults.
type strike struct {
	plan, mutant, operations string
}

func (s *strike) flags(f *pflag.FlagSet) {
	f.StringVar(&s.plan, "plan", "", "fault plan instead of drawn faults, for example '(plan (crash worker=1 at (nth 7 barrier-received)) (rescale to=3 at (nth 2 completed)))'")
	f.StringVar(&s.operations, "operations", "", "operations drawn beside faults: all, none, or a comma list of "+strings.Join(operationNames(), ", ")+"; if not given, some of them in one of four runs that draw their cell, else none")
	f.StringVar(&s.mutant, "mutant", "none", "switch a deliberate mistake on; the command list names them")
}

// parse returns the plan, planned if there is one, and the mistake.
func (s *strike) parse(given func(flag string) bool) (plan faults.Plan, planned bool, m dataflow.Mutant, err error) {
	if planned = given("plan"); planned && strings.TrimSpace(s.plan) == "" {
		return plan, true, "", fmt.Errorf("%w: --plan is empty; a run without faults is run --calm", errUsage)
	}
	if planned {
		if plan, err = faults.Parse(s.plan); err != nil {
			return plan, true, "", fmt.Errorf("%w: --plan: %w", errUsage, err)
		}
	}
	if m, err = mutant(s.mutant); err != nil {
		return plan, planned, "", fmt.Errorf("%w: %w", errUsage, err)
	}
	return plan, planned, m, nil
}

// on sets plan and mistake of combinations.
func (s *strike) on(cfgs []scenario.Config, given func(flag string) bool) error {
	plan, planned, m, err := s.parse(given)
	if err != nil {
		return err
	}
	if err := haveIt(cfgs, m); err != nil {
		return err
	}
	operations, err := s.drawn(planned, given("operations"))
	if err != nil {
		return err
	}
	for i := range cfgs {
		cfgs[i].Operations = operations
		if cfgs[i].Mutant = m; planned {
			cfgs[i].Faults, cfgs[i].Plan = scenario.PlannedFaults, plan
		}
	}
	return nil
}

// drawable are the operations that can be drawn.
var drawable = []faults.Kind{faults.Rescale, faults.Failover, faults.Query, faults.Savepoint, faults.StopSaved, faults.Upgrade, faults.Resume}

// byDefault are those that runs draw which draw their cell, if nothing is said of it: all that leave the
// run one job.
var byDefault = drawable[:slices.Index(drawable, faults.Resume)]

func operationNames() (names []string) {
	for _, k := range drawable {
		names = append(names, k.String())
	}
	return names
}

// drawn returns the operations that all runs are to draw.
func (s *strike) drawn(planned, given bool) (kinds []faults.Kind, err error) {
	if !given || s.operations == "none" {
		return nil, nil
	}
	if planned {
		return nil, fmt.Errorf("%w: --operations draws what --plan says; give one of them", errUsage)
	}
	names, err := pick("operation", s.operations, operationNames())
	for _, name := range names {
		kinds = append(kinds, drawable[slices.Index(operationNames(), name)])
	}
	return kinds, err
}

// haveIt returns an error if no combination has the mistake m in its code: their
// runs would be those without it. One of an algorithm that the catalog does not
// have may.
func haveIt(cfgs []scenario.Config, m dataflow.Mutant) error {
	if m == "" {
		return nil
	}
	mistake, err := mutants.Lookup(string(m))
	if err != nil {
		return err
	}
	for i := range cfgs {
		c := &cfgs[i]
		_, err := catalog.Lookup(c.Algorithm.Name)
		if err != nil || mistake.Has(c.Algorithm.Name, c.State, c.SinkName()) {
			return nil
		}
	}
	return fmt.Errorf("%w: --mutant %s: nothing that would run has this mistake; %s", errUsage, m, mistake.Where())
}

// mutant returns the deliberate mistake called name; "none" is none.
func mutant(name string) (dataflow.Mutant, error) {
	if name == "none" {
		return "", nil
	}
	m, err := mutants.Lookup(name)
	return m.Mutant, err
}
