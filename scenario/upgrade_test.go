package scenario_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario"
	"weir/scenario/simtest"
	"weir/state"
	"weir/state/heap"
	"weir/state/pebblestate"
	"weir/trace"
	"weir/workloads"
)

// TestThreeVersionsAndBack: a job that goes from version 1 to 2, 3 and back to 2, and is
// rescaled on the way, keeps what it promises under crashes, whatever stores its state.
func TestThreeVersionsAndBack(t *testing.T) {
	for _, x := range []struct {
		algorithm, state string
		rescale          string
	}{
		{"aligned", heap.Name, "(rescale operator=watch to=3 at (after (nth 1 rescaled) (nth 1 completed)))"},
		{"unaligned", pebblestate.NameIncremental, "(rescale operator=watch to=1 at (after (nth 1 rescaled) (nth 1 completed)))"},
		{"stop-the-world", pebblestate.NameFull, ""},
		{"uncoordinated", heap.Name, ""},
	} {
		c := combination(t, x.algorithm, x.state, workload(t, "spending"))
		draw := runner(t, c)
		c.Faults = scenario.PlannedFaults
		done, upgrades := "completed", 3
		if x.algorithm == "uncoordinated" {
			done = "line-advanced"
		}
		changes := mustParse(t, fmt.Sprintf("(plan (upgrade to=2 at (nth 1 %[1]s)) (upgrade to=3 at (after (nth 1 rescaled) (nth 1 %[1]s))) %[2]s (upgrade to=2 at (after (nth 2 rescaled) (nth 1 %[1]s))))", done, x.rescale)).Faults
		c.Plan = faults.Plan{Faults: changes}
		r := runner(t, c)
		if x.rescale != "" {
			upgrades++
		}
		all, crashes := 0, 0
		for _, seed := range simtest.Seeds(15) {
			d := draw.Draw(seed)
			d.Plan.Faults = append(slices.DeleteFunc(d.Plan.Faults, func(f faults.Fault) bool { return f.Damages() || f.Outcome == faults.Refused }), changes...)
			o := r.Replay(seed, &d)
			simtest.Fine(t, o)
			if n := int(o.Result.Counts[trace.Rescaled]); n == upgrades {
				all++
			}
			crashes += o.Result.Crashes + o.Result.CoordinatorCrashes
		}
		t.Logf("%s, %s: %d runs with all changes, %d crashes", x.algorithm, x.state, all, crashes)
		if (all < 8 || crashes < 15) && !simtest.SeedsGiven() {
			t.Errorf("%s, %s: %d runs with all changes, %d crashes", x.algorithm, x.state, all, crashes)
		}
	}
}

// TestDrawnUpgrades: upgrades are drawn beside faults, and beside rescaling, for workloads
// that have versions; every version is reached, and left again for an older one.
func TestDrawnUpgrades(t *testing.T) {
	c := combination(t, "unaligned", heap.Name, workload(t, "keyedcount"))
	c.Operations = []faults.Kind{faults.Upgrade}
	if p := runner(t, c).Draw(1).Plan; len(p.Operations()) > 0 {
		t.Errorf("a workload without versions: %s", p)
	}
	c = combination(t, "none", heap.Name, workload(t, "spending"))
	c.Operations = []faults.Kind{faults.Upgrade}
	if p := runner(t, c).Draw(1).Plan; len(p.Operations()) > 0 {
		t.Errorf("an algorithm without snapshots: %s", p)
	}
	c = combination(t, "unaligned", pebblestate.NameIncremental, workload(t, "spending"))
	c.Operations = []faults.Kind{faults.Rescale, faults.Upgrade}
	r := runner(t, c)
	to, back, rescaled := map[int]int{}, 0, 0
	for _, seed := range simtest.Seeds(25) {
		o := r.Run(seed)
		simtest.Fine(t, o)
		now := 1
		ops := o.Plan.Operations()
		for i := range ops {
			if ops[i].Kind != faults.Upgrade {
				rescaled++
				continue
			}
			if to[ops[i].To]++; ops[i].To < now {
				back++
			}
			now = ops[i].To
		}
	}
	if (len(to) != 3 || back == 0 || rescaled == 0) && !simtest.SeedsGiven() {
		t.Errorf("upgrades to %v, %d back, %d rescaled", to, back, rescaled)
	}
}

