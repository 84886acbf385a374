package dataflow

import "weir/state"

// unmigrated is a store that makes the mistake MutantUnmigrated.
type unmigrated struct{ state.Store }

func (s unmigrated) Table(d state.Descriptor) (state.Table, error) {
	if d.Evolution != nil {
		d.Evolution = misreading{d.Evolution}
	}
	return s.Store.Table(d)
}

// misreading takes every schema for that of what is written.
type misreading struct{ state.Evolution }

func (m misreading) Judge(stored state.Schema) (state.Verdict, error) {
	as := m.Writes()
	as.Version = stored.Version
	return m.Evolution.Judge(as)
}
