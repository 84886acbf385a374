package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"weir/scenario"
	"weir/scenario/counterexample"
	"weir/scenario/explore"
)

// extension is how files of counterexamples end.
const extension = ".weir"

// save writes a recorded run to a file of that name, whole or not at all: what
// stood there stays if the disk is full.
func save(name string, o *scenario.Outcome) error {
	f := counterexample.Of(o)
	stamp(f)
	if err := write(name, f.AppendText(nil)); err != nil {
		return fmt.Errorf("the counterexample was not saved: %w", err)
	}
	return nil
}

func write(name string, text []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, text, 0) // a pipe or a device has no name to take over
	}
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// archive saves the first violation of each signature to a directory. It is
// for the goroutines of a sweep together; nil saves nothing.
type archive struct {
	dir    string
	mu     sync.Mutex
	seen   map[counterexample.Signature]bool
	saved  []string
	failed error // the first that could not be saved
}

// newArchive returns an archive over a directory, which is made if need be.
func newArchive(dir string) (*archive, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%w: --save: %w", errUsage, err)
	}
	return &archive{dir: dir, seen: map[counterexample.Signature]bool{}}, nil
}

// keep saves a run that is not fine and the first of its signature. It is run
// again, recorded; the outcome that is returned stands for o, which is no longer valid.
func (a *archive) keep(e *explore.Explorer, o *scenario.Outcome) *scenario.Outcome {
	if a == nil || o.Report == nil || o.Kind <= scenario.Broken {
		return o
	}
	s := counterexample.SignatureOf(o)
	name := filepath.Join(a.dir, s.String()+extension)
	a.mu.Lock()
	known := a.seen[s]
	a.seen[s] = true
	a.mu.Unlock()
	if known {
		return o
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		a.note("", err) // of an earlier sweep, perhaps shrunk since: it stays
		return o
	}
	hash := o.Result.Hash
	again := e.Again()
	if again.Kind == scenario.Interrupted {
		return again
	}
	if again.Result.Hash != hash {
		a.note("", fmt.Errorf("%s: seed %d gave hash %016x, and %016x when it was recorded: the core is not deterministic", name, again.Seed, hash, again.Result.Hash))
		return again
	}
	a.note(name, save(name, again))
	return again
}

func (a *archive) note(name string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil && a.failed == nil:
		a.failed = err
	case err == nil && name != "":
		a.saved = append(a.saved, name)
	}
}

// print says what was saved and how to look at it, and returns the first error of a saving.
func (a *archive) print(cmd *cobra.Command, p *program) error {
	if a == nil {
		return nil
	}
	slices.Sort(a.saved)
	for _, name := range a.saved {
		cmd.PrintErrln("saved", name)
	}
	if len(a.saved) > 0 {
		cmd.PrintErrf("a page that shows what led to it: %s explain %s --html\n", p.call, a.saved[0])
	}
	return a.failed
}

// explain writes the page of each file that was saved beside it.
func (a *archive) explain(ctx context.Context, cmd *cobra.Command, p *program) error {
	for _, name := range a.saved {
		out, err := p.writePage(ctx, name)
		if err != nil {
			return err
		}
		cmd.PrintErrln("explained in", out)
	}
	return nil
}
