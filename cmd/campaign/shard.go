package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"weir/scenario/command"
)

// Shard is a range of seeds, both ends included. Its fields are exported for Beam, which encodes it.
type Shard struct{ First, Last uint64 }

// most is the number of shards of a campaign at most: each is a file.
const most = 1 << 20

// cut divides seeds into shards of n, on multiples of n, so that a campaign over more seeds
// has the shards of a smaller one.
func cut(first, last, n uint64) []Shard {
	var all []Shard
	for len(all) < most {
		end := last
		if e := first + (n - 1 - first%n); e >= first && e < last {
			end = e
		}
		all = append(all, Shard{first, end})
		if end == last {
			break
		}
		first = end + 1
	}
	return all
}

func (s Shard) String() string { return fmt.Sprintf("%d-%d", s.First, s.Last) }

// Result is the file of a shard.
type Result struct {
	Seeds    string   `json:"seeds"`
	Status   int      `json:"status"` // of the sweep: 0, or of the worst run
	Runs     int64    `json:"runs"`
	Safety   int64    `json:"safety_violations"`
	Progress int64    `json:"progress_violations"`
	Errors   int64    `json:"errors"`
	Failed   []string `json:"failed,omitempty"` // signatures of runs that failed, sorted; the files of their first are in found/SEEDS
	Seconds  float64  `json:"seconds"`
}

// campaign is what every worker knows; Beam encodes its exported fields.
type campaign struct {
	Dir       string
	Sweep     []string
	Shard     uint64
	ShrinkFor time.Duration
}

// settings is the file that says what a directory is a campaign of.
type settings struct {
	Sweep []string `json:"sweep"`
	Shard uint64   `json:"shard"`
	Build string   `json:"build"`
}

const extension = ".weir"

func (c *campaign) shardFile(s Shard) string {
	return filepath.Join(c.Dir, "shards", s.String()+".json")
}
func (c *campaign) foundDir(s Shard) string { return filepath.Join(c.Dir, "found", s.String()) }
func (c *campaign) failureFile(signature string) string {
	return filepath.Join(c.Dir, "failures", signature+extension)
}

// open makes the directory, or checks that what it holds is a part of this campaign.
func (c *campaign) open() error {
	for _, d := range []string{"shards", "found", "failures"} {
		if err := os.MkdirAll(filepath.Join(c.Dir, d), 0o755); err != nil {
			return fmt.Errorf("%w: --dir: %w", errUsage, err)
		}
	}
	now := settings{Sweep: slices.Clone(c.Sweep), Shard: c.Shard, Build: command.Build()}
	name := filepath.Join(c.Dir, "campaign.json")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return write(name, now)
	}
	if err != nil {
		return err
	}
	var was settings
	if err := json.Unmarshal(text, &was); err != nil {
		return fmt.Errorf("%w: %s: %w: it is not of a campaign; give another --dir", errUsage, name, err)
	}
	switch {
	case was.Shard != now.Shard:
		return fmt.Errorf("%w: %s has shards of %d seeds: give --shard %d, or another --dir", errUsage, c.Dir, was.Shard, was.Shard)
	case !slices.Equal(was.Sweep, now.Sweep):
		return fmt.Errorf("%w: %s is a campaign of: sweep %s; give these flags behind --, or another --dir", errUsage, c.Dir, strings.Join(was.Sweep, " "))
	case was.Build != now.Build:
		return fmt.Errorf("%w: %s was begun by build %s, this is %s: what both find cannot be one count; give another --dir", errUsage, c.Dir, was.Build, now.Build)
	}
	return nil
}

// read returns the result of a shard that is done.
func (c *campaign) read(s Shard) (r Result, ok bool) {
	text, err := os.ReadFile(c.shardFile(s))
	if err != nil || json.Unmarshal(text, &r) != nil || r.Seeds != s.String() {
		return Result{}, false // a torn file is a shard to run again
	}
	return r, true
}

func (c *campaign) done(all []Shard) (n int) {
	for _, s := range all {
		if _, ok := c.read(s); ok {
			n++
		}
	}
	return n
}

// sweep runs a shard, unless it is done. Its file comes last: what it names is there.
func (c *campaign) sweep(ctx context.Context, s Shard) (Result, error) {
	if r, ok := c.read(s); ok {
		return r, nil
	}
	dir := c.foundDir(s)
	if err := os.RemoveAll(dir); err != nil { // of a worker that did not get to the end
		return Result{}, err
	}
	var out, diagnostics bytes.Buffer
	start := time.Now()
	args := append([]string{"sweep", "--seeds", s.String(), "--json", "--jobs", "1", "--save", dir}, c.Sweep...)
	status := command.Execute(ctx, args, &out, &diagnostics)
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	r := Result{Status: status}
	if err := json.Unmarshal(lines[len(lines)-1], &r); err != nil || status != 0 && status < 3 {
		return Result{}, fmt.Errorf("sim %s: exit status %d: %s", strings.Join(args, " "), status, bytes.TrimSpace(diagnostics.Bytes()))
	}
	r.Seeds, r.Seconds = s.String(), time.Since(start).Seconds()
	files, err := filepath.Glob(filepath.Join(dir, "*"+extension))
	if err != nil {
		return Result{}, err
	}
	for _, f := range files {
		r.Failed = append(r.Failed, strings.TrimSuffix(filepath.Base(f), extension))
	}
	if len(files) == 0 {
		_ = os.Remove(dir)
	}
	return r, write(c.shardFile(s), &r)
}

// keep makes the file of a signature from the first shard that has it, shrunk; one that is
// there stays.
func (c *campaign) keep(ctx context.Context, signature string, from Shard) error {
	to := c.failureFile(signature)
	if _, err := os.Stat(to); err == nil {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(c.foundDir(from), signature+extension))
	if err != nil {
		return err
	}
	draft := to + ".part"
	if err := os.WriteFile(draft, text, 0o644); err != nil {
		return err
	}
	if c.ShrinkFor > 0 {
		var out, diagnostics bytes.Buffer
		status := command.Execute(ctx, []string{"shrink", draft, "--for", c.ShrinkFor.String(), "--out", draft}, &out, &diagnostics)
		if err := ctx.Err(); err != nil {
			return err
		}
		if status != 0 { // what was found stays as it was found
			if err := os.WriteFile(draft, text, 0o644); err != nil {
				return err
			}
		}
	}
	return os.Rename(draft, to)
}

// write makes a file whole or not at all, durable before it has its name.
func write(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
