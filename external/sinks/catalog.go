package sinks

import (
	"fmt"
	"strings"

	"weir/dataflow"
	"weir/trace"
)

// Shows says what a reader may see of rows, and when.
type Shows uint8

const (
	// Committed rows only: a row is visible when the snapshot that holds it, or
	// that holds what made it, cannot be rolled back any more.
	Committed Shows = iota
	// Rows at once: what a recovery makes again is visible again.
	Rows
	// Values at once: of each key the row of the highest version, whatever came
	// when and how often.
	Values
)

// Sink is one entry of the catalog.
type Sink struct {
	Name  string // on command lines and in results
	Short string // one line: how it works
	Shows Shows
	// Commits is the operation that makes what a snapshot holds visible; NoOp: no
	// snapshot has to do with what is.
	Commits dataflow.ExtKind
	// Writes is the operation that hands rows to the store as they come, each under a number,
	// which a snapshot waits for; NoOp: rows stand in the snapshot.
	Writes dataflow.ExtKind
	// New makes the operator at the end of the graph, for one task.
	New func(c Config) dataflow.Sink
	// Committer makes that of one more vertex, which what New makes hands to; nil:
	// there is none.
	Committer func(c Config) dataflow.Sink
	// Cut: what the vertices hand each other names what is outside, so that the
	// snapshots of both must be one consistent cut.
	Cut bool
}

// Config is what the sinks of one job are made with. The zero value is that of a
// real run.
type Config struct {
	// Chunk bounds the bytes of rows that a sink keeps before it hands them to the
	// store, where it may; 0: ChunkBytes.
	Chunk int
	// Key returns what a row is a value of, and which; nil: rows do not tell, and
	// no sink whose reader sees Values can be made.
	Key func(row []byte) (key []byte, version uint64)
	// Mutant switches a deliberate mistake on: one of this package, others mean
	// nothing here.
	Mutant dataflow.Mutant
}

// all returns the sinks in the order of reports.
func all() []*Sink {
	return []*Sink{
		{
			Name: "append", Short: "rows are visible at the end of the turn that brought them", Shows: Rows, Writes: trace.ExtAppend,
			New: func(Config) dataflow.Sink { return &Append{} },
		},
		{
			Name: "upsert", Short: "rows are values of keys and visible at once; of each key the one of the highest version stays", Shows: Values, Writes: trace.Upsert,
			New: func(c Config) dataflow.Sink { return &Upsert{key: c.Key} },
		},
		{
			Name: "two-phase", Short: "rows are written to a transaction, which a snapshot pre-commits and its completion commits", Shows: Committed, Commits: trace.Commit, Writes: trace.ExtWrite,
			New: func(c Config) dataflow.Sink { return &TwoPhase{Chunk: c.Chunk, mutant: c.Mutant} },
		},
		{
			Name: "write-ahead", Short: "rows stand in the snapshot, and are inserted once when it is complete", Shows: Committed, Commits: trace.Insert,
			New: func(c Config) dataflow.Sink { return &WriteAhead{ledger{mutant: c.Mutant}} },
		},
		{
			Name: "committer", Short: "writers stage rows and hand committables to a committer, which publishes those of complete snapshots", Shows: Committed, Commits: trace.Publish, Writes: trace.Stage,
			New: func(c Config) dataflow.Sink {
				return &Writer{hasty: c.Mutant == MutantSealBeforeStaged, short: c.Mutant == MutantSealOneShort}
			},
			Committer: func(c Config) dataflow.Sink {
				return &Committer{naive: c.Mutant == MutantLateCommittables, ledger: ledger{mutant: c.Mutant}}
			},
			Cut: true,
		},
	}
}

// All returns the sinks in the order of reports.
func All() []*Sink { return all() }

// Names returns the names of All.
func Names() []string {
	var names []string
	for _, s := range all() {
		names = append(names, s.Name)
	}
	return names
}

// Lookup returns the sink called name; the error lists the known ones.
func Lookup(name string) (*Sink, error) {
	for _, s := range all() {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, fmt.Errorf("unknown sink %q; known: %s", name, strings.Join(Names(), ", "))
}

// For returns the sink that a job gets unless it is told: append where no
// snapshot would ever commit a transaction, two-phase elsewhere.
func For(p dataflow.Properties) *Sink {
	name := "two-phase"
	if p.Snapshots == dataflow.NoSnapshots {
		name = "append"
	}
	s, err := Lookup(name)
	if err != nil {
		panic(err) // the catalog has both
	}
	return s
}

// Extend adds to a graph whose sink vertices hold s what comes behind them.
func (s *Sink) Extend(g *dataflow.Graph, c Config) {
	if s.Committer != nil {
		addCommitters(g, func() dataflow.Operator { return s.Committer(c) })
	}
}

// Operator returns what makes the operator of a sink vertex.
func (s *Sink) Operator(c Config) func() dataflow.Operator {
	return func() dataflow.Operator { return s.New(c) }
}
