package live

import (
	"slices"
	"testing"
	"time"
)

// TestNothingOvertakesWhatIsHeld: what comes when a pause is over, before the process has woken,
// is heard behind what came in the pause.
func TestNothingOvertakesWhatIsHeld(t *testing.T) {
	j := &Job{clock: newClock(time.Time{})}
	p := &process{c: &control{j: j}, until: j.clock.now() + int64(time.Hour)}
	var heard []int
	var hear func(n int)
	hear = func(n int) {
		if !p.still(func() { hear(n) }) {
			heard = append(heard, n)
		}
	}
	hear(1)
	hear(2)
	p.until = j.clock.now() // the alarm has not been handled yet
	hear(3)
	p.wake()
	hear(4)
	if want := []int{1, 2, 3, 4}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}
