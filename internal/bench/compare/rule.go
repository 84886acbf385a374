package compare

import (
	"context"
	"fmt"
	"math"
	"time"

	"weir/results/stat"
)

// Arm is one of the two builds.
type Arm int

// The arms: a ratio is B over A.
const (
	A Arm = iota
	B
)

// String is the arm's letter.
func (a Arm) String() string { return [...]string{"A", "B"}[a] }

// Reading is what one repetition took.
type Reading struct {
	CPU  float64 // processor time, user and system, nanoseconds per operation
	Wall float64 // nanoseconds per operation
	// Reported are other numbers of the benchmark, by unit; they are shown and
	// judge nothing. May be nil.
	Reported map[string]float64
}

// Repeat measures one repetition of an arm. It is called by one goroutine.
type Repeat func(ctx context.Context, arm Arm) (Reading, error)

// Rule says when to stop.
type Rule struct {
	// Width is the half-width of the interval, as a share of the ratio, that is
	// narrow enough.
	Width float64
	// MinBlocks is at least stat.MinInterval: with fewer there is no interval.
	MinBlocks, MaxBlocks int
	// Budget is the time that the blocks may take. A block that would not fit, as
	// long as those before it were, is not begun; the first always is.
	Budget time.Duration
	// Seed is that of the bootstrap.
	Seed uint64
}

// DefaultRule returns the rule of the gates.
func DefaultRule() Rule {
	return Rule{Width: 0.02, MinBlocks: stat.MinInterval, MaxBlocks: 60, Budget: 5 * time.Minute, Seed: 1}
}

// Validate names the first value that makes no sense.
func (r *Rule) Validate() error {
	switch {
	case math.IsNaN(r.Width) || r.Width <= 0 || r.Width >= 1:
		return fmt.Errorf("width %g; it must be above 0 and below 1, 0.02 for 2 %%", r.Width)
	case r.MinBlocks < stat.MinInterval:
		return fmt.Errorf("at least %d blocks; there is no interval below %d", r.MinBlocks, stat.MinInterval)
	case r.MaxBlocks < r.MinBlocks:
		return fmt.Errorf("at most %d blocks and at least %d", r.MaxBlocks, r.MinBlocks)
	case r.Budget <= 0:
		return fmt.Errorf("budget %s; it must be above 0", r.Budget)
	}
	return nil
}

// Block is four repetitions in turn, two of each arm.
type Block struct {
	Number   int // from 1
	Order    [4]Arm
	Readings [2][]Reading // by arm, in the order measured
	// Ratio and WallRatio are B over A.
	Ratio, WallRatio float64
}

// orders are the two that a slope of the machine's speed does not bend.
var orders = [2][4]Arm{{A, B, B, A}, {B, A, A, B}}

func measureBlock(ctx context.Context, number int, repeat Repeat) (*Block, error) {
	b := &Block{Number: number, Order: orders[(number-1)%2]}
	for _, arm := range b.Order {
		r, err := repeat(ctx, arm)
		if err != nil {
			return nil, err
		}
		if !isTime(r.CPU) || !isTime(r.Wall) {
			return nil, fmt.Errorf("a repetition of %s took %g ns of processor time and %g ns by the clock per operation, which cannot be compared", arm, r.CPU, r.Wall)
		}
		b.Readings[arm] = append(b.Readings[arm], r)
	}
	b.Ratio = sum(b.Readings[B], cpu) / sum(b.Readings[A], cpu)
	b.WallRatio = sum(b.Readings[B], wall) / sum(b.Readings[A], wall)
	return b, nil
}

// isTime tells of times that can stand in a ratio. A short loop may come out below
// zero once start and set-up are subtracted.
func isTime(ns float64) bool { return ns > 0 && !math.IsInf(ns, 1) }

func cpu(r *Reading) float64  { return r.CPU }
func wall(r *Reading) float64 { return r.Wall }

func sum(readings []Reading, of func(*Reading) float64) float64 {
	s := 0.0
	for i := range readings {
		s += of(&readings[i])
	}
	return s
}

// Run measures blocks until the rule says to stop, and calls each, which may be
// nil, after every block with what is known by then. An error of a repetition or
// of each ends it; blocks before are lost.
func Run(ctx context.Context, rule Rule, repeat Repeat, each func(*Block, *Result) error) (*Result, error) {
	if err := rule.Validate(); err != nil {
		return nil, err
	}
	began := time.Now()
	var blocks []*Block
	for {
		b, err := measureBlock(ctx, len(blocks)+1, repeat)
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, b)
		r, err := judge(blocks, &rule)
		if err != nil {
			return nil, err
		}
		if each != nil {
			if err := each(b, r); err != nil {
				return nil, err
			}
		}
		if r.Narrow || len(blocks) >= rule.MaxBlocks || !fits(time.Since(began), len(blocks), rule.Budget) {
			r.Wall, err = summarize(blocks, &rule, func(b *Block) float64 { return b.WallRatio })
			return r, err
		}
	}
}

// fits tells whether a block more fits into the budget.
func fits(spent time.Duration, blocks int, budget time.Duration) bool {
	return spent+spent/time.Duration(blocks) <= budget
}
