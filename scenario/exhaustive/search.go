package exhaustive

import (
	"slices"

	"weir/sim"
)

// System is what is searched. Run makes one run from the beginning, in which c is
// asked at every point; with the same answers it is the same run.
type System interface {
	Run(c sim.Chooser)
}

// Search goes through the runs of a system. Its zero value with a System is
// ready; it belongs to one goroutine.
type Search struct {
	System System
	// Whole searches without sleep sets, Again without images: what they leave out is
	// tried too.
	Whole, Again bool
	// MostImages bounds the memory, at about 64 bytes an image; 0: DefaultImages.
	MostImages int
	// Known is Plain of the same search with one crash fewer, if that was complete; 0: not
	// known.
	Known int

	Counts
	stack  []point
	depth  int               // of the run under way
	ended  bool              // the run under way ended because nothing was left to try
	images map[uint64]asleep // by image of a point
	struck map[uint64]bool   // images at which crashes were chosen
	choice []Choice          // of the last run
}

// Counts are what a search has done.
type Counts struct {
	Executions int  // runs that came to their end
	Pruned     int  // runs that came to where the search had been
	Points     int  // distinct images of points
	Plain      int  // of them: without a crash among the options
	Open       int  // of these: with a crash left
	Steps      int  // options tried
	Asleep     int  // options left out, since they commute with what was tried
	Crashes    int  // distinct images at which crashes were tried
	Full       bool // MostImages were not enough
}

// DefaultImages is the number of images kept unless it is given.
const DefaultImages = 16 << 20

// Choice is one answer: the Value-th of N options.
type Choice struct{ Value, N int }

// asleep are IDs of options that slept at every visit of an image, ascending.
type asleep []uint64

// point is a choice of the run under way.
type point struct {
	options []sim.Option
	sleep   []sleeper
	todo    []int // options still to be tried, the one that is being tried first
	of      int   // how many there were
	touched uint64
	open    bool // counted in Open
}

// sleeper is an option that need not be taken, and what it touches.
type sleeper struct{ id, touches uint64 }

// Next makes the next run. It is false if there is none: the search is complete, unless
// Counts.Full says that it is not.
func (s *Search) Next() bool {
	if s.images == nil {
		s.images, s.struck = map[uint64]asleep{}, map[uint64]bool{}
		if s.MostImages == 0 {
			s.MostImages = DefaultImages
		}
	} else if !s.back() {
		return false
	}
	s.depth, s.ended, s.choice = 0, false, s.choice[:0]
	s.System.Run(s)
	if s.ended {
		s.Pruned++
	} else {
		s.Executions++
	}
	return true
}

// Choices are the answers of the last run. They are valid until the next.
func (s *Search) Choices() []Choice { return s.choice }

// Ended reports that the last run came to where the search had been.
func (s *Search) Ended() bool { return s.ended }

// Choose is sim.Chooser.
func (s *Search) Choose(p *sim.Point) int {
	if s.depth > 0 {
		s.stack[s.depth-1].touched = p.Touched
	}
	if s.depth == len(s.stack) && !s.arrive(p) {
		s.ended = true
		return -1
	}
	k := s.stack[s.depth].todo[0]
	s.depth++
	s.choice = append(s.choice, Choice{k, len(p.Options)})
	return k
}

// arrive adds a point; false: nothing is to be tried there.
func (s *Search) arrive(p *sim.Point) bool {
	here := point{sleep: s.inherited(), touched: ^uint64(0)}
	awake := func(i int) bool {
		id := p.Options[i].ID
		return s.Whole || !slices.ContainsFunc(here.sleep, func(x sleeper) bool { return x.id == id })
	}
	image := uint64(0)
	if !s.Again {
		image = p.Image()
	}
	kept, known := s.images[image]
	for i, o := range p.Options {
		switch {
		case o.Crash:
		case known && !s.Again && !slices.Contains(kept, o.ID):
		case !awake(i):
			s.Asleep++
		default:
			here.todo = append(here.todo, i)
		}
	}
	crash := p.Options[len(p.Options)-1].Crash
	if !s.Again {
		if !known && !crash {
			s.Plain++
			if here.open = p.Left > 0; here.open {
				s.Open++
			}
		}
		s.remember(image, known, kept, here.sleep)
	}
	if crash && !s.struck[image] {
		if s.Crashes++; !s.Again && len(s.struck) < s.MostImages {
			s.struck[image] = true
		}
		for i, o := range p.Options {
			if o.Crash {
				here.todo = append(here.todo, i)
			}
		}
	}
	if here.of = len(here.todo); here.of == 0 {
		return false
	}
	s.Steps++
	here.options = slices.Clone(p.Options)
	s.stack = append(s.stack, here)
	return true
}

// inherited are those that sleep at the point that the last step has led to.
func (s *Search) inherited() (list []sleeper) {
	if s.Whole || len(s.stack) == 0 {
		return nil
	}
	before := &s.stack[len(s.stack)-1]
	for _, x := range before.sleep {
		if x.touches&before.touched == 0 {
			list = append(list, x)
		}
	}
	return list
}

// remember notes a visit of an image.
func (s *Search) remember(image uint64, known bool, kept asleep, sleep []sleeper) {
	if !known {
		s.Points++
		if len(s.images) >= s.MostImages {
			s.Full = true
			return
		}
		for _, x := range sleep {
			kept = append(kept, x.id)
		}
		s.images[image] = kept
		return
	}
	if len(kept) > 0 {
		s.images[image] = slices.DeleteFunc(kept, func(id uint64) bool {
			return !slices.ContainsFunc(sleep, func(x sleeper) bool { return x.id == id })
		})
	}
}

// back goes to the last point at which something is left to try; false: there is none.
func (s *Search) back() bool {
	for len(s.stack) > 0 {
		p := &s.stack[len(s.stack)-1]
		if o := p.options[p.todo[0]]; !o.Crash {
			p.sleep = append(p.sleep, sleeper{o.ID, p.touched})
		}
		if p.todo = p.todo[1:]; len(p.todo) > 0 {
			p.touched = ^uint64(0)
			s.Steps++
			return true
		}
		s.stack = s.stack[:len(s.stack)-1]
	}
	return false
}

// Share is how much of the search is done, from 0 to 1. If Known says how many states there
// are from which a crash can still come, it is how many of them are done with all that follows.
// Else all options of a point count alike, and a part of what their point counts; as most of what is
// tried last was seen before, that is far too little.
func (s *Search) Share() float64 {
	if len(s.stack) == 0 && s.images != nil {
		return 1
	}
	share, weight, under := 0.0, 1.0, 0
	for i := range s.stack {
		p := &s.stack[i]
		weight /= float64(p.of)
		share += weight * float64(p.of-len(p.todo))
		if p.open {
			under++
		}
	}
	if s.Known > 0 {
		return float64(s.Open-under) / float64(s.Known)
	}
	return share
}
