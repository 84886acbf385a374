package endpoint_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"weir/scenario/endpoint"
	"weir/scenario/endpoint/client"
	"weir/scenario/inspect"
	"weir/state/savepoint"
	"weir/state/storage"
)

// opened reads the savepoint that an answer names, in the directory of the rig.
func (r *rig) opened(s *client.Savepoint) *savepoint.Savepoint {
	r.Helper()
	root, ok := strings.CutPrefix(s.Path, "/checkpoints/")
	if !ok {
		r.Fatalf("the savepoint is in %q", s.Path)
	}
	v, err := storage.OpenView(r.disk, "/checkpoints")
	if err != nil {
		r.Fatal(err)
	}
	o, err := savepoint.Open(v, root)
	if err != nil {
		r.Fatal(err)
	}
	if o.Epoch.String() != s.Savepoint || s.Bytes == 0 {
		r.Errorf("savepoint %s is %+v", o.Epoch, s)
	}
	return o
}

// TestSavepointByRequest: the job goes on behind one, and ends with the last; whoever asks then hears that it
// has.
func TestSavepointByRequest(t *testing.T) {
	r := start(t, "aligned", "heap", 20*time.Millisecond)
	r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
	first, err := r.client.Savepoint(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	r.opened(first)
	r.gate.mu.Lock()
	r.gate.upTo += 100
	r.gate.mu.Unlock()
	r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate+200 })
	status, body, _ := r.get(http.MethodPost, "/savepoint?last=true")
	if status != http.StatusBadRequest || !strings.Contains(body, `unknown parameter \"last=true\"`) {
		t.Errorf("%d %s", status, body)
	}
	last, err := r.client.Stop(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := r.opened(first), r.opened(last); a.Epoch >= b.Epoch {
		t.Errorf("savepoint %s behind %s", b.Epoch, a.Epoch)
	}
	if res, err := r.job.Wait(); err != nil || !res.Stopped {
		t.Errorf("stopped: %v, %v", res.Stopped, err)
	}
	var refused *client.Error
	if _, err := r.client.Savepoint(context.Background()); !errors.As(err, &refused) || refused.Status != http.StatusGone {
		t.Errorf("when the job has ended: %v", err)
	}
}

// TestDeclinedByRequest: a job that cannot take one says why, and goes on.
func TestDeclinedByRequest(t *testing.T) {
	r := start(t, "aligned", "heap", 20*time.Millisecond)
	r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
	r.storage.full.Store(true)
	for _, path := range []string{"/savepoint", "/stop"} {
		status, body, _ := r.get(http.MethodPost, path)
		if status != http.StatusConflict || !strings.Contains(body, "the job takes no savepoint: ") || !strings.Contains(body, "no room") {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _, _ := r.get(http.MethodGet, "/stop"); status != http.StatusMethodNotAllowed {
		t.Errorf("a GET has status %d", status)
	}
	q, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://"+r.address+"/stop", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Sec-Fetch-Site", "cross-site") // as browsers say
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	if a.StatusCode != http.StatusForbidden {
		t.Errorf("a page from elsewhere: %d", a.StatusCode)
	}
	r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
}

// TestNothingStays: a savepoint in storage that goes when the job ends would be none.
func TestNothingStays(t *testing.T) {
	r := start(t, "aligned", "heap", time.Hour)
	e := endpoint.New(endpoint.Config{Job: r.job, Storage: r.storage, Read: inspect.Config{FS: r.disk, Scratch: "/read", Groups: 128}})
	for _, path := range []string{"/savepoint", "/stop"} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, nil))
		if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "nothing that it stores outlives it") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
