//go:build !linux

package live

// newBell returns a bell with the precision of the runtime's timers.
func newBell() bell { return newCoarseBell() }
