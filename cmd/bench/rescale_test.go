package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestRescalesAreTimed: a small job is rescaled up and down, and all that is said of each is there.
func TestRescalesAreTimed(t *testing.T) {
	f := rescaleFlags{
		algorithm: "aligned", state: "heap", workload: comparedWorkload, settings: []string{"keys=200", "emitEvery=1"}, dir: t.TempDir(),
		from: 1, to: 3, rescales: 2, splits: 2, interval: 30 * time.Millisecond, bound: time.Hour, rate: 5000,
	}
	all, bytes, err := f.measure(context.Background())
	if err != nil || len(all) != 2 || bytes == 0 {
		t.Fatalf("%+v, %d bytes: %v", all, bytes, err)
	}
	for _, x := range all {
		if x.Stopping <= 0 || x.Starting <= 0 || x.WithoutProcessing <= 0 || x.WithoutOutput <= 0 || x.CaughtUp < x.WithoutProcessing {
			t.Errorf("%+v", x)
		}
	}
	var out strings.Builder
	if err := f.report(&out, all, bytes, nil); err != nil || !strings.Contains(out.String(), "1 -> 3, 1 times, medians") || !strings.Contains(out.String(), "3 -> 1, 1 times, medians") || !strings.Contains(out.String(), "1 of 1 within 1h0m0s") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// TestNotRescaled: what cannot be measured is a mistake of whoever asks, and changes before a failure are reported.
func TestNotRescaled(t *testing.T) {
	f := rescaleFlags{algorithm: "uncoordinated", state: "heap", workload: comparedWorkload, settings: []string{"keys=200"}, dir: t.TempDir(), from: 1, to: 3, rescales: 2, splits: 2, interval: 30 * time.Millisecond, bound: time.Hour, rate: 5000}
	if _, _, err := f.measure(context.Background()); !errors.Is(err, errUsage) || !strings.Contains(err.Error(), "savepoint") {
		t.Errorf("without rounds: %v", err)
	}
	f.algorithm, f.to = "aligned", 1
	if _, _, err := f.measure(context.Background()); !errors.Is(err, errUsage) {
		t.Errorf("to the same: %v", err)
	}
	failed := errors.New("the job has ended")
	var out strings.Builder
	if err := f.report(&out, []rescaled{{From: 1, To: 3}}, 1, failed); !errors.Is(err, failed) || out.Len() == 0 {
		t.Errorf("%v: %q", err, out.String())
	}
}
