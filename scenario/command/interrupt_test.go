package command

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"weir/scenario"
	"weir/scenario/explore"
)

// asCommand makes the test binary the command itself; asPlanted one that knows algorithms beside
// the catalog's.
const asCommand, asPlanted = "WEIR_SIM_TEST_COMMAND", "planted"

func TestMain(m *testing.M) {
	if how := os.Getenv(asCommand); how != "" {
		p := newProgram("", nil)
		if how == asPlanted {
			p = withPlanted()
		}
		os.Exit(p.execute(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestInterruptedSweep: a signal ends a sweep with the rows so far, the number
// of runs, and the status of a process that this signal has ended.
func TestInterruptedSweep(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		status int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		cmd := exec.Command(os.Args[0], "sweep", "--state", "heap", "--workload", "keyedcount", "--seeds", "1-100000000", "--json", "--jobs", "1")
		cmd.Env = append(os.Environ(), asCommand+"=1")
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		end := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
		stderr := bufio.NewReader(pipe)
		first, err := stderr.ReadString('\n') // signals are waited for from here on
		if err != nil || !strings.Contains(first, "combinations") {
			t.Errorf("%q, %v", first, err)
		}
		if err := cmd.Process.Signal(c.signal); err != nil {
			t.Error(err)
		}
		rest, _ := io.ReadAll(stderr)
		_ = cmd.Wait() // the status says it
		end.Stop()
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		var total tally
		err = json.Unmarshal([]byte(lines[len(lines)-1]), &total)
		if cmd.ProcessState.ExitCode() != c.status || err != nil || !total.Interrupted || !strings.Contains(string(rest), "interrupted by "+unix.SignalName(c.signal)+" after ") ||
			!strings.Contains(string(rest), "PROMISE") {
			t.Errorf("%s: status %d, want %d; %v, %s\n%s", c.signal, cmd.ProcessState.ExitCode(), c.status, err, stdout.String(), rest)
		}
	}
}

// TestInterruptedBefore: nothing has run, and nothing is said to be kept.
func TestInterruptedBefore(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&interrupt{syscall.SIGINT})
	for _, args := range [][]string{{"sweep", "--state", "heap", "--workload", "keyedcount"}, {"mutants", "--only", "forget-channel"}} {
		var out, err bytes.Buffer
		if status := newProgram("", nil).execute(ctx, args, &out, &err); status != 130 || !strings.Contains(err.String(), "after 0 runs") || strings.Contains(out.String(), "kept") {
			t.Errorf("%v: status %d, %s%s", args, status, out.String(), err.String())
		}
	}
}

// countdown is a context that ends when it has been asked so often.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// longRun is a combination with runs of millions of events.
func longRun(t *testing.T) []scenario.Config {
	t.Helper()
	c := choice{known: newProgram("", nil), algorithm: "aligned", state: "heap", sink: defaultSink, workload: "keyedcount", events: 200_000, parallelism: 2, defaultGroups: scenario.DefaultGroups}
	all, _, err := c.product(true)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestInterruptedWithinARun: neither a signal nor a budget waits for the end of
// the run at hand, which is then not counted.
func TestInterruptedWithinARun(t *testing.T) {
	cfgs := longRun(t)
	ctx := &countdown{Context: t.Context()}
	ctx.left.Store(5)
	rows, err := sweep(ctx, cfgs, seedRange{1, 1}, 0, 1, explore.Default, nil)
	if err != nil || rows[0].Runs != 0 || rows[0].Events != 0 || ctx.left.Load() > -1 || ctx.left.Load() < -5 {
		t.Errorf("%+v, %v; asked %d times more than it should be", rows, err, -ctx.left.Load())
	}
	rows, err = sweep(t.Context(), cfgs, seedRange{1, 1}, 200*time.Millisecond, 1, explore.Default, nil)
	if err != nil || rows[0].Runs != 0 || rows[0].worst != scenario.Fine {
		t.Errorf("beyond the budget: %+v, %v", rows, err)
	}
}
