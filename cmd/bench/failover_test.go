package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestFailoversBeforeAFailureAreReported: those that were timed are, and the failure is returned.
func TestFailoversBeforeAFailureAreReported(t *testing.T) {
	failed := errors.New("the job has ended")
	f := failoverFlags{interval: time.Second}
	var out strings.Builder
	if err := f.report(&out, nil, failed); !errors.Is(err, failed) || out.Len() > 0 {
		t.Errorf("none was timed: %v, %q", err, out.String())
	}
	if err := f.report(&out, []failover{{Checkpoint: 5, Intervals: 0.5}}, failed); !errors.Is(err, failed) || !strings.Contains(out.String(), "failover  1") || !strings.Contains(out.String(), "1 of 1 within 2") {
		t.Errorf("one was timed: %v, %q", err, out.String())
	}
}
