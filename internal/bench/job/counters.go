package job

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Phase is where a job is in its repetition.
type Phase uint64

const (
	Starting  Phase = iota // opening, restoring
	Filling                // until the state has its size
	Warming                // until throughput is steady
	Measuring              // the numbers of the repetition come from here
	Ending                 // the input comes to its end
	Ended                  // the report is written
)

// String returns the phase in a word.
func (p Phase) String() string {
	if p > Ended {
		return fmt.Sprintf("phase(%d)", uint64(p))
	}
	return [...]string{"starting", "filling", "warming up", "measuring", "ending", "ended"}[p]
}

// Counter names one shared number. Times are nanoseconds since the job's epoch.
type Counter int

const (
	counterMagic   Counter = iota
	CounterPhase           // Phase
	CounterReady           // time at which every task had been restored, of the newest process
	CounterBegan           // time at which measuring began
	CounterOpened          // time of the schedule's first record; 0: not yet
	CounterLimit           // records per split, plus 1; 0: no end yet
	CounterDurable         // completed checkpoints, or snapshots of single tasks, of all processes
	CounterCommits         // commits seen by the external store, of all processes
	CounterCommit          // time of the last one
	CounterNew             // time of the first new record after a kill
	CounterCaught          // time at which the lag was back at its level before the kill
	CounterLag             // records due and not taken, at the kill
	CounterLast            // time at which the last source came to its end
	CounterProcess         // number of processes that have run the job
	CounterFull            // 1 once a write found no room, by any process
	fixedCounters  = 32
)

// MaxSplits bounds the splits of a measured job.
const MaxSplits = 64

// Values per split behind the fixed counters.
const (
	splitOffset   = iota // records handed out
	splitRestored        // offset that the newest process began from, plus 1
	splitKilled          // offset at the kill
	perSplit
)

const counterBytes = 8 * (fixedCounters + perSplit*MaxSplits)

const counterLayout = 0x5765697230303031 // changes with the layout

// Counters are numbers that the measuring process and the job's processes share
// through a mapped file. They outlive any of them. Safe for concurrent use.
type Counters struct {
	mem   []byte
	words []uint64
}

const countersFile = "counters"

// OpenCounters maps the counters in directory dir, making them if need be.
func OpenCounters(dir string) (*Counters, error) {
	path := filepath.Join(dir, countersFile)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("counters: %w", err)
	}
	mem, err := mapFile(f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("counters %s: %w", path, err)
	}
	c := &Counters{mem: mem, words: unsafe.Slice((*uint64)(unsafe.Pointer(&mem[0])), counterBytes/8)}
	if !atomic.CompareAndSwapUint64(&c.words[counterMagic], 0, counterLayout) && c.words[counterMagic] != counterLayout {
		return nil, errors.Join(fmt.Errorf("counters %s: written by another version: use a directory of its own for every run", path), c.Close())
	}
	return c, nil
}

func mapFile(f *os.File) ([]byte, error) {
	if err := f.Truncate(counterBytes); err != nil {
		return nil, err
	}
	return unix.Mmap(int(f.Fd()), 0, counterBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// Close unmaps the counters; they must not be used any more.
func (c *Counters) Close() error { return unix.Munmap(c.mem) }

// Get returns a number.
func (c *Counters) Get(k Counter) int64 { return int64(atomic.LoadUint64(&c.words[k])) }

// Set sets a number.
func (c *Counters) Set(k Counter, v int64) { atomic.StoreUint64(&c.words[k], uint64(v)) }

// Add adds to a number and returns the sum.
func (c *Counters) Add(k Counter, v int64) int64 {
	return int64(atomic.AddUint64(&c.words[k], uint64(v)))
}

// SetOnce sets a number that is still 0 and reports whether it was.
func (c *Counters) SetOnce(k Counter, v int64) bool {
	return atomic.CompareAndSwapUint64(&c.words[k], 0, uint64(v))
}

// Phase returns the phase of the job.
func (c *Counters) Phase() Phase { return Phase(c.Get(CounterPhase)) }

func (c *Counters) split(i, field int) *uint64 {
	return &c.words[fixedCounters+perSplit*i+field]
}

// Offset returns how many records of split i were handed out.
func (c *Counters) Offset(i int) int64 { return int64(atomic.LoadUint64(c.split(i, splitOffset))) }

func (c *Counters) setSplit(i, field int, v int64) {
	atomic.StoreUint64(c.split(i, field), uint64(v))
}

func (c *Counters) getSplit(i, field int) int64 {
	return int64(atomic.LoadUint64(c.split(i, field)))
}

// Emitted returns how many records of the first n splits were handed out, and the
// furthest offset among them.
func (c *Counters) Emitted(n int) (total, furthest int64) {
	for i := range n {
		o := c.Offset(i)
		total, furthest = total+o, max(furthest, o)
	}
	return total, furthest
}

// SetLimit ends the input after that many records per split.
func (c *Counters) SetLimit(perSplit int64) { c.SetOnce(CounterLimit, perSplit+1) }

// Limit returns the end of the input, and false while there is none.
func (c *Counters) Limit() (perSplit int64, ok bool) {
	v := c.Get(CounterLimit)
	return v - 1, v > 0
}

// NoteKill records how far each of n splits was handed out when the process was
// killed: now they stand still.
func (c *Counters) NoteKill(n int) {
	for i := range n {
		c.setSplit(i, splitKilled, c.Offset(i))
	}
}

// Lost returns how many records the newest process has handed out again, of
// those of n splits that were handed out before the kill.
func (c *Counters) Lost(n int) (lost int64) {
	for i := range n {
		lost += max(c.getSplit(i, splitKilled)-(c.getSplit(i, splitRestored)-1), 0)
	}
	return lost
}
