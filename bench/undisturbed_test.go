package bench_test

import (
	"fmt"
	"testing"
)

// reporter is what an expectation about a measurement reports to.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
}

// complaints collects what was reported of one measurement.
type complaints []string

// Helper implements reporter.
func (*complaints) Helper() {}

// Errorf implements reporter.
func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

// undisturbed measures up to three times, until expectations that involve the real
// clock hold. A machine that is busy with other things may spoil a measurement;
// a mistake spoils all of them.
func undisturbed(t *testing.T, measure func(r reporter)) {
	t.Helper()
	const attempts = 3
	for n := 1; ; n++ {
		var c complaints
		measure(&c)
		if len(c) == 0 {
			return
		}
		for _, text := range c {
			if n == attempts {
				t.Error(text)
			} else {
				t.Logf("measurement %d of %d: %s", n, attempts, text)
			}
		}
		if n == attempts {
			return
		}
	}
}

// TestUndisturbedFails: a mistake that every measurement shows is reported.
func TestUndisturbedFails(t *testing.T) {
	measured := 0
	undisturbed(t, func(r reporter) {
		if measured++; measured < 3 {
			r.Errorf("spoilt")
		}
	})
	if measured != 3 {
		t.Errorf("measured %d times, want until nothing was reported", measured)
	}
	failed := 0
	inner := &testing.T{}
	undisturbed(inner, func(r reporter) {
		failed++
		r.Errorf("wrong")
	})
	if failed != 3 || !inner.Failed() {
		t.Errorf("measured %d times, failed %v", failed, inner.Failed())
	}
}
