package seed

import (
	"math/bits"
	"slices"
	"testing"
)

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// draws takes n numbers below 1000 from a stream.
func draws(s *Stream, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = s.Draw(1000)
	}
	return out
}

func equal(t failer, what string, got, want []int) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: draw %d is %d, want %d", what, i, got[i], want[i])
		}
	}
}

// The generator must not change between versions: a seed in a bug report names
// a run for ever.
func TestGeneratorIsPinned(t *testing.T) {
	s := New(7)
	got := []uint64{s.Stream("a").Uint64(), s.Stream("a").Uint64(), s.Stream("a", 1).Uint64(), s.Stream("b").Uint64()}
	want := []uint64{0x7ef6c61c6d0f0a4b, 0x2df53b76b474229, 0xe222ce5d319e161a, 0xe2e7f84891ba99ef}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("number %d is %#x, want %#x", i, got[i], want[i])
		}
	}
}

func TestStreamsAreIndependent(t *testing.T) {
	plain := New(1)
	want := draws(plain.Stream("b", 3), 100)

	disturbed := New(1)
	a, b := disturbed.Stream("a"), disturbed.Stream("b", 3)
	got := make([]int, 100)
	for i := range got {
		a.Draw(2 + i)
		disturbed.Stream("c", uint64(i)).Chance(1, 3)
		got[i] = b.Draw(1000)
	}
	equal(t, "stream b with draws added elsewhere", got, want)
}

