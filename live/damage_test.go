package live_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/external"
	"weir/id"
	"weir/live"
	"weir/state"
	"weir/state/heap"
	"weir/state/storage"
	"weir/trace"
	workloadcatalog "weir/workloads/catalog"
)

// TestDamagedCheckpoint flips a bit in, or cuts, one file of the newest
// checkpoint of a stopped job: the error names the file and says what to do, and
// the checkpoint before it is used only if that was allowed.
func TestDamagedCheckpoint(t *testing.T) {
	for _, damage := range []struct {
		name string
		do   func(b []byte) []byte
	}{
		{"flipped bit", func(b []byte) []byte { b[len(b)/2] ^= 4; return b }},
		{"truncated", func(b []byte) []byte { return b[:len(b)-7] }},
	} {
		for _, prefix := range []string{"snap", "chk"} {
			t.Run(damage.name+"/"+prefix, func(t *testing.T) {
				root := t.TempDir()
				if err := goOn(t, root, false, true); err != nil {
					t.Fatal(err)
				}
				file := newest(t, filepath.Join(root, "checkpoints"), prefix)
				b, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, damage.do(b), 0o600); err != nil {
					t.Fatal(err)
				}
				err = goOn(t, root, false, false)
				if err == nil || !errors.Is(err, state.ErrCorrupt) || !strings.Contains(err.Error(), filepath.Base(file)) || !strings.Contains(err.Error(), "checkpoint.fallback") {
					t.Fatalf("the error should name %s and the way out: %v", filepath.Base(file), err)
				}
				if err := goOn(t, root, true, false); err != nil {
					t.Fatalf("with the fallback allowed: %v", err)
				}
			})
		}
	}
}

// goOn runs the job of a directory to its end, or stops it after a few checkpoints.
func goOn(t *testing.T, root string, fallback, stop bool) error {
	t.Helper()
	w, err := workloadcatalog.New("keyedcount")
	if err != nil {
		t.Fatal(err)
	}
	w.Small()
	store, err := storage.OpenDir(vfs.Default, root+"/checkpoints", storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.Default, Dir: root + "/sink"})
	if err != nil {
		t.Fatal(err)
	}
	job := cellJob(t, w, "aligned", heap.Backend{})
	job.Config.Checkpoint.Retain, job.Config.Checkpoint.Fallback = 3, fallback
	g := newGate(40)
	if !stop {
		g.open(id.Offset(w.Events()))
	}
	j, err := live.Start(context.Background(), live.Config{Job: job, Storage: store, External: ext, FS: vfs.Default, Dir: root + "/local", Observer: g, Pacer: g})
	if err != nil {
		t.Fatal(err)
	}
	if stop {
		g.await(t, j, "checkpoints", func(g *gate) bool { return g.counts[trace.Completed] >= 4 })
		_, err = j.Stop(context.Background())
	} else {
		_, err = j.Wait()
	}
	return errors.Join(err, ext.Close(), store.Close())
}

// newest returns the file of the highest epoch below a storage prefix.
func newest(t *testing.T, dir, prefix string) string {
	t.Helper()
	var best string
	var epoch id.Epoch
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(path, prefix) {
			return err
		}
		if e, err := id.ParseEpoch(strings.TrimSuffix(d.Name(), filepath.Ext(d.Name()))); err == nil && e > epoch {
			best, epoch = path, e
		} else if e, err := id.ParseEpoch(d.Name()); err == nil && e > epoch {
			best, epoch = path, e
		}
		return nil
	})
	if err != nil || best == "" {
		_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error { t.Log(path); return nil })
		t.Fatalf("no file with prefix %q: %v", prefix, err)
	}
	return best
}
