package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"weir/internal/bench/job"
	"weir/results"
)

// running is the command in a process of its own.
type running struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

func begin(t *testing.T, dir string, args ...string) *running {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &running{cmd: &exec.Cmd{Path: self, Args: append([]string{"bench"}, args...), Dir: dir}}
	r.cmd.Stderr = &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	return r
}

// wait returns the exit status; -1 for a process that a signal has ended.
func (r *running) wait() int {
	_ = r.cmd.Wait() // the status says it
	return r.cmd.ProcessState.ExitCode()
}

const soon = 60 * time.Second

// until waits for something to become true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(time.Millisecond) {
		if time.Since(began) > soon {
			t.Fatalf("%s: not within %s", what, soon)
		}
	}
}

// job returns the process id of the command's job once it has recorded a
// repetition and the job of a later one has taken a checkpoint.
func (r *running) job(t *testing.T, campaign string) int {
	t.Helper()
	until(t, "a recorded repetition", func() bool {
		data, err := os.ReadFile(filepath.Join(campaign, results.SamplesFile))
		return err == nil && bytes.Count(data, []byte("\n")) >= 1
	})
	path := filepath.Join(campaign, "work", "run")
	pid := 0
	until(t, "a checkpoint of a job under way", func() bool {
		if _, err := os.Stat(filepath.Join(path, "counters")); err != nil {
			return false
		}
		c, err := job.OpenCounters(path)
		if err != nil {
			return false
		}
		defer func() { _ = c.Close() }()
		pid = r.child()
		return pid != 0 && c.Get(job.CounterDurable) > 0 && c.Phase() < job.Ending
	})
	return pid
}

// child returns the process id of a child of the command; 0 if it has none.
func (r *running) child() int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		data, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(data), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == strconv.Itoa(r.cmd.Process.Pid) && f[0] != "Z" {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return pid
		}
	}
	return 0
}

// grid is a campaign of some seconds.
func grid(more ...string) []string {
	return append([]string{
		"run", "--quick", "--repetitions", "2", "--algorithm", "aligned", "--workload", "keyedcount", "--set", "keys=500", "--set", "emitEvery=50",
		"--events", "3000000", "--interval", "20ms", "--batch", "64", "--results", "r", "--id", "one",
	}, more...)
}

// TestInterruptedCommandIsContinued stops the command in the middle and goes on.
func TestInterruptedCommandIsContinued(t *testing.T) {
	for _, c := range []struct {
		signal syscall.Signal
		status int
	}{{syscall.SIGINT, exitError}, {syscall.SIGTERM, exitError}, {syscall.SIGKILL, -1}} {
		t.Run(c.signal.String(), func(t *testing.T) {
			dir := t.TempDir()
			campaign := filepath.Join(dir, "r", "one")
			r := begin(t, dir, grid()...)
			pid := r.job(t, campaign)
			if err := r.cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if status := r.wait(); status != c.status {
				t.Fatalf("exit status %d, want %d:\n%s", status, c.status, &r.stderr)
			}
			until(t, "the end of the job", func() bool { return !isAlive(pid) })
			before, err := results.Read(campaign)
			if err != nil || len(before.Samples) == 0 || before.Manifest.Finished != nil {
				t.Fatalf("%v, error %v", before, err)
			}
			if c.signal != syscall.SIGKILL && !strings.Contains(r.stderr.String(), "go on with: bench run --results r --resume one") {
				t.Errorf("it said:\n%s", &r.stderr)
			}
			if _, err := os.Stat(filepath.Join(campaign, "work", "run", "checkpoints")); err != nil {
				t.Error(err)
			}
			goOn(t, dir, campaign, len(before.Samples))
		})
	}
}

// goOn continues a campaign: not with another batch, and to its end.
func goOn(t *testing.T, dir, campaign string, kept int) {
	t.Helper()
	r := begin(t, dir, "run", "--results", "r", "--resume", "one", "--batch", "32")
	if status := r.wait(); status != exitUsage || !strings.Contains(r.stderr.String(), "--batch 32, begun with 64") {
		t.Errorf("another batch: exit status %d:\n%s", status, &r.stderr)
	}
	tear(t, campaign)
	r = begin(t, dir, "run", "--resume", filepath.Join("r", "one"), "--batch", "64")
	if status := r.wait(); status != exitFine {
		t.Fatalf("exit status %d:\n%s", status, &r.stderr)
	}
	after, err := results.Read(campaign)
	if err != nil || len(after.Samples) != 4 || after.Manifest.Finished == nil || kept >= 4 {
		t.Fatalf("%d repetitions after %d, finished %v, error %v", len(after.Samples), kept, after.Manifest.Finished, err)
	}
	for _, s := range after.Samples {
		if s.Output != results.OutputExact {
			t.Errorf("%s: output %s", s.Cell.Key(), s.Output)
		}
	}
	warnings := fmt.Sprint(after.Manifest.Warnings)
	if !strings.Contains(warnings, "interrupted while writing line") || strings.Contains(warnings, "continued where") {
		t.Errorf("warnings %s", warnings)
	}
}

// tear leaves half a line at the end of the samples, as a process does that was
// killed while it wrote.
func tear(t *testing.T, campaign string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(campaign, results.SamplesFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"cell":{"algorithm":"ali`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// isAlive reports whether a process runs; one that has ended and was not waited
// for does not.
func isAlive(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}
