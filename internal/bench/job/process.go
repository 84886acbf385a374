package job

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"weir/live"
)

// ChildVariable marks, in its environment, a process that is to run a job and
// nothing else. Every program that measures asks [IsChild] first.
const ChildVariable = "WEIR_BENCH_JOB"

// IsChild tells whether this process is to run a job: main calls [Child] then
// and exits with what it returns.
func IsChild() bool { return os.Getenv(ChildVariable) != "" }

// Child is the whole life of a child process. The first line of standard input
// is its spec. At an interrupt the job stops well. When standard input ends, the
// measuring process has died, and this one does at once: what a killed job
// leaves is a checkpoint too.
func Child() (status int) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		fmt.Fprintln(os.Stderr, "job: no spec on standard input; this mode is for the bench command itself")
		return exitNoSpec
	}
	var spec Spec
	if err := json.Unmarshal(line, &spec); err != nil {
		fmt.Fprintln(os.Stderr, "job: spec:", err)
		return exitNoSpec
	}
	go func() {
		_, _ = io.Copy(io.Discard, in) // ends when the measuring process does
		stop()                         // the signal is to end this process by itself
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
	}()
	if err := Run(ctx, &spec); err != nil {
		fmt.Fprintln(os.Stderr, "job:", err)
		return exitStatus(err)
	}
	return 0
}

// Exit statuses of a child. What is unexpected in the runtime ends a process
// with goPanic.
const (
	exitError  = 1
	goPanic    = 2
	exitPanic  = 3
	exitNoSpec = 64
)

// exitStatus tells the measuring process what kind of error a job ended with.
func exitStatus(err error) int {
	var p *live.PanicError
	if errors.Is(err, errPanicked) || errors.As(err, &p) {
		return exitPanic
	}
	return exitError
}

// Process is a child process that runs a job.
type Process struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	last  *lastWords
	done  chan struct{}
	err   error
	dir   string // of the job's counters
}

// Start starts a child process with a spec.
func Start(spec *Spec) (*Process, error) {
	line, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start the job: %w", err)
	}
	p := &Process{cmd: exec.Command(self), last: &lastWords{}, done: make(chan struct{}), dir: spec.Dir}
	p.cmd.Env = append(os.Environ(), ChildVariable+"=1")
	p.cmd.Stderr, p.cmd.Stdout = p.last, p.last
	// A process group of its own: an interrupt typed at the terminal comes to the
	// measuring process, which decides what the job hears.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start the job: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the job: %w", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		p.Kill()
		return nil, fmt.Errorf("start the job: %w", p.Failure())
	}
	return p, nil
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Kill ends the process as a power cut would end it for the job, and waits.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // SIGKILL; it may have ended by itself
	<-p.done
}

// Interrupt asks the job to stop well, and waits.
func (p *Process) Interrupt() {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	<-p.done
}

// Failure returns why the process has ended, with its last words; nil if well.
func (p *Process) Failure() error {
	if p.err == nil {
		return nil
	}
	return &ChildError{Err: p.err, LastWords: p.last.String(), NoRoom: foundNoRoom(p.dir)}
}

// foundNoRoom tells whether a process of the job in a directory found its disk
// full: that may be how it ended, without coming to say so.
func foundNoRoom(dir string) bool {
	c, err := OpenCounters(dir)
	if err != nil {
		return false
	}
	full := c.Get(CounterFull) != 0
	_ = c.Close() // only read
	return full
}

// ChildError is the end of a job's process by itself.
type ChildError struct {
	Err       error
	LastWords string // the end of what it wrote to standard error, for people
	NoRoom    bool   // a write of the job's found no room on the disk
}

// Error says how the process ended and what it said last.
func (e *ChildError) Error() string {
	if e.LastWords == "" {
		return fmt.Sprintf("the job's process ended by itself: %v; it said nothing", e.Err)
	}
	return fmt.Sprintf("the job's process ended by itself: %v; its last words:\n  %s", e.Err, strings.ReplaceAll(e.LastWords, "\n", "\n  "))
}

// Unwrap returns the exit error.
func (e *ChildError) Unwrap() error { return e.Err }

// Panicked tells whether the code under test panicked.
func (e *ChildError) Panicked() bool {
	var exit *exec.ExitError
	return errors.As(e.Err, &exit) && (exit.ExitCode() == exitPanic || exit.ExitCode() == goPanic)
}

// lastWords keeps the beginning of what is written to it, where a panic says
// what it is, and the end.
type lastWords struct {
	mu          sync.Mutex
	first, kept []byte
	left        int // bytes out between the two
}

const (
	firstWords = 1 << 10
	keptWords  = 4 << 10
)

func (l *lastWords) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(p), firstWords-len(l.first))
	l.first = append(l.first, p[:n]...)
	l.kept = append(l.kept, p[n:]...)
	if more := len(l.kept) - keptWords; more > 0 {
		l.kept = append(l.kept[:0], l.kept[more:]...)
		l.left += more
	}
	return len(p), nil
}

func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	gap := ""
	if l.left > 0 {
		gap = fmt.Sprintf("\n... %d bytes ...\n", l.left)
	}
	return strings.TrimSpace(string(l.first) + gap + string(l.kept))
}