func TestBoundDoesNotMoveLaterDraws(t *testing.T) {
	want := draws(New(2).Stream("x"), 100)
	s := New(2).Stream("x")
	others := []func(){
		func() { s.Draw(1) },
		func() { s.Draw(0) },
		func() { s.Draw(1<<62 + 1<<61 + 1) }, // a quarter of the numbers must be drawn again
		func() { s.Chance(0, 5) },
		func() { s.Chance(5, 5) },
		func() { s.Chance(1, 5) },
		func() { s.Uint64() },
		func() { s.Range(-5, 5) },
		func() { s.Range(5, -5) },
	}
	for i, w := range want {
		if i%2 == 0 {
			others[i/2%len(others)]()
		} else if got := s.Draw(1000); got != w {
			t.Fatalf("draw %d is %d, want %d", i, got, w)
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	s := New(3)
	seen := map[uint64]string{}
	add := func(label string, st *Stream) {
		v := st.Uint64()
		if other, dup := seen[v]; dup {
			t.Errorf("streams %s and %s begin alike", label, other)
		}
		seen[v] = label
	}
	add("a", s.Stream("a"))
	add("a/0", s.Stream("a", 0))
	add("a/0/0", s.Stream("a", 0, 0))
	add("a/1/2", s.Stream("a", 1, 2))
	add("a/2/1", s.Stream("a", 2, 1))
	add("ab", s.Stream("ab"))
	add("empty", s.Stream(""))
	add("seed 4", New(4).Stream("a"))
}

func TestSameNameIsSameStream(t *testing.T) {
	s := New(5)
	a := s.Stream("a", 1)
	a.Draw(10)
	if s.Stream("a", 1) != a {
		t.Error("a second call did not return the stream where it stands")
	}
}

func TestUniform(t *testing.T) {
	s := New(6).Stream("u")
	const per = 10_000
	for _, n := range []int{2, 3, 7, 10, 64} {
		count := make([]int, n)
		for range n * per {
			count[s.Draw(n)]++
		}
		for v, c := range count {
			if c < per*95/100 || c > per*105/100 { // 5 standard deviations
				t.Errorf("n=%d: value %d came %d times, want about %d", n, v, c, per)
			}
		}
	}
	ones := 0
	for range per {
		ones += bits.OnesCount64(s.Uint64())
	}
	if ones < per*3175/100 || ones > per*3225/100 {
		t.Errorf("%d bits set in %d words, want about 32 in each", ones, per)
	}
}

// A bound just above 2^62 makes the naive mapping prefer some values two to one.
func TestNoBiasAtLargeBounds(t *testing.T) {
	s := New(6).Stream("u")
	const n, total = 3 << 61, 30_000
	third := 0
	for range total {
		if s.Draw(n)%3 == 0 {
			third++
		}
	}
	if third < total*32/100 || third > total*35/100 {
		t.Errorf("%d of %d results divisible by 3, want a third", third, total)
	}
}

func TestChanceAndRange(t *testing.T) {
	s := New(8).Stream("c")
	hits, sum := 0, int64(0)
	for range 30_000 {
		if s.Chance(1, 3) {
			hits++
		}
		v := s.Range(-10, 10)
		if v < -10 || v > 10 {
			t.Fatalf("Range(-10, 10) gave %d", v)
		}
		sum += v
		if s.Chance(0, 3) || s.Chance(-1, 3) || !s.Chance(3, 3) || !s.Chance(1, 0) {
			t.Fatal("impossible or certain events were drawn otherwise")
		}
	}
	if hits < 9_500 || hits > 10_500 {
		t.Errorf("one in three came %d times in 30000", hits)
	}
	if sum < -6_000 || sum > 6_000 {
		t.Errorf("mean of Range(-10, 10) is %d/30000", sum)
	}
	s.Range(-1<<63, 1<<63-1) // all 64-bit numbers
	if got := s.Range(4, 4); got != 4 {
		t.Errorf("Range(4, 4) gave %d", got)
	}
}

func TestResetEqualsNew(t *testing.T) {
	s := New(1)
	s.Record(new(Tape))
	draws(s.Stream("a"), 10)
	s.Stream("b", 1, 2).Draw(3)
	s.Reset(9)
	equal(t, "after Reset", draws(s.Stream("a"), 50), draws(New(9).Stream("a"), 50))
}

func TestNoAllocations(t *testing.T) {
	s := New(1)
	st := s.Stream("a")
	if n := testing.AllocsPerRun(1000, func() { st.Draw(7); st.Chance(1, 9); st.Range(1, 9); st.Uint64() }); n != 0 {
		t.Errorf("%v allocations per four draws", n)
	}
	if n := testing.AllocsPerRun(1000, func() { s.Stream("link.delay", 3, 4) }); n != 0 {
		t.Errorf("%v allocations to find a stream", n)
	}
	run := func() {
		s.Reset(5)
		for i := range uint64(100) {
			s.Stream("link.delay", i, 7).Draw(5)
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations in a run after Reset", n)
	}
	tape := new(Tape)
	record := func() {
		tape.decisions = tape.decisions[:0]
		for range 100 {
			st.Draw(5)
		}
	}
	s.Reset(1)
	st = s.Stream("a")
	s.Record(tape)
	record()
	if n := testing.AllocsPerRun(100, record); n != 0 {
		t.Errorf("%v allocations in 100 recorded draws on a warm tape", n)
	}
}

func BenchmarkDraw(b *testing.B) {
	s := New(1).Stream("a")
	b.ReportAllocs()
	for b.Loop() {
		s.Draw(7)
	}
}

func BenchmarkChance(b *testing.B) {
	s := New(1).Stream("a")
	b.ReportAllocs()
	for b.Loop() {
		s.Chance(1, 1000)
	}
}

func BenchmarkDrawRecorded(b *testing.B) {
	s, tape := New(1), new(Tape)
	s.Record(tape)
	st := s.Stream("a")
	b.ReportAllocs()
	for b.Loop() {
		if st.Draw(7); tape.Len() == 1<<16 {
			tape.Truncate(0)
		}
	}
}

func BenchmarkDrawReplayed(b *testing.B) {
	s, tape := New(1), new(Tape)
	s.Record(tape)
	draws(s.Stream("a"), 1<<16)
	s.Replay(tape)
	st := s.Stream("a")
	first := st.next
	b.ReportAllocs()
	for b.Loop() {
		if st.Draw(7); st.next < 0 {
			st.next = first
		}
	}
}

// BenchmarkStream finds a stream that exists.
func BenchmarkStream(b *testing.B) {
	s := New(1)
	b.ReportAllocs()
	for b.Loop() {
		s.Stream("link.delay", 3, 4)
	}
}

// BenchmarkReset is one run's overhead: Reset and 64 new streams.
func BenchmarkReset(b *testing.B) {
	s := New(1)
	b.ReportAllocs()
	for b.Loop() {
		s.Reset(2)
		for i := range uint64(64) {
			s.Stream("link.delay", i)
		}
	}
}

// TestRedraw: the beginning is the tape's, and what comes after it the seed's, at the
// place where the stream stands; another stream is not moved.
func TestRedraw(t *testing.T) {
	const cut, draws, bound = 7, 12, 1000
	of := func(s *Source, name string) (all []int) {
		for range draws {
			all = append(all, s.Stream(name).Draw(bound))
		}
		return all
	}
	tape, s := new(Tape), New(3)
	s.Record(tape)
	was := of(s, "a")
	_ = of(s, "b")
	tape.Truncate(cut)
	for _, seed := range []uint64{4, 5} {
		other := New(seed)
		r, again := New(0), new(Tape)
		r.Redraw(tape, seed)
		r.Record(again)
		if got, want := of(r, "a"), append(slices.Clone(was[:cut]), of(other, "a")[cut:]...); !slices.Equal(got, want) {
			t.Errorf("seed %d: %v, want %v", seed, got, want)
		}
		if got, want := of(r, "b"), of(other, "b"); !slices.Equal(got, want) {
			t.Errorf("seed %d: %v, want %v", seed, got, want)
		}
		if again.Len() != 2*draws {
			t.Errorf("%d decisions recorded", again.Len())
		}
		r.Replay(tape)
		if got := of(r, "a"); got[cut] != 0 {
			t.Errorf("a replay goes on with %v", got[cut:])
		}
	}
}
