package scenario

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	algorithmcatalog "weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/faults"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// everything returns all combinations of the catalogs that can run.
func everything(t *testing.T) (cfgs []Config) {
	t.Helper()
	for _, spec := range algorithmcatalog.All() {
		for _, state := range statecatalog.Names() {
			for _, sink := range sinks.Names() {
				for _, name := range workloadcatalog.Names() {
					w, err := workloadcatalog.New(name)
					if err != nil {
						t.Fatal(err)
					}
					w.Small()
					cfg := Config{Algorithm: spec, State: state, Sink: sink, Workload: w}
					if cfg.Refused() == nil {
						cfgs = append(cfgs, cfg)
					}
				}
			}
		}
	}
	return cfgs
}

func combination(c *Config) [4]string {
	return [4]string{c.Algorithm.Name, c.State, c.SinkName(), c.Workload.Name()}
}

// coordinates are all that is drawn of a cell, with names that differ between coordinates.
func coordinates(c *Config) []string {
	splits := fmt.Sprint("splits of ", c.Parallelism, " ", c.Splits)
	for i, f := range drawnSplits {
		if f(c.Parallelism) == c.Splits {
			splits = fmt.Sprint("splits ", i)
			break
		}
	}
	of := combination(c)
	return append(of[:], fmt.Sprint("parallelism ", c.Parallelism), fmt.Sprint("workers ", c.Workers), splits, fmt.Sprint("reorder ", c.Reorder))
}

// TestCellsAreEven: in each lap, and in whatever lap, every combination comes exactly
// once; and none that cannot run comes.
func TestCellsAreEven(t *testing.T) {
	cfgs := everything(t)
	cells := NewCells(cfgs)
	n := uint64(cells.Len())
	for _, lap := range []uint64{0, 1, 1 << 40} {
		met := map[[4]string]int{}
		for s := lap*n + 1; s <= (lap+1)*n; s++ {
			c := cells.Draw(s)
			met[combination(&c)]++
			if err := c.Refused(); err != nil {
				t.Fatalf("seed %d: %v", s, err)
			}
			if c.Reorder && c.Workload.Name() == "reachability" {
				t.Fatalf("seed %d: a loop whose channels reorder", s)
			}
		}
		if len(met) != len(cfgs) || slices.Max(slices.Collect(maps.Values(met))) != 1 {
			t.Errorf("lap %d: %d of %d combinations, one of them %d times", lap, len(met), len(cfgs), slices.Max(slices.Collect(maps.Values(met))))
		}
	}
}

// TestPairsOfCellsComeSoon: every pair of two drawn things that some cell has comes within
// a stretch of seeds of the beginning of a lap, and shapes are even.
func TestPairsOfCellsComeSoon(t *testing.T) {
	const soon = 250
	cells := NewCells(everything(t))
	all, early := map[[2]string]int{}, map[[2]string]bool{}
	ones := map[string]int{}
	n := cells.Len()
	for s := 1; s <= 4*n; s++ {
		c := cells.Draw(uint64(s))
		at := coordinates(&c)
		for k, v := range cells.order[(s-1)%n].shape[:3] {
			ones[fmt.Sprint(k, v)]++
		}
		for i, a := range at {
			for _, b := range at[i+1:] {
				all[[2]string{a, b}]++
				early[[2]string{a, b}] = early[[2]string{a, b}] || s <= soon
			}
		}
	}
	for p, n := range all {
		if !early[p] {
			t.Errorf("%v, of %d cells, comes in none of the first %d runs", p, n, soon)
		}
	}
	for name, got := range ones { // the first three have four values each
		if want := n; 20*max(got-want, want-got) > want {
			t.Errorf("value %s of a shape came in %d of %d runs, want %d within 5 %%", name, got, 4*n, want)
		}
	}
}

// TestTheSeedAloneDraws: whatever was drawn before, a seed has its cell, and
// another lap has another order.
func TestTheSeedAloneDraws(t *testing.T) {
	cfgs := everything(t)
	a, b := NewCells(cfgs), NewCells(cfgs)
	n := uint64(a.Len())
	differ := 0
	for _, s := range []uint64{5, 3*n + 5, 5, 1, 2 * n, 0, ^uint64(0)} {
		x := a.Draw(s)
		fresh := NewCells(cfgs)
		y, z := fresh.Draw(s), b.Draw(s+n)
		if !slices.Equal(coordinates(&x), coordinates(&y)) {
			t.Errorf("seed %d: %v, and drawn alone %v", s, coordinates(&x), coordinates(&y))
		}
		if !slices.Equal(coordinates(&x), coordinates(&z)) {
			differ++
		}
	}
	if differ < 5 {
		t.Errorf("only %d of 7 seeds have another cell in the next lap", differ)
	}
}

