package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// inProcess is how the test binary becomes the command.
const inProcess = "WEIR_CAMPAIGN"

func TestMain(m *testing.M) {
	if os.Getenv(inProcess) != "" {
		main()
	}
	os.Exit(m.Run())
}

// mistake is a sweep that fails in some runs of a hundred.
var mistake = []string{"--algorithm", "aligned", "--state", "heap", "--workload", "keyedcount", "--mutant", "keep-foreign-transaction"}

func TestCutKeepsBounds(t *testing.T) {
	for _, c := range []struct {
		first, last, n uint64
		want           string
	}{
		{1, 10, 4, "1-3 4-7 8-10"},
		{4, 7, 4, "4-7"},
		{5, 5, 4, "5-5"},
		{1, 3, 1, "1-1 2-2 3-3"},
		{^uint64(0) - 1, ^uint64(0), 4, "18446744073709551614-18446744073709551615"},
	} {
		var got []string
		for _, s := range cut(c.first, c.last, c.n) {
			got = append(got, s.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("seeds %d to %d by %d: %v, want %s", c.first, c.last, c.n, got, c.want)
		}
	}
}

// A campaign that is killed again and again and begun again finds what one does that was
// left alone: every seed once, every signature once.
func TestKilledCampaignLosesNothing(t *testing.T) {
	whole, killed := t.TempDir(), t.TempDir()
	args := func(dir string) []string {
		return append([]string{"--dir", dir, "--seeds", "1-120", "--shard", "10", "--shrink", "0", "--json", "--"}, mistake...)
	}
	want := finish(t, args(whole))
	if want.Runs != 120 || want.Signatures == 0 || want.status != 5 {
		t.Fatalf("the campaign that was left alone: %+v; want 120 runs, and failures", want)
	}
	kills := 0
	for range 3 {
		if killAfterAShard(t, killed, args(killed)) {
			kills++
		}
	}
	if kills == 0 {
		t.Fatal("no campaign was under way when it was to be killed: nothing was tried")
	}
	got := finish(t, args(killed))
	if got.total != want.total {
		t.Errorf("killed %d times: %+v\nleft alone: %+v", kills, got.total, want.total)
	}
	if !slices.Equal(got.names, want.names) {
		t.Errorf("killed %d times it reports %v\nleft alone %v", kills, got.names, want.names)
	}
	for _, name := range want.names {
		a, _ := os.ReadFile(filepath.Join(whole, "failures", name+extension))
		b, err := os.ReadFile(filepath.Join(killed, "failures", name+extension))
		if err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs between the two, or is not there: %v", name, err)
		}
	}
}

// ended is what a campaign printed.
type ended struct {
	total
	names []string
}

// finish runs a campaign to its end.
func finish(t *testing.T, args []string) (e ended) {
	t.Helper()
	cmd := child(args)
	var out, diagnostics bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &diagnostics
	err := cmd.Run()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, line := range lines {
		var f failure
		if i == len(lines)-1 {
			if json.Unmarshal([]byte(line), &e.total) != nil {
				t.Fatalf("%v: no summary:\n%s%s", err, &out, &diagnostics)
			}
		} else if json.Unmarshal([]byte(line), &f) == nil {
			e.names = append(e.names, f.Signature)
		}
	}
	e.status = cmd.ProcessState.ExitCode()
	return e
}

// killAfterAShard starts a campaign and kills it when it has done one shard more; false:
// it had ended before.
func killAfterAShard(t *testing.T, dir string, args []string) bool {
	t.Helper()
	before := len(results(t, dir))
	cmd := child(args)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() { _ = cmd.Wait(); close(over) }()
	for {
		select {
		case <-over:
			return false
		case <-time.After(5 * time.Millisecond):
		}
		if len(results(t, dir)) > before {
			_ = cmd.Process.Kill()
			<-over
			return true
		}
	}
}

func results(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "shards", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func child(args []string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), inProcess+"=1")
	return cmd
}

// What a directory holds is not mixed with what another command would make.
func TestOtherCampaignIsRefused(t *testing.T) {
	dir := t.TempDir()
	c := &campaign{Dir: dir, Sweep: mistake, Shard: 10}
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	if err := c.open(); err != nil {
		t.Errorf("the same campaign again: %v", err)
	}
	for _, args := range [][]string{
		append([]string{"--dir", dir, "--shard", "20", "--"}, mistake...),
		{"--dir", dir, "--shard", "10", "--", "--algorithm", "unaligned"},
		{"--dir", dir, "--seeds", "9-1"},
		{"--seeds", "1-2"},
		{"--dir", dir, "--shard", "0"},
		{"--dir", dir, "--", "--save", "x"},
		{"--nonsense"},
	} {
		var out, diagnostics bytes.Buffer
		if status := execute(context.Background(), args, &out, &diagnostics); status != 2 || diagnostics.Len() == 0 {
			t.Errorf("%v: exit status %d, %q; want 2 and a reason", args, status, diagnostics.String())
		}
	}
}

// A file of a shard that a dying machine left torn is no result.
func TestTornResultIsRunAgain(t *testing.T) {
	c := &campaign{Dir: t.TempDir(), Sweep: mistake, Shard: 2}
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	s := Shard{1, 2}
	want, err := c.sweep(context.Background(), s)
	if err != nil || want.Runs != 2 {
		t.Fatalf("%+v, %v", want, err)
	}
	if err := os.WriteFile(c.shardFile(s), []byte(`{"seeds": "1-`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, ok := c.read(s); ok {
		t.Error("a torn file was read as a result")
	}
	got, err := c.sweep(context.Background(), s)
	if want.Seconds = got.Seconds; err != nil || got.Runs != want.Runs || got.Status != want.Status {
		t.Errorf("run again: %+v, %v; want %+v", got, err, want)
	}
}
