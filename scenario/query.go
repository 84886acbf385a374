package scenario

import (
	"slices"

	"weir/dataflow"
	"weir/faults"
	"weir/scenario/inspect"
	"weir/sim"
	"weir/state"
	statecatalog "weir/state/catalog"
)

// readerOf returns what reads in storage for the queries of a plan; nil: it has none.
func (r *Runner) readerOf(p faults.Plan) sim.Reader {
	if !slices.ContainsFunc(p.Faults, func(f faults.Fault) bool { return f.Kind == faults.Query }) {
		return nil
	}
	return func(st state.Storage, newest func() dataflow.Complete, l sim.Lookup) (at dataflow.Complete, found [][]state.KeyedEntry, err error) {
		cfg := inspect.InMemory()
		cfg.Groups, cfg.Settings, cfg.Mutant = r.job.Config.Groups, statecatalog.Settings{Deterministic: true}, r.cfg.Mutant
		reader := inspect.NewReader(cfg, st, func() (dataflow.Complete, error) { return newest(), nil })
		defer func() { _ = reader.Close() }() // what it has read is copied
		at, _, under, err := reader.Lookup(l.Operator, l.State, l.Keys)
		for i := range under {
			found = append(found, under[i].Entries)
		}
		return at, found, err
	}
}
