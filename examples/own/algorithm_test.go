package own

import (
	"os"
	"testing"

	"weir/check"
	"weir/scenario/simtest"
)

func TestPatient(t *testing.T) {
	simtest.Check(t, Visits(), Answer, simtest.Algorithms(Patient()), simtest.Sinks("two-phase", "write-ahead", "committer"), simtest.Runs(20))
}

// TestHasty shows what a check says that fails.
func TestHasty(t *testing.T) {
	if os.Getenv("OWN_FAILS") == "" {
		t.Skip("it fails: OWN_FAILS=1 go test -run TestHasty")
	}
	simtest.Check(t, Visits(), Answer, simtest.Algorithms(Hasty()))
}

func TestHastyIsCaught(t *testing.T) {
	found, err := simtest.Find(Visits(), Answer, simtest.Algorithms(Hasty()))
	if err != nil {
		t.Fatal(err)
	}
	if found == nil || found.Oracle != check.Cut {
		t.Errorf("found %+v, want a snapshot that is no cut", found)
	}
}
