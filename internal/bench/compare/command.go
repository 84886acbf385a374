package compare

import (
	"bytes"
	"context"
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
		said := strings.TrimSpace(stdout.String() + "\n" + stderr.String())
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, said)
	}
	return &finished{stdout.String(), c.ProcessState.UserTime() + c.ProcessState.SystemTime()}, nil
}
