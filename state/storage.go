package state

import (
	"weir/id"
)

// OpKind is one storage operation.
type OpKind uint8

const (
	// OpPut writes an object whose name no other writer uses; putting the same
	// bytes again is harmless.
	OpPut OpKind = iota + 1
	// OpCreate writes an object only if the name is free. Meeting its own bytes
	// it has won; meeting others it is Lost and Data holds them.
	OpCreate
	OpGet
	// OpList returns the names (with sizes) below the prefix Key, in order.
	OpList
	OpDelete // absent is fine
	// OpAppend appends entries to the log Key: Data is a run of entries in the
	// framing of AppendEntry covering positions (From, To]. It fences itself:
	// the first append of a higher Attempt cuts the log behind From first, an
	// append of a lower one is Lost. Positions already there are skipped.
	OpAppend
	// OpReadLog returns the entries of the log Key that overlap (From, To], in
	// the framing of AppendEntry. A gap is NotFound.
	OpReadLog
	// OpTrim forgets the entries of the log Key that end at or before To.
	OpTrim
	// OpFence makes every later OpAppend below Attempt to logs with prefix Key
	// Lost.
	OpFence
)

// Op is one storage operation, as a value. Data is immutable from the moment
// the operation is issued.
type Op struct {
	Kind     OpKind
	Key      string // slash-separated, no leading slash
	Data     []byte
	Attempt  id.Attempt
	From, To id.Seq
}

// Status is the outcome of an operation.
type Status uint8

const (
	OK       Status = iota + 1 // done and durable
	Failed                     // outcome unknown: it may have been applied, may yet be, or not. Ask again.
	Lost                       // somebody else's bytes stand there, or this attempt is fenced. Final.
	NotFound                   // no such object or log range. Final.
	Refused                    // will never work: too large, no space, bad name. Err says why. Final.
	Corrupt                    // checksum mismatch; Err names the file. Final.
)

// Entry is one row of a listing.
type Entry struct {
	Key  string
	Size int64
}

// Result is the outcome of an operation. Data must not be modified.
type Result struct {
	Status Status
	Err    error // set for Failed, Refused, Corrupt; wraps the cause and names the object
	Data   []byte
	// File, of an OpGet that a restore may answer itself (see Adopter), is the local file that
	// has what Data would have; Data is nil then.
	File string
	List []Entry
}

// Storage carries operations out. When Do returns OK for a write, the write
// has reached stable storage (data, metadata and directory). Implementations
// are safe for concurrent use unless they say otherwise (the simulated one
// does). Every object is stored with a checksum that Get verifies.
type Storage interface {
	Do(op Op) Result
}
