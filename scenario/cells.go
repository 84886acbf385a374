package scenario

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"

	"weir/dataflow"
	"weir/external/sinks"
	"weir/faults"
	"weir/sim/seed"
)

// Cells are combinations of which each seed draws one, with the shape of its job: how
// wide it is, on how many workers, over how many splits, whether its channels reorder,
// which operations are drawn, and what settings are given as by a user.
//
// Seeds go in laps. A lap runs every combination once, in an order that is drawn for
// the lap and stratified pairwise: the next combination is the one with the most
// pairs of algorithm, state, sink and workload that the lap has not had, and of
// equals the one whose pairs are furthest behind their share. Its shape is the one
// whose pairs, with the combination and in itself, came least. The seed alone
// decides: seed s has place (s-1) mod [Cells.Len] of lap (s-1) div it.
//
// Cells are for one goroutine at a time.
type Cells struct {
	// Operations are those of which one of four runs draws some: each in half of such runs, each
	// two in a quarter of them, all in one of eight.
	Operations []faults.Kind

	cfgs    []Config
	at      [][4]int // of each combination its algorithm, state, sink and workload, as numbers
	values  [4]int   // how many there are of each
	reorder []bool   // of each combination: its channels may reorder

	drawn bool
	lap   uint64 // the one at hand
	order []cell
}

// cell is a combination and a shape.
type cell struct {
	cfg     int // index into Cells.cfgs
	shape   shape
	kinds   int // a set of operations: a row of kindsOf; none of them: -1
	standby int // coordinator processes beside the one that leads, where there is a failover
	given   int // index into drawnGiven, -1: nothing is
}

// shape is what is drawn of a job beside its combination: indexes into the tables below.
type shape [4]int

// The values of a shape. Two workers lose half of a job with one, six leave most of it alone.
var (
	drawnParallelism = [...]int{1, 2, 3, 4}
	drawnWorkers     = [...]int{2, 3, 4, 6}
	drawnSplits      = [...]func(parallelism int) int{
		func(p int) int { return p },     // one for each instance
		func(p int) int { return p + 1 }, // not read evenly
		func(p int) int { return 2 * p }, // several for each
		func(int) int { return 1 },       // all instances but one are idle
	}
	drawnOrder = [...]bool{false, true}
)

// drawnGiven are settings as users give them together, what the algorithm reads of them: copies on
// the workers' disks, restarts of regions, a changelog, many small checkpoints, restarts that wait longer each time. Beside them seeds
// draw their own.
var drawnGiven = [...]dataflow.Given{
	{"checkpoint.local-recovery": "true"},
	{"restart.failover-strategy": "region"},
	{"checkpoint.changelog": "true", "checkpoint.changelog-segment": "512"},
	{"checkpoint.interval": "1ms", "checkpoint.min-pause": "300µs", "checkpoint.alignment-timeout": "500µs", "checkpoint.retain": "5"},
	{
		"restart.strategy": "exponential-delay", "restart.exponential-delay.initial-backoff": "200µs", "restart.exponential-delay.max-backoff": "4ms",
		"restart.exponential-delay.backoff-multiplier": "1.5", "restart.exponential-delay.jitter-factor": "0.1", "restart.exponential-delay.reset-backoff-threshold": "15ms",
	},
}

// NewCells returns the cells of combinations that can run. What a combination says
// of its shape (Parallelism, Workers, Splits not 0, Reorder) is not drawn.
func NewCells(cfgs []Config) *Cells {
	c := &Cells{cfgs: cfgs}
	var names [4][]string
	for i := range cfgs {
		var at [4]int
		for k, name := range [...]string{cfgs[i].Algorithm.Name, cfgs[i].State, cfgs[i].SinkName(), cfgs[i].Workload.Name()} {
			at[k] = slices.Index(names[k], name)
			if at[k] < 0 {
				at[k], names[k] = len(names[k]), append(names[k], name)
			}
		}
		c.at = append(c.at, at)
		c.reorder = append(c.reorder, mayReorder(cfgs[i]))
	}
	for k := range names {
		c.values[k] = len(names[k])
	}
	return c
}

