package spending

import (
	"encoding/json"
	"strings"
	"testing"
)

func small() *Workload {
	w := New().(*Workload)
	w.Small()
	return w
}

// TestReference: everything that can happen to an account does, often enough.
func TestReference(t *testing.T) {
	w := small()
	rows, err := w.Reference()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, row := range rows {
		var r struct {
			Seq                                             *int
			Account, Limit, Payments, Sum, Mean, Most, Told int
		}
		if err := json.Unmarshal(row, &r); err != nil {
			t.Fatalf("%s: %v", row, err)
		}
		if r.Seq == nil {
			seen["accounts"]++
			continue
		}
		seen["payments"]++
		if r.Limit == 0 {
			seen["no limit"]++
		}
		if r.Payments > 1 {
			seen["others in the window"]++
		}
		if r.Payments == 1 && r.Most > r.Sum {
			seen["expired"]++
		}
		seen["told "+string(rune('0'+r.Told))]++
	}
	if seen["payments"] != w.Events()*7/8 || seen["accounts"] != 9 {
		t.Errorf("%v", seen)
	}
	for _, what := range []string{"no limit", "others in the window", "expired", "told 0", "told 1", "told 2"} {
		if seen[what] < 5 {
			t.Errorf("%s: %d rows of %d: the workload shows little: %v", what, seen[what], len(rows), seen)
		}
	}
}

// TestAnswer: a row that is there twice is named, a bad one refused.
func TestAnswer(t *testing.T) {
	w, row := small(), make([]byte, rowBytes)
	if _, err := w.Canonical([][]byte{row, row}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a duplicate: %v", err)
	}
	if _, err := w.Canonical([][]byte{{1}}); err == nil {
		t.Error("a row of one byte is taken")
	}
}
