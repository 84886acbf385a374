package compare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// finished is a command that ended well.
type finished struct {
	stdout string
	cpu    time.Duration // user and system, of the process and of those it waited for
}

// failedError is the error of a command that ended badly, with what it wrote.
type failedError struct {
	argv []string
	err  error
	said string
}

func (f *failedError) Error() string {
	return fmt.Sprintf("%s: %v\n%s", strings.Join(f.argv, " "), f.err, f.said)
}

// Unwrap returns how the command ended.
func (f *failedError) Unwrap() error { return f.err }

// exitUsage is the exit status of a bench command that cannot do what it was asked for.
const exitUsage = 2

// refused returns what a bench command said of its command line; "" if err is
// about something else.
func refused(err error) string {
	var failed *failedError
	var exit *exec.ExitError
	if !errors.As(err, &failed) || !errors.As(err, &exit) || exit.ExitCode() != exitUsage {
		return ""
	}
	reason, _, _ := strings.Cut(failed.said, "\nTry: ")
	return strings.TrimPrefix(reason, "bench: usage: ")
}

// run runs a command in a directory to its end. Its process group is its own, so
// that an interrupt comes to this process alone, which ends the whole group when
// ctx does. What it wrote stands in the error if it fails.
func run(ctx context.Context, dir string, env []string, argv ...string) (*finished, error) {
	var stdout, stderr bytes.Buffer
	c := exec.CommandContext(ctx, argv[0], argv[1:]...)
	c.Dir, c.Stdout, c.Stderr = dir, &stdout, &stderr
	c.Env = append(os.Environ(), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	c.WaitDelay = time.Second // a grandchild may hold the pipes
	err := c.Run()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", argv[0], context.Cause(ctx))
	}
	if err != nil {
		return nil, &failedError{argv, err, strings.TrimSpace(stdout.String() + "\n" + stderr.String())}
	}
	return &finished{stdout.String(), c.ProcessState.UserTime() + c.ProcessState.SystemTime()}, nil
}
