package command

import (
	algorithmcatalog "weir/algorithms/catalog"
	"weir/dataflow"
)

// properties is what an algorithm of the catalog declares, in words.
type properties struct {
	Name           string   `json:"name"`
	Paper          string   `json:"paper"`
	Short          string   `json:"short"`
	State          string   `json:"state"`
	Output         string   `json:"output"`
	Topologies     string   `json:"topologies"`
	Channels       string   `json:"channels"`
	NonDeterminism string   `json:"non_determinism"`
	Snapshots      string   `json:"snapshots"`
	Captures       []string `json:"captures"` // of "inputs", "outputs"
	Logs           bool     `json:"logs"`
	Rollback       string   `json:"rollback"`
	MaxConcurrent  int      `json:"max_concurrent"` // 0: any number
	NoneUseless    bool     `json:"none_useless"`
}

// declared returns the properties of all algorithms in their order.
func declared(algorithms algorithmcatalog.List) []properties {
	var all []properties
	for _, a := range algorithms {
		d := a.Properties()
		p := properties{
			Name: a.Name, Paper: a.Paper, Short: a.Short,
			State: guarantees[d.State], Output: guarantees[d.Output],
			Topologies: topologies[d.Topologies], Channels: orders[d.Channels],
			NonDeterminism: choices[d.NonDeterminism], Snapshots: snapshots[d.Snapshots], Captures: []string{},
			Logs: d.Logs, Rollback: scopes[d.Rollback],
			MaxConcurrent: d.MaxConcurrent, NoneUseless: d.NoneUseless,
		}
		if d.Captures.Inputs {
			p.Captures = append(p.Captures, "inputs")
		}
		if d.Captures.Outputs {
			p.Captures = append(p.Captures, "outputs")
		}
		all = append(all, p)
	}
	return all
}

var (
	guarantees = map[dataflow.Guarantee]string{
		0: "nothing", dataflow.AtMostOnce: "at most once", dataflow.AtLeastOnce: "at least once", dataflow.ExactlyOnce: "exactly once",
	}
	topologies = map[dataflow.Topology]string{dataflow.Acyclic: "acyclic", dataflow.AnyTopology: "any"}
	orders     = map[dataflow.Order]string{dataflow.FIFO: "fifo", dataflow.AnyOrder: "any"}
	choices    = map[dataflow.NonDeterminism]string{
		dataflow.Refused: "refused", dataflow.Tolerated: "tolerated", dataflow.Recorded: "recorded",
	}
	snapshots = map[dataflow.Snapshots]string{
		dataflow.NoSnapshots: "none", dataflow.LocalSnapshots: "local", dataflow.Rounds: "rounds",
	}
	scopes = map[dataflow.Scope]string{
		dataflow.ScopeAll: "all", dataflow.ScopeRegion: "region", dataflow.ScopeLine: "line", dataflow.ScopeTask: "task",
	}
)
