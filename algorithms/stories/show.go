package stories

import (
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// show prints what stands where.
func (s *Story) show(t *testing.T, d *datadriven.TestData) {
	switch d.Cmd {
	case "state":
		for _, x := range s.tasks {
			s.print("%s", s.stateOf(x))
		}
	case "wires":
		for _, c := range s.channels {
			var all []string
			for _, b := range c.wire {
				all = append(all, describe(b))
			}
			if len(all) > 0 {
				s.print("%s: %s", c.id, strings.Join(all, ", "))
			}
		}
	case "pending":
		for _, e := range s.effects {
			gone := ""
			if s.orphan(e) {
				gone = ", which is gone"
			}
			s.print("%s%s", e, gone)
		}
	case "storage":
		for _, row := range s.disk.Do(state.Op{Kind: state.OpList}).List {
			if !strings.HasPrefix(row.Key, coordinator.LeasePrefix) { // see coordHost.Store
				s.print("%s", row.Key)
			}
		}
	case "late-messages":
		for _, m := range s.late {
			s.print("%s", m.long())
		}
	case "committed":
		if rows := s.committed(t); len(rows) > 0 {
			s.print("%s", strings.Join(rows, " "))
		} else {
			s.print("nothing")
		}
	case "verdict":
		s.verdict(t)
	default:
		d.Fatalf(t, "unknown command %q", d.Cmd)
	}
}

// print adds a line that is no event.
func (s *Story) print(format string, args ...any) {
	fmt.Fprintf(&s.chapter, "     "+format+"\n", args...)
}

func (s *Story) stateOf(x *task) string {
	name := fmt.Sprintf("%s %s", x.info.ID, x.info.Name)
	if x.run == nil {
		return name + ": does not run"
	}
	switch op := x.op.(type) {
	case *count:
		return fmt.Sprintf("%s: %s", name, strings.Join(op.counts(), " "))
	case dataflow.Source:
		return fmt.Sprintf("%s: offset %d%s", name, x.run.Offset(), s.splitsOf(x))
	}
	var pending []string
	for _, e := range s.outside.Pending(x.info.ID, nil) {
		pending = append(pending, e.String())
	}
	return fmt.Sprintf("%s: open transactions [%s]", name, strings.Join(pending, " "))
}

// splitsOf says how far each split is read, where they are not one to a source.
func (s *Story) splitsOf(x *task) (text string) {
	for i := range x.run.Splits() {
		if index, at, _ := x.run.Split(i); s.shape.hasSplits() {
			text += fmt.Sprintf(" %s=%d", x.info.FirstSplit+id.SplitID(index), at)
		}
	}
	return text
}

func (s *Story) committed(t *testing.T) (rows []string) {
	if err := s.outside.Committed(func(_ id.TaskID, _ id.Epoch, row []byte) error {
		rows = append(rows, string(row))
		return nil
	}); err != nil {
		t.Error(err)
	}
	return rows
}

// verdict counts what became visible against the input: a key with n records
// must have exactly the rows key:1 to key:n.
func (s *Story) verdict(t *testing.T) {
	rows := map[string]int{}
	for _, r := range s.committed(t) {
		rows[r]++
	}
	want := map[string]int{}
	for _, in := range s.shape.input {
		for _, k := range in {
			want[k]++
		}
	}
	var bad []string
	for k, n := range want {
		seen := 0
		for rows[fmt.Sprintf("%s:%d", k, seen+1)] > 0 {
			seen++
		}
		if seen != n {
			bad = append(bad, fmt.Sprintf("%s: %d effects of %d records", k, seen, n))
		}
	}
	for r, n := range rows {
		if n > 1 {
			bad = append(bad, fmt.Sprintf("%s: visible %d times", r, n))
		}
	}
	if len(bad) == 0 {
		s.print("exactly once")
	}
	sort.Strings(bad)
	for _, b := range bad {
		s.print("%s", b)
	}
}
