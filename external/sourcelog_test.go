package external

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/state"
)

func TestSourceLogInMemoryIsExact(t *testing.T) {
	l, err := OpenSourceLog(SourceLogConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []id.Offset{5, 9, 7} { // the last one is a replay
		if err := l.HandedOut(3, o); err != nil {
			t.Fatal(err)
		}
	}
	if o, err := l.Offset(3); o != 9 || err != nil {
		t.Errorf("offset %d, %v", o, err)
	}
	if o, _ := l.Offset(0); o != 0 {
		t.Errorf("an untouched partition stands at %d", o)
	}
}

// TestSourceLogCrash: after a crash at any moment no record comes twice, also
// not those of a batch that was emitted and not noted yet.
func TestSourceLogCrash(t *testing.T) {
	const ahead, batch = 100, 10
	mem := vfs.NewCrashableMem()
	handedOut, synced := id.Offset(0), 0
	for range 20 {
		l, err := OpenSourceLog(SourceLogConfig{FS: mem, Dir: "d", Ahead: ahead})
		if err != nil {
			t.Fatal(err)
		}
		o, err := l.Offset(1)
		if err != nil {
			t.Fatal(err)
		}
		if o < handedOut || o > handedOut+ahead {
			t.Fatalf("goes on at %d; handed out were %d", o, handedOut)
		}
		for range 7 {
			size := l.log.size
			if err := l.HandedOut(1, o); err != nil {
				t.Fatal(err)
			}
			if l.log.size > size {
				synced++
			}
			o += batch
		}
		handedOut = o // the last batch was emitted, HandedOut not called any more
		mem = mem.CrashClone(vfs.CrashCloneCfg{})
	}
	if synced > 20*3 {
		t.Errorf("%d writes for 140 batches", synced)
	}
}

func TestSourceLogCleanEndSkipsNothing(t *testing.T) {
	fs := vfs.NewMem()
	for _, want := range []id.Offset{0, 10, 20} {
		l, err := OpenSourceLog(SourceLogConfig{FS: fs, Dir: "d", Ahead: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if o, err := l.Offset(0); o != want || err != nil {
			t.Errorf("offset %d, %v, want %d", o, err, want)
		}
		if err := l.HandedOut(0, want+10); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSourceLogOfTheFormatBefore is refused by name, not read as something else.
func TestSourceLogOfTheFormatBefore(t *testing.T) {
	fs := vfs.NewMem()
	old, err := openJournal(fs, "d", oldSourceJournal, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := old.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSourceLog(SourceLogConfig{FS: fs, Dir: "d"}); !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), "offsets-000001.log") {
		t.Errorf("an old log: %v", err)
	}
}