// TestOneOfFourDrawsOperations: the seed decides, whatever was drawn before; each kind comes in
// half of such runs, each two in a quarter, and all in some; what a combination says stays, and of a
// job that leaves nothing behind nobody wants anything.
func TestOneOfFourDrawsOperations(t *testing.T) {
	all := []faults.Kind{faults.Rescale, faults.Failover, faults.Query, faults.Savepoint, faults.StopSaved, faults.Upgrade}
	cfgs := everything(t)
	cells, alone := NewCells(cfgs), NewCells(cfgs)
	cells.Operations, alone.Operations = all, all
	n := cells.Len()
	drawn, most, standbys, pairs := 0, 0, map[int]int{}, map[[2]faults.Kind]int{}
	for s := 1; s <= 4*n; s++ {
		c := cells.Draw(uint64(s))
		if len(c.Operations) > 0 {
			drawn++
			most = max(most, len(c.Operations))
		}
		for _, a := range c.Operations {
			for _, b := range c.Operations {
				pairs[[2]faults.Kind{a, b}]++
			}
		}
		if standbys[c.Coordinators]++; (c.Coordinators > 0) != slices.Contains(c.Operations, faults.Failover) {
			t.Errorf("seed %d: %d coordinators and %v", s, c.Coordinators, c.Operations)
		}
		if s%997 == 0 {
			if x := alone.Draw(uint64(s)); !slices.Equal(x.Operations, c.Operations) || x.Coordinators != c.Coordinators {
				t.Errorf("seed %d draws %v, and alone %v", s, c.Operations, x.Operations)
			}
		}
	}
	near := func(got, want int) bool { return 20*max(got-want, want-got) <= want }
	if !near(drawn, n) || most != len(all) {
		t.Errorf("%d of %d runs draw operations, at most %d, want one of four within 5 %%, and some all", drawn, 4*n, most)
	}
	for p, got := range pairs {
		if want := drawn / 4; p[0] != p[1] && !near(got, want) || p[0] == p[1] && !near(got, 2*want) {
			t.Errorf("%v came in %d of %d runs with operations", p, got, drawn)
		}
	}
	if len(pairs) != len(all)*len(all) || len(standbys) != 3 || standbys[2] == 0 || standbys[3] == 0 {
		t.Errorf("%d pairs; coordinator processes %v", len(pairs), standbys)
	}
	for i := range cfgs {
		switch i % 3 {
		case 0:
			cfgs[i].Operations = []faults.Kind{}
		case 1:
			cfgs[i].Given = dataflow.Given{"checkpoint.on-cancel": string(dataflow.DeleteOnCancel)}
		default:
			cfgs[i].Coordinators = 1
		}
	}
	cells = NewCells(cfgs)
	cells.Operations = all
	for s := range uint64(300) {
		if c := cells.Draw(s + 1); len(c.Operations) > 0 && c.Coordinators != 1 || slices.Contains(c.Operations, faults.Failover) {
			t.Fatalf("seed %d: operations of %s", s+1, c.Command(s+1))
		}
	}
}

// TestOneOfEightIsGivenSettings: each of the sets as often, of it what the algorithm reads, unless
// somebody has said something else of one; combinations stay as they were, and what is given agrees.
func TestOneOfEightIsGivenSettings(t *testing.T) {
	cfgs := everything(t)
	for i := range cfgs {
		if cfgs[i].Given = (dataflow.Given{"restart.strategy": "progress"}); i%2 == 0 {
			cfgs[i].Given = dataflow.Given{}
		}
	}
	cells := NewCells(cfgs)
	n, came, free, all := cells.Len(), map[string]int{}, 0, 0
	for s := 1; s <= 4*n; s++ {
		c := cells.Draw(uint64(s))
		if err := c.checkGiven(); err != nil {
			t.Fatalf("%s: %v", c.Command(uint64(s)), err)
		}
		if all++; c.Given["restart.strategy"] != "progress" {
			free++
		}
		for name := range c.Given {
			came[name]++
		}
		if c.Given["restart.strategy"] == "progress" && c.Given.Has("restart.exponential-delay.jitter-factor") {
			t.Fatalf("%s", c.Command(uint64(s)))
		}
	}
	for name, of := range map[string]int{"checkpoint.local-recovery": all, "restart.exponential-delay.jitter-factor": free} {
		if want := of / (8 * len(drawnGiven)); 4*max(came[name]-want, want-came[name]) > want {
			t.Errorf("%s is given in %d of %d runs, want %d within a quarter", name, came[name], of, want)
		}
	}
	for _, set := range drawnGiven {
		for name := range set {
			if came[name] == 0 {
				t.Errorf("%s was never given", name)
			}
		}
	}
	for i := range cfgs {
		if len(cfgs[i].Given) != i%2 {
			t.Fatalf("the combination has %v now", cfgs[i].Given)
		}
	}
}
