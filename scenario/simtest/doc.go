// Package simtest checks jobs under crashes, and makes failures of simulation tests repeatable. It gives them
// the flags
//
//	-seed N      run seed N and no other
//	-seeds A-B   run seeds A to B
//	-crash K     crash sweeps: crash at the K-th event and at no other
//	-full        more of everything, for as long as it takes
//
// and turns an outcome that is not fine into a message that ends with two
// commands: the one that repeats the run under go test, and the one that
// repeats it with cmd/sim. Check does the same for a job that no catalog has: with
// the command for go test, and a file with the trace.
package simtest
