package dataflow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"weir/dataflow"
)

// TestBounds: what is beyond a bound of any setting is refused by its name where it is given, and
// so it is where it is set otherwise; what is on the bound is taken by both. Nothing is found out
// only once a job runs.
func TestBounds(t *testing.T) {
	text := func(s *dataflow.Setting, v int64) string {
		switch s.Type() {
		case "duration":
			return time.Duration(v).String()
		case "decimal":
			return fmt.Sprint(float64(v) / 100)
		case "int":
			return fmt.Sprint(v)
		}
		return "" // none of its names, and neither true nor false
	}
	put := func(at any, v int64) {
		switch at := at.(type) {
		case *dataflow.Nanos:
			*at = dataflow.Nanos(v)
		case *dataflow.Hundredths:
			*at = dataflow.Hundredths(v)
		case *int:
			*at = int(v)
		case *dataflow.RestartStrategy:
			*at = ""
		case *dataflow.FailoverStrategy:
			*at = ""
		case *dataflow.OnCancel:
			*at = ""
		}
	}
	above := 0
	for _, s := range dataflow.Settings() {
		beyond, on := []int64{s.Least - 1}, []int64{s.Least}
		if s.Most != 0 {
			above++
			beyond, on = append(beyond, s.Most+1), append(on, s.Most)
		}
		for _, v := range beyond {
			c := dataflow.DefaultConfig()
			if err := s.Set(&c, text(&s, v)); err == nil || !strings.Contains(err.Error(), s.Name) {
				t.Errorf("%s: %q is taken: %v", s.Name, text(&s, v), err)
			}
			if put(s.At(&c), v); s.Type() != "bool" {
				if err := c.Validate(); err == nil || !strings.HasPrefix(err.Error(), s.Name+": ") {
					t.Errorf("%s: %s in a job: %v", s.Name, s.Text(&c), err)
				}
			}
		}
		for _, v := range on {
			if c := dataflow.DefaultConfig(); text(&s, v) != "" {
				if err := s.Set(&c, text(&s, v)); err != nil {
					t.Error(err)
				}
				if s.Of == "" { // others may contradict the defaults of the same strategy
					if err := c.Validate(); err != nil {
						t.Error(err)
					}
				}
			}
		}
	}
	if above == 0 {
		t.Error("no setting has an upper bound: half of this looks at nothing")
	}
}
