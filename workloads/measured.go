package workloads

import "weir/dataflow"

// What follows is optional: what a workload implements to be measured and judged better. A
// workload with none of it runs, is checked, and has a throughput.

// Timed is a workload whose sink rows tell which source record they answer, so
// that an open loop knows how late each of them is. The load generator knows
// when a record was due by its sequence number, from which follow split and
// offset as Workload.Graph says.
type Timed interface {
	Workload
	// Answers returns how to find the record of a row in a job whose sources have
	// so many splits. The error says which settings keep rows from telling it.
	Answers(splits int) (Answers, error)
}

// Answers tells what the rows of one job answer.
type Answers struct {
	// Record returns the sequence number of the source record that a row answers:
	// of all records that the job had to see before it could make the row, the one
	// that is due last. With several splits that may be a record of any of
	// them: a window fires when the slowest has let the watermark pass. Negative:
	// no record made the row, as when the end of the input did, or several could
	// have and the row does not tell which. The row is borrowed. Safe for
	// concurrent use.
	Record func(row []byte) (seq int64)
	// Prompt: a record's row is made when the record is processed, so that the
	// first row of a new record shows that records are processed again. False for
	// windows, whose rows wait for the records behind theirs.
	Prompt bool
}

// Sized is a workload that tells about how large a job over it gets. All are
// guesses, for planning disk, memory and time.
type Sized interface {
	// Size is that of a job that has taken so many records.
	Size(records int64) Size
}

// Size is about how large a job gets.
type Size struct {
	Fill        int64 // records after which the state has its size; 0: it has none, or always
	State       int64 // bytes of all keyed state then
	Output      int64 // bytes of all rows at the sinks
	MostRecords int64 // that the job takes in a second on a few processors, at most
}

// Measured is a workload whose defaults are too small for a timed measurement.
type Measured interface {
	// Measured returns the settings to use unless others are given.
	Measured() map[string]string
}

// Totals is a workload whose canonical rows are totals that only grow: what
// a guarantee weaker than exactly once allows can then be told row by row.
type Totals interface {
	// Total returns what a canonical row counts, and up to what.
	Total(row []byte) (key string, n uint64, err error)
}

// Keyed is a workload whose rows tell what they are values of: a sink may then
// replace a value by a newer one.
type Keyed interface {
	Workload
	// Key returns the key of a row, and the version of its value: of two the higher
	// one is newer. A row that is never replaced is its own key. The key is borrowed.
	Key(row []byte) (key []byte, version uint64)
}

// Versioned is a workload whose job has versions, which differ in the schemas of their state:
// each reads what the others have stored, and has the same answer.
type Versioned interface {
	Workload
	// Versions returns which version Graph returns, 0 for one whose state has no schemas, and
	// how many there are, counted from 1.
	Versions() (now, of int)
	// GraphOf is Graph of a version.
	GraphOf(version, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error)
}

// Alone is a workload whose rows stand in the answer one by one, so that each
// can be judged when it becomes visible.
type Alone interface {
	Workload
	// AppendCanonical appends the canonical form of a row.
	AppendCanonical(dst, row []byte) []byte
}
