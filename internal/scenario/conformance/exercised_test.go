package conformance

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"

	"weir/algorithms"
	"weir/algorithms/catalog"
	"weir/dataflow"
	"weir/internal/algorithms/algorithmstest"
	"weir/scenario"
	"weir/workloads/keyedcount"
)

func everyAlgorithm() []*algorithms.Spec {
	return append(catalog.All(), algorithmstest.Families()...)
}

// source parses one file of package dataflow or faults.
func source(t *testing.T, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../../../"+name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// constants returns the names of the typed constants of a file, by type.
func constants(f *ast.File) map[string][]string {
	all := map[string][]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		kind := ""
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			if n, ok := v.Type.(*ast.Ident); ok {
				kind = n.Name
			}
			if kind != "" {
				all[kind] = append(all[kind], v.Names[0].Name)
			}
		}
	}
	return all
}

// missing compares names with what was exercised; gaps are known not to be, and
// must go from the list once they are.
func missing(t *testing.T, what string, names []string, exercised map[string]bool, gaps map[string]string) {
	t.Helper()
	if len(names) == 0 {
		t.Fatalf("no %s found: the test looks in the wrong place", what)
	}
	for _, n := range names {
		switch why, gap := gaps[n]; {
		case !exercised[n] && !gap:
			t.Errorf("%s %s: no algorithm of the catalog and no family exercises it: write one, or delete it", what, n)
		case exercised[n] && gap:
			t.Errorf("%s %s is exercised now: %q holds no more", what, n, why)
		}
	}
}

// TestEveryHookAndKernelMethodIsExercised: some run of some algorithm, which the
// oracles pass, calls each of them.
func TestEveryHookAndKernelMethodIsExercised(t *testing.T) {
	called := map[string]bool{}
	for _, s := range everyAlgorithm() {
		spied := *s
		spied.Protocol = func(i *dataflow.TaskInfo, c *dataflow.Config) dataflow.Protocol {
			return spyOn(t, s.NewProtocol(i, c), called)
		}
		run(t, scenario.Config{Algorithm: &spied, Mild: true}, 12)
		run(t, scenario.Config{Algorithm: &spied, Workload: shapeNamed("forward-broadcast"), Mild: true}, 2)
	}
	missing(t, "hook", hookNames(t), called, nil)
	var names []string
	for m := range reflect.TypeFor[dataflow.Protocol]().Methods() {
		names = append(names, m.Name)
	}
	missing(t, "Protocol method", names, called, nil)
	names = nil
	for m := range reflect.TypeFor[dataflow.Kernel]().Methods() {
		names = append(names, "Kernel."+m.Name)
	}
	missing(t, "method", names, called, nil)
}

// hookNames are the optional interfaces of a protocol.
func hookNames(t *testing.T) (names []string) {
	for _, d := range source(t, "dataflow/protocol.go").Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE || !g.Lparen.IsValid() {
			continue
		}
		for _, s := range g.Specs {
			x := s.(*ast.TypeSpec)
			if _, ok := x.Type.(*ast.InterfaceType); ok {
				names = append(names, x.Name.Name)
			}
		}
	}
	return names
}

// TestEveryPropertyValueIsDeclared, and what is declared is judged by Try.
func TestEveryPropertyValueIsDeclared(t *testing.T) {
	values := constants(source(t, "dataflow/job.go"))
	declared := map[string]bool{}
	for _, s := range everyAlgorithm() {
		p := reflect.ValueOf(s.Declared)
		for i := range p.NumField() {
			f := p.Field(i)
			if names := values[f.Type().Name()]; names != nil {
				first := 0
				if slices.Contains([]string{"Guarantee", "Scope"}, f.Type().Name()) {
					first = 1 // their zero value is no value
				}
				declared[names[int(f.Uint())-first]] = true
			}
		}
	}
	var names []string
	for _, kind := range []string{"Guarantee", "Scope", "Snapshots", "Order", "Topology", "NonDeterminism"} {
		names = append(names, values[kind]...)
	}
	missing(t, "property value", names, declared, nil)
}

// run runs a combination on the line; every run must be fine.
func run(t *testing.T, c scenario.Config, seeds uint64) []scenario.Outcome {
	t.Helper()
	all := attempts(t, c, seeds)
	for _, o := range all {
		if o.Kind != scenario.Fine {
			t.Fatalf("%s, seed %d: %s: %s", c.Algorithm.Name, o.Seed, o.Kind, o.Why())
		}
	}
	return all
}

func attempts(t *testing.T, c scenario.Config, seeds uint64) (all []scenario.Outcome) {
	t.Helper()
	c.State = "heap"
	if c.Workload == nil {
		c.Workload = keyedcount.New()
		c.Workload.Small()
	}
	r, err := scenario.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for seed := uint64(1); seed <= seeds; seed++ {
		all = append(all, *r.Run(seed))
	}
	return all
}

// hooksOf names the optional hooks of a protocol by the first letters of their methods.
func hooksOf(p dataflow.Protocol) string {
	var b strings.Builder
	for _, m := range []string{"Announce", "Deliver", "After", "Stamp", "Sealed", "HoldsOutput", "Dedups", "Recall"} {
		if reflect.ValueOf(p).MethodByName(m).IsValid() {
			fmt.Fprintf(&b, "%s ", m)
		}
	}
	return strings.TrimSpace(b.String())
}
