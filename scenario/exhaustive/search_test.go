package exhaustive

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"weir/sim"
)

// parties is a system that can be counted by hand: processes that each take some
// steps in order, and a step of process p writes its name into the cell that it
// touches. The state is what stands in the cells.
type parties struct {
	cells [][]int // by process: the cell that each of its steps writes to
	crash bool    // after every step, once
	ends  map[string]int
}

func (s *parties) Run(c sim.Chooser) {
	done := make([]int, len(s.cells))
	cells := map[int]string{}
	touched, crashed := uint64(0), false
	for {
		p := sim.Point{Touched: touched, Image: func() uint64 { return hashOf(fmt.Sprint(done, cells, crashed)) }}
		var of []int
		for i, steps := range s.cells {
			if done[i] < len(steps) {
				p.Options, of = append(p.Options, sim.Option{ID: uint64(i*100 + done[i] + 1)}), append(of, i)
			}
		}
		if len(p.Options) == 0 {
			break
		}
		if s.crash && !crashed && touched != 0 {
			p.Options = append(p.Options, sim.Option{ID: 9999, Crash: true})
		}
		k := c.Choose(&p)
		if k < 0 {
			return
		}
		if k == len(of) {
			crashed, touched = true, ^uint64(0)
			for i := range cells {
				cells[i] += "!"
			}
			continue
		}
		i := of[k]
		cell := s.cells[i][done[i]]
		cells[cell] += string(rune('a' + i))
		done[i]++
		if touched = 1 << cell; s.crash && !crashed {
			touched = ^uint64(0)
		}
	}
	s.ends[fmt.Sprint(cells)]++
}

func hashOf(text string) (h uint64) {
	h = 14695981039346656037
	for _, b := range []byte(text) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// TestCountsByHand: the number of runs is the one that is counted by hand, and every
// way to search comes to the same final states.
func TestCountsByHand(t *testing.T) {
	for _, c := range []struct {
		name   string
		cells  [][]int
		crash  bool
		whole  int // orders: all
		traces int // orders up to commutation
		ends   int // final states
	}{
		// Two processes of two steps in cells of their own: (2+2)!/(2!2!) = 6 orders, one up to commutation.
		{"apart", [][]int{{0, 0}, {1, 1}}, false, 6, 1, 1},
		// All steps in one cell: each of the 6 orders is another one, and its text tells.
		{"together", [][]int{{0, 0}, {0, 0}}, false, 6, 6, 6},
		// Three processes of one step in one cell: 3!.
		{"three", [][]int{{0}, {0}, {0}}, false, 6, 6, 6},
		// The second steps meet in a cell: 6 orders, which differ in whose is first.
		{"half", [][]int{{0, 2}, {1, 2}}, false, 6, 2, 2},
		// One of three is apart: 3! orders, two up to commutation.
		{"two of three", [][]int{{0}, {0}, {1}}, false, 6, 2, 2},
		// A crash after the first step of either, or after none: 2 orders x (1 + 1 crash), as
		// nothing can be chosen after the last step. ab, a!b in cells of their own: the cells tell
		// whether and behind whom the crash was.
		{"crash", [][]int{{0}, {1}}, true, 4, 4, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var want []string
			for _, way := range []struct {
				whole, again bool
				runs         int
			}{{true, true, c.whole}, {false, true, c.traces}, {true, false, -1}, {false, false, -1}} {
				x := &parties{cells: c.cells, crash: c.crash, ends: map[string]int{}}
				s := &Search{System: x, Whole: way.whole, Again: way.again}
				for s.Next() {
				}
				if way.runs >= 0 && s.Executions != way.runs {
					t.Errorf("whole %v, again %v: %d runs, %d are counted by hand: %v", way.whole, way.again, s.Executions, way.runs, x.ends)
				}
				if s.Share() != 1 || s.Full {
					t.Errorf("the end of the search is a share of %v, full %v", s.Share(), s.Full)
				}
				ends := slices.Sorted(maps.Keys(x.ends))
				if want == nil {
					if want = ends; len(ends) != c.ends {
						t.Errorf("%d final states, %d are counted by hand: %s", len(ends), c.ends, strings.Join(ends, " "))
					}
				}
				if !slices.Equal(ends, want) {
					t.Errorf("whole %v, again %v: final states\n%v\nand all orders have\n%v", way.whole, way.again, ends, want)
				}
			}
		})
	}
}

// TestMemoryIsBounded: a search that needs more images than it may keep says so, and
// goes on.
func TestMemoryIsBounded(t *testing.T) {
	x := &parties{cells: [][]int{{0, 0}, {0, 0}}, ends: map[string]int{}}
	s := &Search{System: x, MostImages: 3}
	for s.Next() {
		if len(s.images) > 3 {
			t.Fatalf("%d images kept", len(s.images))
		}
	}
	if !s.Full || len(x.ends) != 6 {
		t.Errorf("full %v, %d final states", s.Full, len(x.ends))
	}
}

// TestShareGrows: the share covered never falls, and ends at 1.
func TestShareGrows(t *testing.T) {
	s := &Search{System: &parties{cells: [][]int{{0, 1, 2}, {1, 2, 0}}, ends: map[string]int{}}}
	last := 0.0
	for s.Next() {
		if now := s.Share(); now < last || now >= 1 {
			t.Fatalf("%v after %v", now, last)
		} else {
			last = now
		}
	}
	if s.Share() != 1 {
		t.Errorf("%v at the end", s.Share())
	}
}