// forgetful is a workload whose version 2 reads nothing but itself, and whose version 3 has
// changed a field without saying so.
type forgetful struct{ workloads.Workload }

func (forgetful) Versions() (now, of int) { return 0, 3 }

func (w forgetful) GraphOf(version, parallelism int, sink func() dataflow.Operator) (*dataflow.Graph, error) {
	g, err := w.Graph(parallelism, sink)
	if err != nil {
		return nil, err
	}
	for i := range g.Vertices {
		if v := &g.Vertices[i]; v.Keyed {
			of := v.New
			v.New = func() dataflow.Operator { return &remembering{of(), version} }
		}
	}
	return g, nil
}

// remembering is an operator with one more state.
type remembering struct {
	dataflow.Operator
	version int
}

func (o *remembering) Open(c *dataflow.Context) error {
	number := func(number uint32, fields string) state.Version[uint64] {
		return state.Version[uint64]{Number: number, Fields: fields, Codec: &state.StructCodec[uint64]{
			ID:    "memory",
			Write: func(dst []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(dst, v) },
			Read:  func(r *state.Reader) uint64 { return r.Uint64() },
		}}
	}
	codec := state.Versions[uint64]{ID: "memory", Writes: number(1, "seen uint64")}
	switch o.version {
	case 2:
		codec.Writes = number(2, "seen uint64, last int64")
	case 3:
		codec.Writes = number(1, "seen uint32")
	}
	if _, err := state.OpenValue(c.Store(), "memory", state.Codec[uint64](&codec)); err != nil {
		return err
	}
	return o.Operator.Open(c)
}

// TestUpgradeRefused: an upgrade to what cannot read what is stored is refused before the run, with
// the operator, the state and what differs.
func TestUpgradeRefused(t *testing.T) {
	for _, x := range []struct {
		w    workloads.Workload
		plan string
		want []string
	}{
		{workload(t, "keyedcount"), "(upgrade to=2)", []string{"keyedcount has no versions"}},
		{workload(t, "spending"), "(upgrade to=4)", []string{"spending has no version 4; there are 1 to 3"}},
		{forgetful{workload(t, "keyedcount")}, "(upgrade to=2 at (nth 1 completed))", []string{"operation (upgrade to=2", "count", `state "memory"`, "version 1 of codec memory is unknown (2)", `field "last", read as int64, is not stored`}},
		{forgetful{workload(t, "keyedcount")}, "(upgrade to=3 at (nth 1 completed))", []string{`state "memory"`, `field "seen" is stored as uint64 and read as uint32`, "give what is written the next version"}},
	} {
		cfg := combination(t, "aligned", heap.Name, x.w)
		cfg.Faults, cfg.Plan = scenario.PlannedFaults, mustParse(t, x.plan)
		_, err := scenario.New(cfg)
		var bad *scenario.PlanError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v, want a *PlanError", x.plan, err)
			continue
		}
		for _, want := range x.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; it lacks %q", x.plan, err, want)
			}
		}
		if refused := strings.Contains(x.want[0], "operation"); refused && !errors.Is(err, state.ErrIncompatible) {
			t.Errorf("%s: %v does not wrap ErrIncompatible", x.plan, err)
		}
	}
}

// TestUnmigrated: a value that another version has written and that is read as if this one had
// is seen in the output.
func TestUnmigrated(t *testing.T) {
	c := combination(t, "unaligned", pebblestate.NameIncremental, workload(t, "spending"))
	c.Operations = []faults.Kind{faults.Upgrade}
	clean := runner(t, c)
	c.Mutant = dataflow.MutantUnmigrated
	wrong := runner(t, c)
	const most = 50
	for seed := uint64(1); seed <= most; seed++ {
		if o := clean.Run(seed); o.Kind != scenario.Fine {
			t.Fatalf("seed %d without the mistake: %s", seed, o.Why())
		}
		if o := wrong.Run(seed); o.Report.Counts[check.Output] > 0 {
			t.Logf("found after %d runs", seed)
			return
		}
	}
	t.Errorf("not found in %d runs", most)
}
