package catalog

import (
	"strings"
	"testing"
)

// TestEveryBackendIsMade: under its own name, which no other has, live and for
// simulation.
func TestEveryBackendIsMade(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range All() {
		if seen[b.Name] {
			t.Errorf("%s is in the catalog twice", b.Name)
		}
		seen[b.Name] = true
		found, err := Lookup(b.Name)
		if err != nil || found.Name != b.Name {
			t.Errorf("%s is looked up as %q, %v", b.Name, found.Name, err)
		}
		for _, s := range []Settings{{}, {Deterministic: true}, {CacheBytes: 1 << 20, WriteCacheBytes: 1 << 20}} {
			made, err := b.New(s)
			if err != nil {
				t.Errorf("%s of %+v: %v", b.Name, s, err)
				continue
			}
			if made.Name() != b.Name {
				t.Errorf("%s of %+v calls itself %s", b.Name, s, made.Name())
			}
			if c, ok := made.(interface{ Close() }); ok {
				c.Close()
			}
		}
	}
	if len(seen) < 3 {
		t.Errorf("backends %v", Names())
	}
}

func TestUnknownBackend(t *testing.T) {
	if _, err := Lookup("rocksdb"); err == nil || !strings.Contains(err.Error(), "known: heap, ") {
		t.Errorf("error %v", err)
	}
}
