package bench

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/dataflow"
	"weir/external"
	"weir/external/sinks"
	"weir/id"
	"weir/internal/bench/job"
	"weir/results"
	"weir/workloads"
)

// check is the verdict on committed output.
type check struct {
	verdict          results.OutputVerdict
	digest, expected string
	why              error // wrong, or in what way as declared
}

// checkOutput compares what a read-committed consumer sees in the run's store
// with the reference answer over exactly the records that were handed out.
func checkOutput(spec *job.Spec, c *job.Counters, r *Repetition) (*check, error) {
	w, err := spec.NewWorkload()
	if err != nil {
		return nil, err
	}
	if spec.Timed() {
		limit, ok := c.Limit()
		if !ok {
			return nil, errors.New("the job ended, but its input did not")
		}
		if err := w.SetEvents(int(limit) * spec.NumSplits()); err != nil {
			return nil, err
		}
	}
	rows, bad, err := committedRows(spec, w)
	if err != nil {
		return nil, err
	}
	if err := setReference(w, r.Reference); err != nil {
		return nil, err
	}
	want, err := w.Reference()
	if err != nil {
		return nil, fmt.Errorf("reference answer: %w", err)
	}
	promise, err := spec.Promised()
	if err != nil {
		return nil, err
	}
	if promise.Shows == sinks.Values {
		bad, rows, want = nil, distinct(rows), distinct(want) // of the versions between, a reader need not see any
	}
	v := &check{verdict: results.OutputExact, digest: workloads.Digest(rows), expected: workloads.Digest(want)}
	if bad == nil && v.digest == v.expected {
		return v, nil
	}
	v.why = fmt.Errorf("%d rows, the reference has %d%s", len(rows), len(want), firstDifference(rows, want))
	if bad != nil {
		v.why = fmt.Errorf("%w; %w", bad, v.why)
	}
	v.verdict = results.OutputWrong
	if r.Cell.Kill && allowed(promise.Output, w, rows, want) {
		v.verdict = results.OutputDeclared
	}
	return v, nil
}

// distinct drops equal rows from a sorted list: a table keeps one of them.
func distinct(rows [][]byte) [][]byte { return slices.CompactFunc(rows, bytes.Equal) }

// committedRows returns the canonical rows, and what is wrong with them by themselves.
func committedRows(spec *job.Spec, w workloads.Workload) (rows [][]byte, bad, err error) {
	store, err := external.OpenStore(external.StoreConfig{FS: vfs.Default, Dir: filepath.Join(spec.Dir, job.SinkDir)})
	if err != nil {
		return nil, nil, err
	}
	answer := w.Answer()
	err = store.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		if e := answer.Add(row); e != nil && bad == nil {
			bad = e
		}
		return nil
	})
	if err = errors.Join(err, store.Close()); err != nil {
		return nil, nil, err
	}
	rows, wrong := answer.Rows()
	if bad == nil {
		bad = wrong
	}
	return rows, bad, nil
}

func firstDifference(got, want [][]byte) string {
	for i := range min(len(got), len(want)) {
		if !bytes.Equal(got[i], want[i]) {
			return fmt.Sprintf("; the first that differs is %.200s, want %.200s", got[i], want[i])
		}
	}
	return ""
}

// allowed tells whether output after a kill differs only as far as a guarantee
// lets it. Where rows are totals per key it looks at each: at least once may
// count a record again and never lose one, at most once the reverse.
func allowed(g dataflow.Guarantee, w workloads.Workload, got, want [][]byte) bool {
	if g == dataflow.ExactlyOnce {
		return false
	}
	t, ok := w.(workloads.Totals)
	if !ok {
		return true
	}
	have, expected := totals(t, got), totals(t, want)
	for key, n := range expected { // a conjunction: order is not seen
		if m := have[key]; g == dataflow.AtLeastOnce && m < n || g == dataflow.AtMostOnce && m > n {
			return false
		}
	}
	return true
}

func totals(t workloads.Totals, rows [][]byte) map[string]uint64 {
	of := make(map[string]uint64, len(rows))
	for _, r := range rows {
		if key, n, err := t.Total(r); err == nil {
			of[key] = max(of[key], n)
		}
	}
	return of
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// setReference gives a workload the settings of the reference answer alone.
func setReference(w workloads.Workload, reference map[string]string) error {
	for _, name := range sortedNames(reference) {
		if err := w.Set(name, reference[name]); err != nil {
			return err
		}
	}
	return nil
}

// CheckReference returns an error if some cell's workload cannot make a
// reference answer with the settings of Reference.
func (c *Campaign) CheckReference() error {
	if len(c.Reference) == 0 {
		return nil
	}
	for i := range c.Plan.Cells {
		cell := &c.Plan.Cells[i]
		spec := job.Spec{Workload: cell.Workload, Settings: cell.Settings, Events: c.Plan.Events}
		w, err := spec.NewWorkload()
		if err == nil {
			err = setReference(w, c.Reference)
		}
		if err == nil {
			err = w.Validate()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", cell.Workload, err)
		}
	}
	return nil
}
