package simtest

import (
	"flag"
	"fmt"
	"strconv"
	"strings"
)

// The flags of simulation tests.
var (
	seeds = seedRange{}
	crash = flag.Int("crash", 0, "crash sweeps: crash at the `K`-th event and at no other; 0: at all of them")
	full  = flag.Bool("full", false, "more of everything, for as long as it takes")
)

func init() { // flags must be known before the tests run
	flag.Var(&seeds, "seeds", "run seeds `A-B` instead of those of the test")
	flag.Func("seed", "run seed `N` and no other", func(s string) error {
		n, err := strconv.ParseUint(s, 10, 64)
		seeds = seedRange{n, n, true}
		return err
	})
}

// seedRange is the value of -seeds.
type seedRange struct {
	first, last uint64
	given       bool
}

// String returns the range as the flag takes it.
func (r *seedRange) String() string {
	if !r.given {
		return ""
	}
	return fmt.Sprintf("%d-%d", r.first, r.last)
}

// Set takes A-B, or A alone.
func (r *seedRange) Set(s string) error {
	a, b, two := strings.Cut(s, "-")
	if !two {
		b = a
	}
	first, err := strconv.ParseUint(a, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is no range of seeds; give A-B", s)
	}
	last, err := strconv.ParseUint(b, 10, 64)
	if err != nil || last < first {
		return fmt.Errorf("%q is no range of seeds; give A-B with A not above B", s)
	}
	*r = seedRange{first, last, true}
	return nil
}

// Seeds returns the seeds to run: 1 to n, or those that the flags name.
func Seeds(n int) []uint64 {
	first, last := uint64(1), uint64(n)
	if seeds.given {
		first, last = seeds.first, seeds.last
	}
	var all []uint64
	for s := first; s <= last; s++ {
		all = append(all, s)
		if s == last {
			break // it may be the largest number
		}
	}
	return all
}

// SeedsGiven reports whether the flags name seeds: what a test says about all of
// its own seeds together need not hold for them.
func SeedsGiven() bool { return seeds.given }

// Crash returns the event that -crash names, 0 for none.
func Crash() int { return *crash }

// Full reports whether tests are to take the time that it takes.
func Full() bool { return *full }
