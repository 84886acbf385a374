// Package state holds the contracts of the state layer: keyed state in key
// groups behind a Store, snapshots as values that a driver carries out
// (Transfer), and durable checkpoint Storage as operations that are values too
// (Op, Result). Nothing here starts a goroutine or touches a disk; backends
// (state/heap, state/pebblestate) and storages (state/storage) do that behind
// these interfaces, and state/statetest checks them all alike.
package state

import (
	"weir/id"
)

// Kind is the shape of one named keyed state.
type Kind uint8

const (
	KindValue       Kind = iota + 1 // one value per key
	KindList                        // a sequence of elements per key, append-only between clears
	KindMap                         // fields per key, ordered by field bytes
	KindReducing                    // one value per key, merged by the operator
	KindTimers                      // a set of times per key, in order of (time, key) over all keys: see Timers
	KindAggregating                 // one accumulator per key, to which the operator adds
)

// Descriptor declares one keyed state. The name identifies it across restarts;
// the codec names the encoding of values ("name/version"), and a snapshot
// written with another codec or kind is refused with a clear error, unless the codec has
// versions and reads what is stored.
type Descriptor struct {
	Name  string
	Kind  Kind
	Codec string
	// FixedSize > 0 says that every value (KindValue, KindReducing, KindAggregating) has exactly
	// this many bytes; it enables FixedTable.Update.
	FixedSize int
	// Schemas are those by which stored values may have been written, if values have versions
	// (see Versioned): with which they begin then. Of a map it is the values of fields.
	Schemas Schemas
	// Evolution is how the job reads them. It is not stored: nil in what comes from a snapshot.
	Evolution Evolution
	// TTL is how long an entry lives. Only its clock must stay the same: another
	// duration holds for what is written from then on.
	TTL TTL
}

// Key is a key with its hash, HashBytes of Bytes, computed once per record. The
// group may be that of a part of the key. Bytes is only read
// during the call it is passed to.
type Key struct {
	Hash  uint64
	Group uint16
	Bytes []byte
}

// Store is the working state of one task incarnation. It is used by one
// goroutine at a time. Input/output errors are sticky: table calls then do
// nothing, and Err and Snapshot report the first one since Open.
type Store interface {
	// Table opens a keyed state; call it once per descriptor, before the first
	// Restore or use. It fails on a name that is in use, and, after a restore,
	// on a kind, codec or size that differs from what the snapshot holds. The
	// table is one of the kind of d, and has what is stored: with a TTL, expired entries
	// too, and in front of each value or element the time at which it expires.
	// OpenValueTable and its like return it as what it is, without either.
	Table(d Descriptor) (Table, error)
	// Timers opens a set of timers, as Table opens a keyed state. Its name is one
	// among those of keyed states.
	Timers(name string) (Timers, error)
	// List returns the list of operator state called name, which belongs to the
	// task and not to keys: its items are the caller's to change, and part of
	// every snapshot and of Sum as they are then. Names of lists are their own.
	// mode says how rescaling hands items out; a restore with another one fails.
	List(name string, mode Redistribution) (*OperatorList, error)
	// Content reads the store, of every state that it holds.
	Content
	// Lookup calls f for the entries under one key of the state called name, until f
	// returns false: those that Entries would call it for, found without looking at the
	// others. It is for whoever looks in from outside: entries are not younger for it. A
	// key of a group that is not the store's, a name that States does not have, and
	// timers, whose order is not that of keys, have no entries. Errors are those of Err.
	Lookup(name string, k Key, f func(e KeyedEntry) bool)
	// AppendOperator appends the operator state, in the encoding of Handle.Operator,
	// which is one for all backends; RestoreOperator takes over what the handles of old
	// tasks have there, and nothing else of them.
	AppendOperator(dst []byte) []byte
	RestoreOperator(handles []Handle) error
	// Load returns how entries are put into the state d of a store that has not been
	// used: each once, in any order, of the store's own key groups. Like a restore it
	// declares what is not open yet, and refuses what differs from what is, with an
	// error that wraps ErrIncompatible.
	Load(d Descriptor) (put func(e KeyedEntry), err error)
	// Snapshot fixes the instant: the returned Capture holds exactly the state
	// as it is now, whatever the task does next. This is the synchronous part;
	// it is short and does no storage operation.
	Snapshot(r SnapshotRequest) (Capture, error)
	// Restore returns the transfer that fetches and rebuilds the state of h
	// (several handles when a job is rescaled: those of all old tasks; keys outside
	// the store's groups are skipped). Use no table before the transfer is done.
	Restore(h []Handle) (Transfer, error)
	// Clocks is the time by which entries expire. Whoever owns the store advances it;
	// a restore sets it to that of the snapshot.
	Clocks() *Clocks
	// Sum returns a hash of the logical content: equal contents give equal sums
	// in every backend, whatever the order of writes. It reads everything that has
	// not expired by Clocks.
	Sum() uint64
	// SumApart is the part of Sum that does not add up over the tasks of an operator;
	// see OperatorState.
	SumApart() uint64
	// Release says that no snapshot below base will be asked for as a base again.
	Release(base id.Epoch)
	// Close frees everything that is local; captures taken before stay readable
	// only until then.
	Close() error
}

