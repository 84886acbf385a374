package job

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/dataflow"
	"weir/live"
	"weir/workloads"
)

// panicking is a workload whose operators behind the source panic.
type panicking struct{ workloads.Workload }

func (p panicking) Graph(parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g, err := p.Workload.Graph(parallelism, sink)
	if err == nil {
		inner := g.Vertices[1].New
		g.Vertices[1].New = func() dataflow.Operator { return panics{inner()} }
	}
	return g, err
}

type panics struct{ dataflow.Operator }

func (panics) Process(int, *dataflow.Buffer) error { panic("not this record") }

func TestPanicOfATaskEndsTheJob(t *testing.T) {
	r, err := openRun(&Spec{
		Algorithm: "aligned", State: "heap", Workload: "keyedcount", Settings: map[string]string{"keys": "10"}, Parallelism: 2,
		Interval: time.Second, Tuning: DefaultTuning(), Dir: t.TempDir(), Epoch: time.Now().UnixNano(), Events: 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	r.work = panicking{r.work}
	err = errors.Join(r.run(t.Context()), r.close())
	if err == nil || !strings.Contains(err.Error(), "panicked: not this record") {
		t.Fatalf("error %v", err)
	}
	if !errors.Is(err, errPanicked) || exitStatus(err) != exitPanic {
		t.Errorf("it does not pass for a panic: status %d", exitStatus(err))
	}
}

// TestStatusTellsAPanic: the status decides, and not what was said.
func TestStatusTellsAPanic(t *testing.T) {
	for status, want := range map[int]bool{exitError: false, exitPanic: true, goPanic: true, exitNoSpec: false} {
		err := exec.Command("sh", "-c", fmt.Sprintf("exit %d", status)).Run()
		if child := (&ChildError{Err: err, LastWords: "task t1 panicked: goroutine 7"}); child.Panicked() != want {
			t.Errorf("status %d passes for a panic: %v", status, !want)
		}
	}
	if exitStatus(fmt.Errorf("after the start: %w", &live.PanicError{Where: "the coordinator"})) != exitPanic || exitStatus(errors.New("somebody panicked: goroutine")) != exitError {
		t.Error("the kind of an error is not its status")
	}
}

// TestNoRoomIsNoted: by the kind of the error, in the counters, whoever hears of it.
func TestNoRoomIsNoted(t *testing.T) {
	dir := t.TempDir()
	c, err := OpenCounters(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	fs := newMeasuredFS(func() int64 { return 0 }, newQuota(10), func() { c.Set(CounterFull, 1) })
	if _, err := fs.Create(filepath.Join(dir, "no/such/no space left on device"), vfs.WriteCategoryUnspecified); err == nil || foundNoRoom(dir) {
		t.Errorf("%v passes for a full disk", err)
	}
	f, err := fs.Create(filepath.Join(dir, "file"), vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(make([]byte, 10))
	before := foundNoRoom(dir)
	_, full := f.Write(make([]byte, 1))
	if err := errors.Join(err, f.Close()); err != nil || full == nil || before || !foundNoRoom(dir) {
		t.Errorf("%v, %v; full before: %v", err, full, before)
	}
}

func TestLastWordsHaveBothEnds(t *testing.T) {
	var l lastWords
	for i := range 2000 {
		_, _ = fmt.Fprintf(&l, "line %d\n", i) // never fails
	}
	text := l.String()
	if !strings.HasPrefix(text, "line 0\nline 1\n") || !strings.HasSuffix(text, "line 1998\nline 1999") || !strings.Contains(text, " bytes ...") || len(text) > 6<<10 {
		t.Errorf("%d bytes: %s", len(text), text)
	}
	l = lastWords{}
	_, _ = l.Write([]byte("short\n"))
	if l.String() != "short" {
		t.Errorf("%q", l.String())
	}
}

func TestWorkloadThatIsNotTimedSaysHow(t *testing.T) {
	w, err := NewWorkload("keyedcount", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := answersOf(w, 2); err != nil {
		t.Error(err)
	}
	plain := struct{ workloads.Workload }{w}
	if _, err := answersOf(plain, 2); err == nil || !strings.Contains(err.Error(), "workloads.Timed") {
		t.Errorf("error %v", err)
	}
	if s := SizeOf(plain, 1000); s != (workloads.Size{}) {
		t.Errorf("size %+v of a workload that does not tell it", s)
	}
}
