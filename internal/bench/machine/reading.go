package machine

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ThreadTime returns the CPU time of this thread in nanoseconds; 0 if the system
// does not say.
func ThreadTime() int64 {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return 0
	}
	return t.Nano()
}

// ProcessorTime returns user and system CPU time of this process, ns.
func ProcessorTime() (user, system int64) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	return u.Utime.Nano(), u.Stime.Nano()
}

// PeakMemory returns the largest resident memory of this process, bytes.
func PeakMemory() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss << 10
}

// Unknown is a reading that this system does not give.
const Unknown = int64(-1)

// Grown returns by how much a reading has grown, or Unknown.
func Grown(from, to int64) int64 {
	if from == Unknown || to == Unknown {
		return Unknown
	}
	return to - from
}

// ProcessWrites returns what /proc/self/io calls write_bytes: pages that this
// process made dirty, of files that have a device behind them, and counted once
// however often they are written to before the kernel writes them back. It is
// unknown where there is no such file.
func ProcessWrites() int64 {
	data, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return Unknown
	}
	for line := range bytes.Lines(data) {
		if v, ok := strings.CutPrefix(string(line), "write_bytes: "); ok {
			return reading(strings.TrimSpace(v))
		}
	}
	return Unknown
}

func reading(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return Unknown
	}
	return n
}

// Fields of a device's stat file count from 0; sectors are always of this size.
const (
	sectorsWritten = 6
	sectorBytes    = 512
)

// DeviceWrites returns the bytes that the device of a directory has written
// since boot, for whomever. It is unknown where the file system has no device of
// its own: in memory, over a network, or over several devices.
func DeviceWrites(dir string) int64 {
	var st unix.Stat_t
	if unix.Stat(dir, &st) != nil {
		return Unknown
	}
	f, err := os.Open(fmt.Sprintf("/sys/dev/block/%d:%d/stat", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))))
	if err != nil {
		return Unknown
	}
	defer func() { _ = f.Close() }() // only read
	line, _ := bufio.NewReader(f).ReadString('\n')
	fields := strings.Fields(line)
	if len(fields) <= sectorsWritten {
		return Unknown
	}
	n := reading(fields[sectorsWritten])
	if n == Unknown {
		return Unknown
	}
	return n * sectorBytes
}
