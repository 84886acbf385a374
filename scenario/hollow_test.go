package scenario_test

import (
	"strings"
	"testing"

	"weir/dataflow"
	"weir/scenario"
	"weir/workloads"
)

// hollow is a workload that breaks its contract.
type hollow struct {
	workloads.Workload
	events int
}

func (h hollow) Events() int { return h.events }
func (hollow) Graph(int, func() dataflow.Operator) (*dataflow.Graph, error) {
	return nil, nil
}

// TestHollowWorkload: what a workload of one's own does not give is an error
// that names it, never a panic.
func TestHollowWorkload(t *testing.T) {
	for want, events := range map[string]int{"keyedcount: Graph returned neither": 10, "keyedcount: Events returned -4": -4} {
		_, err := scenario.New(combination(t, "aligned", "heap", hollow{workload(t, "keyedcount"), events}))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}
