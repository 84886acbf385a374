package sim

import "testing"

// TestTimersCountByTheirClock: a timer of a process fires when its clock has counted what was asked
// for, however wrong that is, and whatever a fault has made of it; not before, but for rounding.
func TestTimersCountByTheirClock(t *testing.T) {
	const asked, late = 40_000_000, 3_000_000_007 // a lease, and when it begins
	for _, pace := range []int64{-24_390, 0, 1, 24_390} {
		for _, by := range []int64{1, 2, 4} {
			c := clock{pace: pace}
			c.drift(1_234_567, by, 1)
			c.jump(99)
			counted := c.at(late+c.takes(asked)) - c.at(late)
			if counted < asked-by || counted > asked+3*by {
				t.Errorf("a clock %d millionths too fast, then %d times as fast: %d ns counted of %d", pace, by, counted, asked)
			}
		}
	}
}
