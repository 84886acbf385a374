package command

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/spf13/pflag"

	"weir/dataflow"
	"weir/external"
	"weir/scenario"
	"weir/state"
	"weir/state/storage"
)

// origin is what the flags say of the savepoint that a run begins from.
type origin struct {
	path, output     string
	renamed, dropped []string
	claim            bool
	dir              string // of the storage that has the savepoint
}

func (o *origin) flags(f *pflag.FlagSet) {
	f.StringVar(&o.path, "from", "", "begin from the savepoint in this `directory` (state convert makes one of a checkpoint); it stays as it is")
	f.StringVar(&o.output, "output", "", "with --from: the `directory` of the external store that the job before wrote to; a live run goes on with it, a simulated one with a copy, and all that is visible there is judged together")
	f.BoolVar(&o.claim, "claim", false, "with --from and --driver live: the savepoint is the job's from now on, which deletes it once it goes back to it no more")
	f.StringArrayVar(&o.renamed, "rename", nil, "with --from: an operator `old=new` that is called otherwise in the savepoint; repeatable")
	f.StringArrayVar(&o.dropped, "allow-dropped", nil, "with --from: an `operator` of the savepoint that the job does without, and loses what it holds; repeatable")
}

// agree returns an error for flags that mean nothing without --from.
func (o *origin) agree(given func(flag string) bool) error {
	for _, name := range []string{"output", "rename", "allow-dropped", "claim"} {
		if given(name) && o.path == "" {
			return fmt.Errorf("%w: --%s says how a job begins from a savepoint, and there is no --from", errUsage, name)
		}
	}
	return nil
}

// from opens what the flags name; nil: a run begins empty.
func (o *origin) from() (*scenario.From, error) {
	if o.path == "" {
		return nil, nil
	}
	f := &scenario.From{Path: o.path, OutputPath: o.output, Dropped: o.dropped, Claimed: o.claim}
	for _, r := range o.renamed {
		was, now, ok := strings.Cut(r, "=")
		if !ok || was == "" || now == "" {
			return nil, fmt.Errorf("%w: --rename %q: want old=new", errUsage, r)
		}
		f.Renamed = append(f.Renamed, dataflow.Renamed{From: was, To: now})
	}
	var err error
	if f.Savepoint, o.dir, f.Root, err = findSavepoint(o.path); err != nil {
		return nil, fmt.Errorf("%w: --from: %w", errUsage, err)
	}
	if o.output != "" {
		if f.Output, err = copyOutput(o.output); err != nil {
			return nil, fmt.Errorf("%w: --output: %w", errUsage, err)
		}
	}
	if err := f.Open(); err != nil {
		return nil, fmt.Errorf("%w: --from %s: %w; state verify %s says what of it is damaged", errUsage, o.path, err, o.path)
	}
	return f, nil
}

// mount shows the savepoint in the storage of a live job. What is returned is to be closed at the end.
func (o *origin) mount(own state.Storage, f *scenario.From) (*storage.Mounted, func() error, error) {
	m := &storage.Mounted{Storage: own, At: scenario.FromRoot, Below: f.Savepoint, Root: f.Root, Deletes: f.Claimed}
	if !f.Claimed {
		return m, func() error { return nil }, nil
	}
	dir, err := storage.OpenDir(vfs.Default, o.dir, storage.DirConfig{})
	if err != nil {
		return nil, nil, err
	}
	m.Below = dir
	return m, dir.Close, nil
}

// findSavepoint returns the storage that a directory is or is within, where that is, and the
// savepoint's root in it.
func findSavepoint(path string) (st state.Storage, at, root string, err error) {
	for dir := path; ; {
		if storage.IsStorage(vfs.Default, dir) {
			v, err := storage.OpenView(vfs.Default, dir)
			return v, dir, root, err
		}
		part, ours := storage.KeyOfPath(filepath.Base(dir))
		up := filepath.Dir(dir)
		if !ours || up == dir {
			return nil, "", "", fmt.Errorf("%q is no savepoint, nor within a checkpoint storage: name the directory that state convert was given, or that of a savepoint", path)
		}
		if dir = up; root == "" {
			root = part
		} else {
			root = part + "/" + root
		}
	}
}

// copyOutput opens a copy of an external store in memory: opening one mends what a crash has left.
func copyOutput(dir string) (*external.Store, error) {
	if err := holdsOutput(dir); err != nil {
		return nil, err
	}
	fs, to := vfs.NewMem(), "output"
	if ok, err := vfs.Clone(vfs.Default, fs, dir, to); err != nil || !ok {
		return nil, errors.Join(err, fmt.Errorf("%q cannot be copied", dir))
	}
	return external.OpenStore(external.StoreConfig{FS: fs, Dir: to})
}

// holdsOutput refuses a directory in which no external store is, which would be taken for one to
// which nothing was written, and names those right below it.
func holdsOutput(dir string) error {
	if is, err := external.IsStore(vfs.Default, dir); is || err != nil {
		return err
	}
	names, err := vfs.Default.List(dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, n := range names {
		below := filepath.Join(dir, n)
		if info, err := vfs.Default.Stat(below); err != nil || !info.IsDir() {
			continue
		}
		if is, err := external.IsStore(vfs.Default, below); is && err == nil {
			return fmt.Errorf("%q holds no external store; %q does: name that", dir, below)
		}
	}
	return fmt.Errorf("%q holds no external store, nor does a directory in it: name the one that the job before wrote to (a live job has it in sink, below its --storage)", dir)
}
