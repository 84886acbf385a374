package reachability

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

func small() *Workload {
	w := New().(*Workload)
	w.Small()
	return w
}

// TestTheReferenceCountsEdges: every edge that a root reaches brings it once, and
// some queries are answered, others not.
func TestTheReferenceCountsEdges(t *testing.T) {
	w := small()
	rows, err := w.Reference()
	if err != nil {
		t.Fatal(err)
	}
	// Reached nodes by fixed point instead of by a walk; every edge that begins
	// in one, and the root's own record, is one arrival.
	type place struct{ root, version, node uint64 }
	reached := map[place]bool{}
	each := func(e event, f func(root, version uint64)) { // that an edge takes
		for root := range uint64(w.settings.roots) {
			for v := e.since; v < e.until; v++ {
				f(root, v)
			}
		}
	}
	for changed := true; changed; {
		changed = false
		for seq := range uint64(w.Events()) {
			e := w.settings.event(seq)
			if e.kind == aRoot {
				for v := range uint64(w.settings.versions) {
					reached[place{e.a, v, e.b}] = true
				}
			}
			each(e, func(root, v uint64) {
				if at := (place{root, v, e.b}); reached[place{root, v, e.a}] && !reached[at] {
					reached[at], changed = true, true
				}
			})
		}
	}
	lost := 0 // reached in the first version and not in the next
	for at := range reached {
		if at.version == 0 && !reached[place{at.root, 1, at.node}] {
			lost++
		}
	}
	if lost == 0 {
		t.Error("whatever is reached in the first version is reached in the second: no deletion shows")
	}
	arrivals, answered, asked := 0, 0, 0
	for seq := range uint64(w.Events()) {
		e := w.settings.event(seq)
		switch e.kind {
		case aRoot:
			arrivals += int(w.settings.versions)
		case aQuery:
			asked++
			if reached[place{e.a, e.since, e.b}] {
				answered++
			}
		case anEdge:
			each(e, func(root, v uint64) {
				if reached[place{root, v, e.a}] {
					arrivals++
				}
			})
		}
	}
	if got := bytes.Count(bytes.Join(rows, nil), []byte("query")); got != answered || answered == 0 || answered == asked {
		t.Errorf("%d queries of %d are answered, want %d, and more than none but not all", got, asked, answered)
	}
	if len(rows) != arrivals+answered || arrivals < 100 {
		t.Errorf("%d rows, want %d arrivals and %d answers", len(rows), arrivals, answered)
	}
}

// TestAnswer: a row that is there twice is named, a bad one refused.
func TestAnswer(t *testing.T) {
	row := make([]byte, rowBytes)
	row[0] = 3 // of two versions
	binary.LittleEndian.PutUint64(row[8:], 7)
	binary.LittleEndian.PutUint64(row[16:], isQuery|3)
	w := small()
	if got, err := w.Canonical([][]byte{row}); err != nil || string(got[0]) != `{"root":1,"version":1,"node":7,"query":3}` {
		t.Errorf("%s, %v", got, err)
	}
	if _, err := w.Canonical([][]byte{row, row}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a duplicate: %v", err)
	}
	if _, err := w.Canonical([][]byte{{1}}); err == nil {
		t.Error("a row of one byte is taken")
	}
}

// TestTravellersAreBounded: each is a bit of a number.
func TestTravellersAreBounded(t *testing.T) {
	w := small()
	for _, c := range []struct {
		versions string
		ok       bool
	}{{"32", true}, {"33", false}} {
		if err := w.Set("versions", c.versions); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Graph(1, nil); (err == nil) != c.ok {
			t.Errorf("%s versions of %d roots: %v", c.versions, w.settings.roots, err)
		}
	}
}

// TestPartitionsHoldEveryRecordOnce also for odd numbers of records.
func TestPartitionsHoldEveryRecordOnce(t *testing.T) {
	for _, n := range []int64{0, 1, 7, 150} {
		for of := uint64(1); of < 5; of++ {
			seen := map[uint64]bool{}
			for first := range of {
				p := &partition{settings: settings{numEvents: n}, first: first, step: of}
				for i := range uint64(p.Len()) {
					seen[first+i*of] = true
				}
			}
			if len(seen) != int(n) || n > 0 && !seen[uint64(n)-1] {
				t.Errorf("%d records over %d partitions: %d are there", n, of, len(seen))
			}
		}
	}
}