// mayReorder tells whether a combination runs on channels that reorder: its algorithm
// declares it, and the graph has no loop.
func mayReorder(cfg Config) bool {
	if cfg.Algorithm.Properties().Channels != dataflow.AnyOrder {
		return false
	}
	g, _, err := cfg.graph(0, 1, sinks.Config{})
	if err != nil {
		return false
	}
	settings := baseConfig()
	cfg.Reorder = true
	if err := cfg.fit(g, &settings); err != nil {
		return false
	}
	_, err = g.Expand(settings.Groups)
	return err == nil
}

// Len returns the number of combinations, which is that of the seeds of a lap.
func (c *Cells) Len() int { return len(c.cfgs) }

// Draw returns the cell of a seed. Its Workload is that of the combination and
// shared by all its cells: a Runner that is not alone needs one of its own.
func (c *Cells) Draw(seedNumber uint64) Config {
	place := seedNumber - 1 // of seed 0 the last one there is
	n := uint64(len(c.cfgs))
	if lap := place / n; !c.drawn || lap != c.lap {
		c.drawLap(lap)
	}
	d := c.order[place%n]
	cfg := c.cfgs[d.cfg]
	if cfg.Parallelism == 0 {
		cfg.Parallelism = min(drawnParallelism[d.shape[0]], cmp.Or(cfg.Groups, DefaultGroups))
	}
	if cfg.Workers == 0 {
		cfg.Workers = drawnWorkers[d.shape[1]]
	}
	if cfg.Splits == 0 {
		cfg.Splits = drawnSplits[d.shape[2]](cfg.Parallelism)
	}
	cfg.Reorder = cfg.Reorder || drawnOrder[d.shape[3]]
	if d.kinds >= 0 && cfg.Operations == nil && cfg.Given["checkpoint.on-cancel"] != string(dataflow.DeleteOnCancel) {
		c.operate(&cfg, &d)
	}
	if d.given >= 0 {
		give(&cfg, drawnGiven[d.given])
	}
	return cfg
}

// operate gives a run the operations of its cell, and a failover the standbys that it needs.
func (c *Cells) operate(cfg *Config, d *cell) {
	cfg.Operations = slices.DeleteFunc(c.kindsOf(d.kinds), func(k faults.Kind) bool { return k == faults.Failover && cfg.Coordinators == 1 })
	if cfg.Coordinators == 0 && slices.Contains(cfg.Operations, faults.Failover) {
		cfg.Coordinators = 1 + d.standby
	}
}

// give gives a run what its algorithm reads of some settings, unless something else is said of one.
func give(cfg *Config, all dataflow.Given) {
	own := cfg.Algorithm.Reads(all)
	for name := range cfg.Given { //det:unordered any of them will do
		if own.Has(name) {
			return
		}
	}
	maps.Copy(own, cfg.Given) // the combinations share theirs
	cfg.Given = own
}

// kindRows are the sets of operations: the rows of an orthogonal array, whose columns are kinds.
const kindRows = 8

// kindsOf returns a set of operations. Two columns meet in a quarter of the rows, and row 0 has all.
func (c *Cells) kindsOf(row int) (all []faults.Kind) {
	for i, k := range c.Operations {
		if column := 1 + i%(kindRows-1); bits.OnesCount(uint(row&column))%2 == 0 {
			all = append(all, k)
		}
	}
	return all
}

// drawLap draws the order of a lap and the shapes in it.
func (c *Cells) drawLap(lap uint64) {
	src := seed.New(lap)
	operations, kinds := src.Stream("operations"), deck{d: src.Stream("operations.kinds"), of: kindRows}
	standbys, givens := src.Stream("standbys"), src.Stream("given")
	sets := deck{d: src.Stream("given.settings"), of: len(drawnGiven)}
	l := newLap(c, src.Stream("cells"))
	c.order = c.order[:0]
	for len(l.left) > 0 {
		i := l.next()
		x := cell{cfg: i, shape: l.shapeOf(i), kinds: -1, given: -1}
		if operations.Chance(1, 4) {
			x.kinds, x.standby = kinds.deal(), 1+standbys.Draw(2)
		}
		if givens.Chance(1, 8) {
			x.given = sets.deal()
		}
		c.order = append(c.order, x)
	}
	c.lap, c.drawn = lap, true
}
