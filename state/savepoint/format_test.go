package savepoint_test

import (
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"weir/state"
	"weir/state/catalog"
	"weir/state/savepoint"
	"weir/state/statetest"
)

var rewrite = flag.Bool("rewrite", false, "write the bytes of the format anew; only with a new version of it")

// TestFormatStays: a small savepoint has the bytes that it always had, as
// docs/snapshot-format.md says.
func TestFormatStays(t *testing.T) {
	stores, puts := filled(t, catalog.Names()[0], 1)
	for of := range states {
		for x, key := range []string{"", "eight888", "k"} {
			put(stores, puts, of, key, uint64(x))
			put(stores, puts, of, key, uint64(x)+1)
		}
	}
	st := statetest.NewMemory()
	write(t, st, "", stores, savepoint.Sizes{Section: 40, File: 90})
	var b strings.Builder
	for _, row := range st.Do(state.Op{Kind: state.OpList}).List {
		fmt.Fprintf(&b, "%s\n%s", row.Key, hex.Dump(st.Do(state.Op{Kind: state.OpGet, Key: row.Key}).Data))
	}
	const file = "testdata/version1.txt"
	if *rewrite {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the format has changed without its version:\n%s", b.String())
	}
}
