package workloads

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"weir/dataflow"
)

// Job is the least that must be known of a job to check it; Of makes a workload
// of it. What it is to be measured by stands in Workload and the interfaces that
// are optional.
type Job struct {
	Name    string // on command lines and in messages
	Records int    // of the input, over all splits of all sources

	// Graph returns the job's graph over an input of so many records, of vertices
	// with the given parallelism; sink makes the operator of a sink vertex.
	Graph func(records, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error)
	// RecordID returns the number of a source record, from 0 and below Records, as
	// its bytes leave the source. [SplitOf] says which of them a split holds: with one
	// source, split p of P those whose number modulo P is p, in ascending order.
	RecordID func(rec []byte) uint64

	// Text appends a row of a sink as it stands in the answer; nil: as it is.
	Text func(dst, row []byte) []byte
	// Key returns what a row is a value of, and which, as Keyed says; nil: rows do
	// not tell, and no sink can replace one by another.
	Key func(row []byte) (key []byte, version uint64)
}

// Reference returns the right answer over an input of so many records, in any
// order: the rows of a sequential evaluation that shares no code with the
// operators, as Job.Text has them.
type Reference func(records int) ([][]byte, error)

// ErrNoReference is what Workload.Reference returns if nobody knows the answer: a
// run is judged by the oracles that need none.
var ErrNoReference = errors.New("it has no reference answer")

// Of returns the workload of a job, with one setting, the number of records. A
// nil reference: nobody knows the answer.
func Of(j Job, r Reference) Workload {
	w := &plain{job: j, reference: r, records: int64(j.Records)}
	if j.Key != nil {
		return keyed{w}
	}
	return w
}

// KeyOf returns how the rows of a workload tell what they are values of. The
// error says what to give a workload whose rows do not.
func KeyOf(w Workload) (func(row []byte) (key []byte, version uint64), error) {
	if k, ok := w.(Keyed); ok {
		return k.Key, nil
	}
	give := "implement workloads.Keyed"
	if _, ok := w.(*plain); ok {
		give = "set Job.Key"
	}
	return nil, fmt.Errorf("rows need a key and a version, and those of %s do not tell: %s", w.Name(), give)
}

// plain is the workload of a job.
type plain struct {
	job       Job
	reference Reference
	records   int64
}

// keyed is the workload of a job whose rows have keys.
type keyed struct{ *plain }

// Key returns what a row is a value of.
func (w keyed) Key(row []byte) (key []byte, version uint64) { return w.job.Key(row) }

func (w *plain) settings(records *int64) []Setting {
	return []Setting{Integer("records", records, 0, 1<<40)}
}

// Name returns the job's name.
func (w *plain) Name() string { return w.job.Name }

// Set sets the number of records.
func (w *plain) Set(name, value string) error {
	return Set(w.job.Name, w.settings(&w.records), name, value)
}

// SettingNames returns the name that Set knows.
func (w *plain) SettingNames() []string { return Names(w.settings(&w.records)) }

// Settings returns the number of records if it is not the job's.
func (w *plain) Settings() []string {
	unset := int64(w.job.Records)
	return Changes(w.settings(&w.records), w.settings(&unset))
}

// smallJob is the number of records in a sweep, at most.
const smallJob = 200

// Small makes it 200 records, unless there are fewer.
func (w *plain) Small() { w.records = min(w.records, smallJob) }

// Events returns the number of records.
func (w *plain) Events() int { return int(w.records) }

// SetEvents sets it.
func (w *plain) SetEvents(n int) error { return w.Set("records", strconv.Itoa(n)) }

// Validate says what a job lacks.
func (w *plain) Validate() error {
	switch {
	case w.job.Name == "":
		return errors.New("a job without a name: set Job.Name")
	case w.job.Graph == nil:
		return fmt.Errorf("job %s: set Job.Graph: there is nothing to run", w.job.Name)
	case w.job.RecordID == nil:
		return fmt.Errorf("job %s: set Job.RecordID: oracles follow every source record by its number", w.job.Name)
	case w.records < 0:
		return fmt.Errorf("job %s: set Job.Records: %d is no number of records", w.job.Name, w.records)
	}
	return nil
}

// Graph returns the job's graph.
func (w *plain) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g, err := w.job.Graph(int(w.records), parallelism, sink)
	if g == nil && err == nil {
		err = fmt.Errorf("job %s: Job.Graph returned neither a graph nor an error", w.job.Name)
	}
	return g, err
}

// Reference returns the answer in order.
func (w *plain) Reference() ([][]byte, error) {
	if w.reference == nil {
		return nil, fmt.Errorf("%s: %w", w.job.Name, ErrNoReference)
	}
	rows, err := w.reference(int(w.records))
	if err != nil {
		return nil, fmt.Errorf("reference answer of %s: %w", w.job.Name, err)
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

// Answer returns a collector of rows.
func (w *plain) Answer() Answer { return &textAnswer{text: w.AppendCanonical} }

// Canonical is Answer over rows that are all at hand.
func (w *plain) Canonical(rows [][]byte) ([][]byte, error) { return Collect(w.Answer(), rows) }

// AppendCanonical appends a row as the answer has it.
func (w *plain) AppendCanonical(dst, row []byte) []byte {
	if w.job.Text == nil {
		return append(dst, row...)
	}
	return w.job.Text(dst, row)
}

// RecordID returns the number of a source record.
func (w *plain) RecordID(rec []byte) uint64 { return w.job.RecordID(rec) }

// InputLines fails: a job does not tell its input as text.
func (w *plain) InputLines(io.Writer) error {
	return fmt.Errorf("%s does not tell its input as text: only a whole workloads.Workload does", w.job.Name)
}

// textAnswer collects rows in the form of the answer.
type textAnswer struct {
	PlainAnswer
	text    func(dst, row []byte) []byte
	scratch []byte
}

// Add takes a row of a sink.
func (a *textAnswer) Add(row []byte) error {
	a.scratch = a.text(a.scratch[:0], row)
	return a.PlainAnswer.Add(a.scratch)
}
