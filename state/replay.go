package state

// Replayer is a Store whose states can be changed by whoever replays a log of changes over what
// was restored, whether the job has opened them or not.
type Replayer interface {
	Store
	// Replay returns how an entry of the state d becomes what it is in the log, and how it is
	// removed. Like Load it declares what is not there yet, and refuses what differs, with an
	// error that wraps ErrIncompatible.
	Replay(d Descriptor) (put, remove func(e KeyedEntry), err error)
}
