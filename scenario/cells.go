package scenario

import (
	"cmp"
	"slices"

	"weir/dataflow"
	"weir/external/sinks"
	"weir/faults"
	"weir/sim/seed"
)

// Cells are combinations of which each seed draws one, with the shape of its job: how
// wide it is, on how many workers, over how many splits, whether its channels reorder, and
// whether operations are drawn.
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
	// Operations are those that one of four runs draws.
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
	cfg      int // index into Cells.cfgs
	shape    shape
	operated bool // operations are drawn
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
	if d.operated && cfg.Operations == nil && cfg.Given["checkpoint.on-cancel"] != string(dataflow.DeleteOnCancel) {
		cfg.Operations = c.Operations
	}
	return cfg
}

// drawLap draws the order of a lap and the shapes in it.
func (c *Cells) drawLap(lap uint64) {
	d, operations := seed.New(lap).Stream("cells"), seed.New(lap).Stream("operations")
	l := newLap(c, d)
	c.order = c.order[:0]
	for len(l.left) > 0 {
		i := l.next()
		c.order = append(c.order, cell{i, l.shapeOf(i), operations.Chance(1, 4)})
	}
	c.lap, c.drawn = lap, true
}
