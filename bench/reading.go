package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"weir/dataflow/live"
)

// mark is one reading of everything that only grows.
type mark struct {
	at      int64 // since the epoch
	records int64 // out of the sources, over all processes
	user    int64 // ns of CPU time
	system  int64
	spent   int64 // ns in the sources
	writes  int64 // bytes the process caused to be written to storage
	device  int64 // bytes the device has written
	storage int64 // bytes written to checkpoint storage
	logs    int64 // of them to channel logs
	local   int64 // bytes written by the state store to its local directory
	sink    int64
	payload int64 // bytes of records on channels
	control int64 // bytes of messages and piggyback
	turns   int64
}

// take reads everything; before a job is started, j is nil.
func (w *watcher) take(j *live.Job) mark {
	r := w.r
	m := mark{at: r.spec.clock(), spent: r.spent.Load()}
	m.records, _ = r.counters.Emitted(r.spec.Parallelism)
	m.user, m.system = processorTime()
	m.writes, m.device = processWrites(), deviceWrites(r.spec.Dir)
	m.storage, m.logs = r.storageFS.written.Load(), r.storageFS.logBytes.Load()
	m.local, m.sink = r.localFS.written.Load(), r.sinkFS.written.Load()
	if j == nil {
		return m
	}
	for _, t := range j.Stats() {
		m.payload += int64(t.BytesOut)
		m.control += int64(t.StampBytes + t.ControlBytes)
		m.turns += int64(t.Turns)
	}
	return m
}

// processorTime returns user and system CPU time of this process, ns.
func processorTime() (user, system int64) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	return u.Utime.Nano(), u.Stime.Nano()
}

// peakMemory returns the largest resident memory of this process, bytes.
func peakMemory() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss << 10
}

// processWrites returns what /proc/self/io calls write_bytes; 0 where there is none.
func processWrites() int64 {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		if v, ok := strings.CutPrefix(string(line), "write_bytes: "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return n
		}
	}
	return 0
}

const sectorBytes = 512

// deviceWrites returns the bytes that the device of a directory has written
// since boot; 0 where that is not known.
func deviceWrites(dir string) int64 {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return 0
	}
	f, err := os.Open(fmt.Sprintf("/sys/dev/block/%d:%d/stat", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))))
	if err != nil {
		return 0
	}
	defer func() { _ = f.Close() }() // only read
	line, _ := bufio.NewReader(f).ReadString('\n')
	fields := strings.Fields(line)
	if len(fields) < 7 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[6], 10, 64)
	return n * sectorBytes
}
