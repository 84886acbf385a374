package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"weir/live"
)

// mark is one reading of everything that only grows.
type mark struct {
	at      int64 // since the epoch
	records int64 // out of the sources, over all processes
	user    int64 // ns of CPU time
	system  int64
	spent   int64 // ns in the sources
	writes  int64 // bytes the process caused to be written to storage; unknown: not told here
	device  int64 // bytes the device has written; or unknown
	storage int64 // bytes written to checkpoint storage
	logs    int64 // of them to channel logs
	local   int64 // bytes written by the state store to its local directory
	put     int64 // bytes of keys and values put into the state store
	payload int64 // bytes of records on channels
	control int64 // bytes of control items, messages and piggyback
}

// take reads everything; before a job is started, j is nil.
func (w *watcher) take(j *live.Job) mark {
	r := w.r
	m := mark{at: r.spec.clock(), spent: r.spent.Load()}
	m.records, _ = r.counters.Emitted(r.spec.Parallelism)
	m.user, m.system = processorTime()
	m.writes, m.device = processWrites(), deviceWrites(r.spec.Dir)
	m.storage, m.logs = r.storageFS.written.Load(), r.storageFS.logBytes.Load()
	m.local = r.localFS.written.Load()
	if b, ok := r.backend.(interface{ BytesPut() int64 }); ok {
		m.put = b.BytesPut()
	}
	if j == nil {
		return m
	}
	for _, t := range j.Stats() {
		m.payload += int64(t.BytesOut)
		m.control += int64(t.StampBytes + t.ControlBytes)
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

// unknown is a reading that this system does not give.
const unknown = int64(-1)

// grown returns by how much a reading has grown, or unknown.
func grown(from, to int64) int64 {
	if from == unknown || to == unknown {
		return unknown
	}
	return to - from
}

// processWrites returns what /proc/self/io calls write_bytes: pages that this
// process made dirty, of files that have a device behind them, and counted once
// however often they are written to before the kernel writes them back. It is
// unknown where there is no such file.
func processWrites() int64 {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return unknown
	}
	for line := range bytes.Lines(data) {
		if v, ok := strings.CutPrefix(string(line), "write_bytes: "); ok {
			return reading(strings.TrimSpace(v))
		}
	}
	return unknown
}

func reading(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return unknown
	}
	return n
}

// Fields of a device's stat file count from 0; sectors are always of this size.
const (
	sectorsWritten = 6
	sectorBytes    = 512
)

// deviceWrites returns the bytes that the device of a directory has written
// since boot, for whomever. It is unknown where the file system has no device of
// its own: in memory, over a network, or over several devices.
func deviceWrites(dir string) int64 {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return unknown
	}
	f, err := os.Open(fmt.Sprintf("/sys/dev/block/%d:%d/stat", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))))
	if err != nil {
		return unknown
	}
	defer func() { _ = f.Close() }() // only read
	line, _ := bufio.NewReader(f).ReadString('\n')
	fields := strings.Fields(line)
	if len(fields) <= sectorsWritten {
		return unknown
	}
	n := reading(fields[sectorsWritten])
	if n == unknown {
		return unknown
	}
	return n * sectorBytes
}
