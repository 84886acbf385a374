package sim

import (
	"slices"
	"testing"

	"weir/sim/seed"
)

// delays are those of twenty draws of each of five channels.
func delays(p *Priorities) (byChannel [5][]Nanos) {
	p.Begin(seed.New(1))
	for range 20 {
		for key := range byChannel {
			byChannel[key] = append(byChannel[key], p.Delay(LinkDelay, key, 6400))
		}
	}
	return byChannel
}

// TestPriorities: everybody is late by a share of its own, every time; at each place of
// change, of which there is one less than the depth, one becomes the last of all for good.
func TestPriorities(t *testing.T) {
	changedIn := map[int]int{}
	for number := range uint64(60) {
		p := &Priorities{Seed: number, Depth: 1 + int(number%3), Draws: 100}
		all := delays(p)
		changed := 0
		for key, late := range all {
			if late[0] != late[len(late)-1] {
				changed++
			}
			if d := slices.Compact(slices.Clone(late)); len(d) > 2 || len(d) == 2 && d[1] != 6400 {
				t.Errorf("seed %d, channel %d: late by %v", number, key, late)
			}
		}
		if changed > p.Depth-1 {
			t.Errorf("depth %d: %d channels changed", p.Depth, changed)
		}
		changedIn[p.Depth] += changed
		if again := delays(p); !slices.EqualFunc(again[:], all[:], slices.Equal[[]Nanos]) || p.Drawn() != 100 {
			t.Errorf("seed %d: another run of it differs", number)
		}
	}
	if changedIn[1] != 0 || changedIn[2] < 10 || changedIn[3] <= changedIn[2] {
		t.Errorf("channels that changed, by depth: %v", changedIn)
	}
}

// TestPrioritiesPrefer: a task prefers one of its inputs whenever as many wait.
func TestPrioritiesPrefer(t *testing.T) {
	p := &Priorities{Seed: 3, Depth: 1, Draws: 100}
	p.Begin(seed.New(1))
	chosen := map[int]bool{}
	for task := range 30 {
		c := p.Choose(task, 1, 4)
		chosen[c] = true
		for range 5 {
			if again := p.Choose(task, 1, 4); again != c {
				t.Errorf("task %d serves %d, then %d", task, c, again)
			}
		}
	}
	if len(chosen) != 4 {
		t.Errorf("thirty tasks prefer %v", chosen)
	}
}
