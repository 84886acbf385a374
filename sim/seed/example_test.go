package seed_test

import (
	"fmt"

	"weir/sim/seed"
)

// A recorded run is replayed from its tape, and made calmer by editing it.
func ExampleTape() {
	run := func(s *seed.Source) {
		var crashed [3]bool
		for worker := range crashed {
			crashed[worker] = s.Stream("crash", uint64(worker)).Chance(1, 2)
		}
		fmt.Println(crashed)
	}
	s, tape := seed.New(7), new(seed.Tape)
	s.Record(tape)
	run(s)
	run(seed.NewReplay(tape))
	tape.Quiet(1, 2)
	run(seed.NewReplay(tape))
	fmt.Print(tape)
	// Output:
	// [true true false]
	// [true true false]
	// [true false false]
	// weir-tape 1
	// crash/0 1/2
	// crash/1 0/2
	// crash/2 0/2
}
