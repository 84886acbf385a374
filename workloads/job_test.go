package workloads

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"weir/dataflow"
)

func someJob() Job {
	return Job{
		Name: "some", Records: 500,
		Graph:    func(int, int, func() dataflow.Operator) (*dataflow.Graph, error) { return &dataflow.Graph{}, nil },
		RecordID: func(rec []byte) uint64 { return uint64(rec[0]) },
		Text:     func(dst, row []byte) []byte { return append(append(dst, "row "...), row...) },
	}
}

func TestJobAsAWorkload(t *testing.T) {
	w := Of(someJob(), func(records int) ([][]byte, error) {
		return [][]byte{[]byte("row b"), []byte("row a")}[:min(records, 2)], nil
	})
	if err := w.Validate(); err != nil || w.Events() != 500 || len(w.Settings()) != 0 {
		t.Errorf("%v, %d events, %q", err, w.Events(), w.Settings())
	}
	w.Small()
	if !slices.Equal(w.Settings(), []string{"records=200"}) || w.Events() != 200 {
		t.Errorf("small: %q", w.Settings())
	}
	want, err := w.Reference()
	got, err2 := w.Canonical([][]byte{[]byte("b"), []byte("a")})
	if Digest(want) != Digest(got) || string(want[0]) != "row a" || err != nil || err2 != nil {
		t.Errorf("%q, %q: %v, %v", want, got, err, err2)
	}
	if err := w.SetEvents(-1); err == nil {
		t.Error("-1 records")
	}
	if _, ok := w.(Keyed); ok {
		t.Error("its rows have keys that nobody gave")
	}
	if err := w.InputLines(io.Discard); err == nil {
		t.Error("its input is text that nobody gave")
	}
}

func TestJobWithoutWhatItNeeds(t *testing.T) {
	for want, take := range map[string]func(*Job){
		"Job.Name": func(j *Job) { j.Name = "" }, "Job.Graph": func(j *Job) { j.Graph = nil }, "Job.RecordID": func(j *Job) { j.RecordID = nil },
		"Job.Records: -4": func(j *Job) { j.Records = -4 },
	} {
		j := someJob()
		take(&j)
		if err := Of(j, nil).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
	empty := someJob()
	empty.Graph = func(int, int, func() dataflow.Operator) (*dataflow.Graph, error) { return nil, nil }
	if _, err := Of(empty, nil).Graph(2, nil); err == nil || !strings.Contains(err.Error(), "Job.Graph") {
		t.Errorf("no graph: %v", err)
	}
	j := someJob()
	j.Key = func(row []byte) ([]byte, uint64) { return row, 0 }
	w := Of(j, nil)
	if _, ok := w.(Keyed); !ok {
		t.Error("its rows have no keys")
	}
	if key, err := KeyOf(w); err != nil || key == nil {
		t.Errorf("a job with Key: %v", err)
	}
	if _, err := KeyOf(Of(someJob(), nil)); err == nil || !strings.Contains(err.Error(), "set Job.Key") {
		t.Errorf("a job without Key: %v", err)
	}
	if _, err := KeyOf(struct{ Workload }{w}); err == nil || !strings.Contains(err.Error(), "implement workloads.Keyed") {
		t.Errorf("a workload without Key: %v", err)
	}
	if _, err := w.Reference(); !errors.Is(err, ErrNoReference) {
		t.Errorf("no answer: %v", err)
	}
}