// Timers is a set of (time, key). It is keyed state like any other: a timer
// belongs to the key group of its key, to every snapshot and to Sum. Its order
// is that of (time, bytes of the key), whatever the key group.
type Timers interface {
	Set(at int64, k Key)    // nothing happens if it is there
	Cancel(at int64, k Key) // nor here if it is not
	// Pop removes and returns the first timer if it is at or before until, with the group of
	// its key. The key is valid for ever and must not be written to.
	Pop(until int64) (at int64, group uint16, key []byte, ok bool)
	// First returns the time of the first timer.
	First() (at int64, ok bool)
	// Range calls f for every timer in order of (group, time, key) until f returns
	// false. f must not write to the set.
	Range(f func(at int64, k Key) bool)
	Len() int
}

// SnapshotRequest names a snapshot.
type SnapshotRequest struct {
	Epoch id.Epoch
	// Base is a complete snapshot of this store's lineage whose files may be
	// referred to again; 0 asks for a full one. A backend that does not know
	// Base makes a full snapshot.
	Base id.Epoch
	// Prefix is unique to this task incarnation (it holds the attempt); names of
	// files made are Prefix plus a number that the store never uses twice.
	Prefix string
}

// FileRef is one immutable file in checkpoint storage.
type FileRef struct {
	Name   string // its key in storage, unique for ever
	Local  string // the name the backend knows it by
	Size   int64
	Sum    uint64 // xxHash64 of the content
	Shared bool   // may be referred to by several snapshots of the task
}

// Handle is where the state of one snapshot stands: inline, in files, or both.
// It is plain data and is written into the task's snapshot object.
type Handle struct {
	Backend string // "heap", "pebble", ...: format of what follows
	Version uint16
	Inline  []byte
	// Operator is the operator state of the task, in one encoding for all
	// backends (see OperatorState).
	Operator []byte
	Files    []FileRef
	Bytes    int64 // logical size of the whole state: keys, fields and values of all entries (see SumEntry)
	Changed  int64 // logical bytes written since the base, 0 if unknown
}

// Transfer is the asynchronous part of a snapshot or of a restore, as a state
// machine over storage operations: the driver calls Next, carries the
// operations out (off the processing path), and hands the results back. It
// touches only what no task writes to any more. Not safe for concurrent use.
type Transfer interface {
	// Next takes the results of the operations that the last call returned (nil
	// at first), in their order, and returns the next ones; they are independent
	// of each other and may be carried out in any order or at once. No operation
	// and done false means: a slice of local work was done, call again. A result
	// with Status Failed (outcome unknown) makes Next return that operation
	// again; all operations used are idempotent. err is final.
	Next(results []Result) (ops []Op, done bool, err error)
}

// Capture is the asynchronous part of a snapshot.
type Capture interface {
	Transfer
	// Handle is valid once Next has said done.
	Handle() Handle
	// Discard frees what the capture pins, when it is done or given up. Safe to
	// call twice.
	Discard()
}

// ChangeMeter is a Capture that knows how much has changed. It is for
// measurements: nothing depends on it, and nothing of it is stored.
type ChangeMeter interface {
	Capture
	// Changed returns the bytes of keys and values changed since the base of the
	// snapshot, also if the snapshot is a full one. It is not known of a snapshot
	// without a base. Valid once Next has said done.
	Changed() (bytes int64, known bool)
}

// Resident is a Capture of a store that keeps its files on the local disk anyway.
type Resident interface {
	Capture
	// Resident returns the local file that has the content of a file of the snapshot, by its
	// name in storage, if there is one. It is never written to again; as soon as Next has said
	// done it may be removed at any time.
	Resident(name string) (path string, ok bool)
}

// Adopter is a Transfer of a restore that can make a local file one of its own by a hard link.
type Adopter interface {
	Transfer
	// Adopts reports whether the OpGet of a file may be answered by Result.File, whose
	// size and checksum whoever answers has verified.
	Adopts(name string) bool
}

// CopyCounts are how many files a restore took from local copies, and how many it read from
// storage because there was no copy, or one that is not the file.
type CopyCounts struct{ Taken, Missing, Damaged int }

// Add adds what another restore has counted.
func (c *CopyCounts) Add(o CopyCounts) {
	c.Taken += o.Taken
	c.Missing += o.Missing
	c.Damaged += o.Damaged
}

// Backend opens stores. Implementations carry their own configuration.
type Backend interface {
	// Name is the catalog name: heap, pebble-full, pebble.
	Name() string
	// Open returns an empty store for one task incarnation. dir is the
	// incarnation's own local directory for backends that need one (relative to
	// the file system they were built with).
	Open(o Open) (Store, error)
}

// Open says for whom a store is opened.
type Open struct {
	Task   id.TaskID
	Dir    string
	Groups GroupRange
	// Instance of Instances is the place of the task among those of its vertex, for
	// operator state; 0 of 0 is the only one.
	Instance, Instances int

	Keyed bool // false: no table will be opened; a backend may skip its local files
	FS    any  // file system of the worker (vfs.FS of pebble) for backends that keep local files; nil otherwise
}

// GroupRange is the half-open range [Lo, Hi) of key groups that a task owns.
type GroupRange struct{ Lo, Hi uint16 }

// DefaultGroups is the number of key groups of a job unless it says otherwise.
const DefaultGroups = 128

// GroupOf returns the key group of a hash among groups.
func GroupOf(hash uint64, groups int) uint16 {
	return uint16((uint64(uint32(hash>>32)) * uint64(groups)) >> 32)
}

// GroupsOf returns the key groups of instance i of p.
func GroupsOf(i, p, groups int) GroupRange {
	return GroupRange{Lo: uint16((i*groups + p - 1) / p), Hi: uint16(((i+1)*groups + p - 1) / p)}
}

// InstanceOf returns which of p instances owns a key group: the inverse of GroupsOf.
func InstanceOf(group uint16, p, groups int) int { return int(group) * p / groups }
