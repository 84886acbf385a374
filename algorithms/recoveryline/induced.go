package recoveryline

import "weir/dataflow"

// Induced is what algorithms declare whose messages force snapshots, so that none
// is useless.
func Induced() dataflow.Properties {
	return dataflow.Properties{
		State: dataflow.ExactlyOnce, Output: dataflow.ExactlyOnce, Topologies: dataflow.AnyTopology,
		NonDeterminism: dataflow.Tolerated, Snapshots: dataflow.LocalSnapshots, Logs: true, Rollback: dataflow.ScopeLine, NoneUseless: true,
	}
}
