package exhaustive

import (
	"flag"
	"slices"
	"testing"

	"weir/algorithms/aligned"
	"weir/algorithms/catalog"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/external"
	"weir/scenario"
	"weir/workloads/keyedcount"
)

var (
	full  = flag.Bool("full", false, "search to the end what else is searched in part")
	first = flag.Int("first", 300, "runs of each algorithm")
)

// small is a job of so many records over two keys.
func small(t testing.TB, m dataflow.Mutant, records int64, b Bounds) *Job {
	t.Helper()
	w := keyedcount.Defaults()
	w.NumEvents, w.Keys = records, 2
	j, err := NewJob(scenario.Config{Algorithm: aligned.Spec(), State: "heap", Workload: keyedcount.With(w), Mutant: m}, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(j.Close)
	return j
}

// TestMistakesAreFound: each of these is found in the smallest job with one crash, and
// the choices that found it replay.
func TestMistakesAreFound(t *testing.T) {
	for _, c := range []struct {
		mutant dataflow.Mutant
		oracle string
	}{
		{rounds.MutantAckBeforeDurable, "storage"},
		{rounds.MutantCommitBeforeRecord, "commit"},
		{rounds.MutantPlansStay, "storage"},
		{external.MutantKeepForeignTxn, "commit"},
		{dataflow.MutantReleaseBeforeStored, "commit"},
	} {
		t.Run(string(c.mutant), func(t *testing.T) {
			j := small(t, c.mutant, 1, Bounds{Crashes: 1, Prompt: true})
			s := &Search{System: j}
			for s.Next() {
				if !j.Found() {
					continue
				}
				o := j.Replay(s.Choices())
				v := o.Violation()
				if o.Kind != scenario.Unsafe || v.Oracle.String() != c.oracle {
					t.Fatalf("the replay is %v, %s", o.Kind, o.Why())
				}
				hash := o.Result.Hash
				if again := j.Replay(s.Choices()); again.Result.Hash != hash {
					t.Errorf("hash %016x, and %016x when replayed again", hash, again.Result.Hash)
				}
				if input, ok := Encode(Bounds{Crashes: 1, Prompt: true}, s.Choices()); ok && *corpus {
					keep(t, string(c.mutant), input)
				}
				return
			}
			t.Fatalf("not found: %+v", s.Counts)
		})
	}
}

// TestNothingIsFound: the code as it is breaks nothing, in all orders of one record
// without a crash, and in as many runs with one as a test may take.
func TestNothingIsFound(t *testing.T) {
	for _, c := range []struct {
		records int64
		b       Bounds
		most    int
	}{
		{1, Bounds{Prompt: true}, 1 << 30},
		{1, Bounds{Crashes: 1, Prompt: true}, 6000},
		{2, Bounds{Crashes: 2}, 2000},
	} {
		j := small(t, "", c.records, c.b)
		s := &Search{System: j}
		ended := false
		for !ended && (*full || s.Executions+s.Pruned < c.most) {
			if ended = !s.Next(); !ended && j.Found() {
				o := j.Replay(s.Choices())
				t.Fatalf("%d records, %+v: %v: %s", c.records, c.b, o.Kind, o.Why())
			}
		}
		if c.b.Crashes == 0 && !ended {
			t.Errorf("%+v: the search did not come to its end", s.Counts)
		}
		t.Logf("%d records, %+v: %+v, ended %v", c.records, c.b, s.Counts, ended)
	}
}

// TestEveryAlgorithm: the first orders of every algorithm of the catalog break nothing.
func TestEveryAlgorithm(t *testing.T) {
	for _, a := range catalog.All() {
		w := keyedcount.Defaults()
		w.NumEvents, w.Keys = 2, 2
		j, err := NewJob(scenario.Config{Algorithm: a, State: "heap", Workload: keyedcount.With(w)}, Bounds{Crashes: 1, Prompt: true})
		if err != nil {
			t.Fatal(err)
		}
		s := &Search{System: j}
		for n := 0; n < *first && s.Next(); n++ {
			if j.Found() {
				o := j.Replay(s.Choices())
				t.Errorf("%s: %v: %s", a.Name, o.Kind, o.Why())
				break
			}
		}
		t.Logf("%s: %+v", a.Name, s.Counts)
		j.Close()
	}
}

// TestShareIsOfKnownStates: the states from which a crash can still come are those of the
// search with one crash fewer, and the share that is done of them grows to all.
func TestShareIsOfKnownStates(t *testing.T) {
	spec, err := catalog.Lookup("none")
	if err != nil {
		t.Fatal(err)
	}
	w := keyedcount.Defaults()
	w.NumEvents, w.Keys = 1, 1
	known := 0
	for crashes := range 3 {
		j, err := NewJob(scenario.Config{Algorithm: spec, State: "heap", Workload: keyedcount.With(w)}, Bounds{Crashes: crashes, Prompt: true})
		if err != nil {
			t.Fatal(err)
		}
		s := &Search{System: j, Known: known}
		last := 0.0
		for s.Next() {
			if now := s.Share(); now < last || now > 1 {
				t.Fatalf("share %v after %v: %+v", now, last, s.Counts)
			} else {
				last = now
			}
		}
		j.Close()
		if s.Open != known || last < 0.9 && crashes > 0 {
			t.Errorf("%d crashes: %d states are known, %d are open, and the last share was %v", crashes, known, s.Open, last)
		}
		t.Logf("%d crashes: %+v", crashes, s.Counts)
		known = s.Plain
	}
}

// TestReductionLosesNothing: without sleep sets the search of a job comes to the same
// final states of storage and sink store as with them.
func TestReductionLosesNothing(t *testing.T) {
	ends := func(whole bool) (all []uint64, c Counts) {
		j := small(t, "", 1, Bounds{Prompt: true})
		seen := map[uint64]bool{}
		s := &Search{System: j, Whole: whole}
		for s.Next() {
			if r := &j.last.Result; !s.Ended() && !seen[r.Committed] {
				seen[r.Committed] = true
				all = append(all, r.Committed)
			}
		}
		slices.Sort(all)
		return all, s.Counts
	}
	with, few := ends(false)
	without, many := ends(true)
	if !slices.Equal(with, without) || few.Points != many.Points {
		t.Errorf("with sleep sets %d final states of %+v, without %d of %+v", len(with), few, len(without), many)
	}
	if few.Steps >= many.Steps || few.Asleep == 0 {
		t.Errorf("sleep sets save nothing: %+v, without %+v", few, many)
	}
}
