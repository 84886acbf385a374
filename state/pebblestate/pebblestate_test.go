package pebblestate_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/internal/sim/disk"
	"weir/state"
	"weir/state/pebblestate"
	"weir/state/statetest"
)

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.seed", "1") // a flag on the command line comes later and wins
	os.Exit(m.Run())
}

func backend(t testing.TB, cfg pebblestate.Config) *pebblestate.Backend {
	t.Helper()
	b, err := pebblestate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func TestConforms(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  pebblestate.Config
	}{
		{"deterministic", pebblestate.Config{Deterministic: true}},
		{"deterministic full", pebblestate.Config{Deterministic: true, Full: true}},
		{"small caches", pebblestate.Config{Deterministic: true, WriteCacheBytes: 400_000, TableBytes: 80_000}},
		{"live", pebblestate.Config{}},
		{"live small caches", pebblestate.Config{WriteCacheBytes: 400_000, TableBytes: 100_000}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := backend(t, c.cfg)
			incarnations := 0
			statetest.RunBackend(t, func(t *testing.T, o state.Open) state.Store {
				incarnations++
				var fs vfs.FS = disk.New(disk.Config{}).Mount()
				if !c.cfg.Deterministic {
					fs = vfs.Default
				}
				dir := fmt.Sprintf("t0-%d", incarnations)
				if !c.cfg.Deterministic {
					dir = t.TempDir() + "/" + dir
				}
				o.Dir, o.FS = dir, fs
				s, err := b.Open(o)
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}
