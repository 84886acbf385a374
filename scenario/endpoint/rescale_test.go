package endpoint_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"weir/scenario/endpoint/client"
)

// TestRescaleByRequest: the job goes on with another parallelism, of one operator too, and what it
// has counted stays.
func TestRescaleByRequest(t *testing.T) {
	r := start(t, "unaligned", "heap", 20*time.Millisecond)
	r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
	for _, c := range []struct {
		operator string
		to       int
		tasks    int
	}{{"", 3, 9}, {"count", 5, 11}, {"", 1, 3}} {
		before := r.gate.upTo
		now, err := r.client.Rescale(context.Background(), c.operator, c.to)
		if err != nil {
			t.Fatal(err)
		}
		if now.Tasks != c.tasks || len(r.job.Tasks()) != c.tasks || now.Stopping <= 0 || now.Starting <= 0 {
			t.Errorf("rescaled: %+v", now)
		}
		r.gate.mu.Lock()
		r.gate.upTo += 100
		r.gate.mu.Unlock()
		for _, level := range []client.Level{client.Live, client.Committed} {
			r.until(level, func(a *client.Answer) bool { return r.count(a) == 2*uint64(before)+200 })
		}
	}
	for _, c := range []struct {
		query, want string
		status      int
	}{
		{"", "no parallelism: give to=N", http.StatusBadRequest},
		{"to=0", "to=0: want a parallelism", http.StatusBadRequest},
		{"to=x", "to=x: want a parallelism", http.StatusBadRequest},
		{"to=2&to=3", "to is given 2 times", http.StatusBadRequest},
		{"to=2&by=3", `unknown parameter \"by=3\"`, http.StatusBadRequest},
		{"to=2&operator=none", `no operator \"none\"; it has`, http.StatusConflict},
		{"to=100000", "100000", http.StatusConflict},
	} {
		if status, body, _ := r.get(http.MethodPost, "/rescale?"+c.query); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%q: %d %s", c.query, status, body)
		}
	}
}

// TestNotRescaled: an algorithm without rounds does not, and says what would do.
func TestNotRescaled(t *testing.T) {
	r := start(t, "uncoordinated", "heap", 20*time.Millisecond)
	status, body, _ := r.get(http.MethodPost, "/rescale?to=3")
	if status != http.StatusConflict || !strings.Contains(body, "message logs") || !strings.Contains(body, "stop the job with a savepoint") {
		t.Errorf("%d %s", status, body)
	}
}
