package scenario

import (
	"slices"

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
	return func(st state.Storage, newest func() sim.Complete, l sim.Lookup) (at sim.Complete, found [][]state.KeyedEntry, err error) {
		cfg := inspect.InMemory()
		cfg.Groups, cfg.Settings, cfg.Mutant = r.job.Config.Groups, statecatalog.Settings{Deterministic: true}, r.cfg.Mutant
		reader := inspect.NewReader(cfg, st, func() (inspect.Complete, error) { return inspect.Complete(newest()), nil })
		defer func() { _ = reader.Close() }() // what it has read is copied
		from, _, under, err := reader.Lookup(l.Operator, l.State, l.Keys)
		for i := range under {
			found = append(found, under[i].Entries)
		}
		return sim.Complete(from), found, err
	}
}
