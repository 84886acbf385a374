// Command ownsim is cmd/sim with a job and algorithms of one's own.
package main

import (
	"example.com/own"

	"weir/algorithms"
	"weir/scenario/command"
	"weir/workloads"
)

func main() {
	command.Main(command.Own{
		Algorithms: []*algorithms.Spec{own.Patient(), own.Hasty()},
		Workloads:  []func() workloads.Workload{own.Workload},
	})
}
