// Package id holds the identifier types that every layer shares. They are
// distinct integer types so that a task number cannot be passed where an epoch
// is meant; each has one text form, used in traces, fault plans and file names.
package id

import (
	"fmt"
	"strconv"
	"strings"
)

type (
	// TaskID numbers the tasks (parallel instances of operators) of a job from 0, in graph order.
	TaskID int32
	// ChannelID numbers the channels (ordered pairs of tasks along an edge) of a job from 0.
	ChannelID int32
	// SplitID numbers the splits of all sources of a job from 0, in graph order.
	SplitID int32
	// Epoch is a snapshot number: strictly growing along a task's lineage and
	// never used twice, not even after the snapshot was lost. The attempt that
	// began it is in the upper bits (see MakeEpoch). 0 means none.
	Epoch uint64
	// Seq is a position in a channel: the number of numbered items sent before
	// and including it since the start of the job.
	Seq uint64
	// Attempt is the number of the recovery plan that started an incarnation;
	// it is the fencing token everywhere. 0 means not started.
	Attempt uint32
	// Offset is a position in a split of a replayable source: the number of records
	// handed out before it.
	Offset uint64
	// Ticket names one asynchronous effect of one incarnation of a task or coordinator.
	Ticket uint64
)

const epochBits = 20

// MaxIndex is the greatest index of an epoch. No snapshot has it.
const MaxIndex = 1<<epochBits - 1

// MakeEpoch returns the k-th epoch begun by attempt a. k counts from 1 and must stay below 2^20.
func MakeEpoch(a Attempt, k uint32) Epoch { return Epoch(a)<<epochBits | Epoch(k) }

// Attempt returns the attempt that began e.
func (e Epoch) Attempt() Attempt { return Attempt(e >> epochBits) }

// Index returns the position of e among the epochs of its attempt, from 1.
func (e Epoch) Index() uint32 { return uint32(e & (1<<epochBits - 1)) }

// String returns "attempt.index", for example "2.7".
func (e Epoch) String() string { return string(e.Append(make([]byte, 0, 24))) }

// Append appends what String returns.
func (e Epoch) Append(b []byte) []byte {
	b = strconv.AppendUint(b, uint64(e.Attempt()), 10)
	return strconv.AppendUint(append(b, '.'), uint64(e.Index()), 10)
}

// ParseEpoch is the inverse of Epoch.String.
func ParseEpoch(s string) (Epoch, error) {
	a, k, ok := strings.Cut(s, ".")
	if ok {
		an, err1 := strconv.ParseUint(a, 10, 32)
		kn, err2 := strconv.ParseUint(k, 10, epochBits)
		if err1 == nil && err2 == nil {
			return MakeEpoch(Attempt(an), uint32(kn)), nil
		}
	}
	return 0, fmt.Errorf("epoch %q: want ATTEMPT.INDEX, for example 2.7", s)
}

// String returns "t" and the number.
func (t TaskID) String() string { return "t" + strconv.Itoa(int(t)) }

// String returns "s" and the number.
func (s SplitID) String() string { return "s" + strconv.Itoa(int(s)) }

// String returns "c" and the number.
func (c ChannelID) String() string { return "c" + strconv.Itoa(int(c)) }

// String returns "a" and the number.
func (a Attempt) String() string { return "a" + strconv.Itoa(int(a)) }
