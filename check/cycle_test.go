package check_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"weir/algorithms/catalog"
	"weir/algorithms/recoveryline"
	"weir/check"
	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/external/sinks"
	"weir/faults"
	"weir/sim"
	"weir/state"
	"weir/trace"
)

// hops is how often a record goes round.
const hops = 5

// fork passes records on and sends them back.
type fork struct{ on, back *dataflow.Output }

func (f *fork) Open(c *dataflow.Context) error {
	f.on, f.back = c.Out(0), c.Out(1)
	return nil
}

func (f *fork) Process(_ int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		f.on.Emit(rec)
		if rec[8] < hops {
			f.back.Emit(rec)
		}
	}
	return nil
}

func (f *fork) Finish() error { return nil }

// cyclicGraph is source -> turn -> fork -> turn, and fork -> sink. It drains its
// input and never ends: end of data does not go round.
func cyclicGraph() *dataflow.Graph {
	key := func(rec []byte) uint64 { return state.HashUint64(binary.LittleEndian.Uint64(rec) + uint64(len(rec))) }
	return &dataflow.Graph{
		Vertices: []dataflow.Vertex{
			{Name: "source", Parallelism: 2, Role: dataflow.RoleSource, New: func() dataflow.Operator {
				return operators.NewSource(func(i, of int) (operators.Partition, error) { return numbers{uint64(i), uint64(of)}, nil })
			}},
			{Name: "turn", Parallelism: 2, New: func() dataflow.Operator {
				return &operators.Transform{F: func(dst, rec []byte) ([]byte, bool) {
					hop := byte(1)
					if len(rec) > 8 {
						hop += rec[8]
					}
					return append(append(dst, rec[:8]...), hop), true
				}}
			}},
			{Name: "fork", Parallelism: 2, New: func() dataflow.Operator { return &fork{} }},
			{Name: "sink", Parallelism: 1, Role: dataflow.RoleSink, New: func() dataflow.Operator { return &sinks.TwoPhase{} }},
		},
		Edges: []dataflow.Edge{
			{From: 0, To: 1, Partitioning: dataflow.Hash, Key: key},
			{From: 1, To: 2, Partitioning: dataflow.Hash, Key: key},
			{From: 2, To: 3, Partitioning: dataflow.Hash, Key: key},
			{From: 2, To: 1, Partitioning: dataflow.Hash, Key: key, Input: 1, Back: true},
		},
	}
}

// TestOnlyForcedSnapshotsAreUsefulOnACycle: on a cycle uncoordinated snapshots are
// soon useless, those of a communication-induced algorithm never, unless it
// leaves out the forced ones.
func TestOnlyForcedSnapshotsAreUsefulOnACycle(t *testing.T) {
	for _, name := range []string{"cic-bcs", "cic-hmnr"} {
		if n := runsUntilUseless(t, name, "", 1); n <= mostRuns {
			t.Errorf("%s: a useless snapshot in run %d", name, n)
		}
	}
	for name, mutant := range map[string]dataflow.Mutant{"uncoordinated": "", "cic-bcs": recoveryline.MutantNeverForced, "cic-hmnr": recoveryline.MutantNeverForced} {
		var runs []int
		for series := range uint64(5) {
			runs = append(runs, runsUntilUseless(t, name, mutant, 1+1000*series))
		}
		slices.Sort(runs)
		t.Logf("%s %s: useless after %v runs", name, mutant, runs)
		if runs[len(runs)/2] > mostRuns {
			t.Errorf("%s %s: the median is more than %d runs", name, mutant, mostRuns)
		}
	}
}

const mostRuns = 100

// runsUntilUseless runs seeds from on, every other one with crashes, under an
// algorithm that is made to promise no useless snapshots on any graph. More than
// mostRuns: none was found.
func runsUntilUseless(t *testing.T, name string, mutant dataflow.Mutant, from uint64) int {
	x := newCycle(t, name, mutant)
	snapshots := 0
	for n := 1; n <= mostRuns; n++ {
		seed, p := from+uint64(n), faults.Plan{}
		if n%2 == 0 {
			p = plan(seed)
		}
		r, rep := x.runPlan(t, seed, p, sim.DefaultModel())
		if r.Verdict == sim.Panicked {
			t.Fatalf("%s, seed %d: %v", name, seed, r.Err)
		}
		if rep.Counts[check.Useless] > 0 {
			return n
		}
		snapshots += int(r.Counts[trace.SnapshotStored])
	}
	if snapshots < 10*mostRuns {
		t.Errorf("%s: %d snapshots in %d runs", name, snapshots, mostRuns)
	}
	return mostRuns + 1
}

func newCycle(t *testing.T, name string, mutant dataflow.Mutant) *experiment {
	honest, err := catalog.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	spec := *honest
	spec.Declared.Topologies, spec.Declared.NoneUseless = dataflow.AnyTopology, true
	x := newExperiment(t, name, mutant)
	x.job.Graph, x.job.Algorithm = cyclicGraph(), &spec
	e := x.expect(t, spec.Declared)
	e.NoneUseless, e.Pace = true, check.Pace{}
	if x.checker, err = check.New(e); err != nil {
		t.Fatal(err)
	}
	x.maxTime = 40e6
	return x
}
