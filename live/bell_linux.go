package live

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// timerBell rings by a kernel timer that the runtime's poller waits for. The
// runtime's own timers round what is left up to a millisecond when every
// processor is idle, which is most of the latency of a lightly loaded job.
type timerBell struct {
	fd   int
	file *os.File
	c    chan struct{}
	done chan struct{}
}

// newBell returns a bell that rings within some 100 microseconds on a machine
// that has a processor to spare.
func newBell() bell {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return newCoarseBell() // out of descriptors, or a kernel that forbids it
	}
	b := &timerBell{fd: fd, file: os.NewFile(uintptr(fd), "timer"), c: make(chan struct{}, 1), done: make(chan struct{})}
	go b.listen()
	return b
}

func (b *timerBell) listen() {
	defer close(b.done)
	var count [8]byte
	for {
		if _, err := b.file.Read(count[:]); err != nil {
			return
		}
		select {
		case b.c <- struct{}{}:
		default:
		}
	}
}

func (b *timerBell) set(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_ = unix.TimerfdSettime(b.fd, 0, &spec, nil) // fails only on a bad argument
}

func (b *timerBell) ring() <-chan struct{} { return b.c }

func (b *timerBell) close() {
	_ = b.file.Close()
	<-b.done
}
