package timers

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"weir/id"
	"weir/state"
)

type due struct {
	at  int64
	key string
}

// snapshot is one that is complete: what stands in its manifest, and what it must hold.
type snapshot struct {
	epoch    id.Epoch
	manifest []byte
	files    []state.FileRef
	want     map[due]bool
}

// flight is a capture on its way.
type flight struct {
	*Capture
	epoch id.Epoch
	want  map[due]bool
	base  *snapshot
	wrote []string
}

// world is a task with one set of timers, its coordinator and its storage.
type world struct {
	*rapid.T
	sizes    Sizes
	set      *Queue
	twin     map[due]bool
	objects  map[string][]byte
	retained []*snapshot // oldest first
	flights  []*flight
	epoch    id.Epoch
	names    int
	clock    int64
	// seen counts what the model is for.
	seen map[string]int
}

var modelGroups = state.GroupRange{Lo: 2, Hi: 10}

func modelKey(key string) state.Key {
	k := state.KeyOf([]byte(key), 8)
	k.Group += modelGroups.Lo
	return k
}

func (w *world) change() {
	d := due{w.clock + rapid.Int64Range(-2, 6).Draw(w.T, "at"), string(rapid.ByteRange('a', 'f').Draw(w.T, "key"))}
	switch rapid.IntRange(0, 6).Draw(w.T, "change") {
	case 0, 1, 2, 3:
		w.set.Set(d.at, modelKey(d.key))
		w.twin[d] = true
	case 4:
		w.set.Cancel(d.at, modelKey(d.key))
		delete(w.twin, d)
	default:
		w.clock += int64(rapid.IntRange(-1, 3).Draw(w.T, "time"))
		for range rapid.IntRange(1, 12).Draw(w.T, "pops") {
			at, _, key, ok := w.set.Pop(w.clock)
			if !ok {
				break
			}
			delete(w.twin, due{at, string(key)})
		}
	}
}

func (w *world) begin() {
	if len(w.flights) == 3 {
		return
	}
	w.epoch++
	f := &flight{epoch: w.epoch, want: maps.Clone(w.twin)}
	from := id.Epoch(0)
	if n := len(w.retained); n > 0 && rapid.IntRange(0, 9).Draw(w.T, "based") > 0 {
		f.base = w.retained[n-1]
		from = f.base.epoch
	}
	f.Capture = w.set.Snapshot(w.epoch, from)
	w.flights = append(w.flights, f)
}

// carry carries a capture out, to the end or not, and it completes or is given up.
func (w *world) carry() {
	if len(w.flights) == 0 {
		return
	}
	i := rapid.IntRange(0, len(w.flights)-1).Draw(w.T, "flight")
	f := w.flights[i]
	for range rapid.IntRange(1, 8).Draw(w.T, "steps") {
		put, done := f.Next(func() string { w.names++; return "t/" + strconv.Itoa(w.names) })
		if put != nil {
			w.objects[put.Key] = put.Data
			f.wrote = append(f.wrote, put.Key)
		}
		if done {
			w.flights = slices.Delete(w.flights, i, i+1)
			w.complete(f)
			return
		}
	}
	if rapid.IntRange(0, 5).Draw(w.T, "give up") == 0 {
		w.flights = slices.Delete(w.flights, i, i+1)
		f.Discard()
		f.Discard()
		w.collect()
	}
}

// complete makes a snapshot the newest retained one, and lets those beyond two go.
func (w *world) complete(f *flight) {
	part := f.Part()
	f.Discard()
	s := &snapshot{epoch: f.epoch, manifest: part.Append(nil), files: part.Files(), want: f.want}
	w.note(f, s)
	if n := len(w.retained); n > 0 && w.retained[n-1].epoch > s.epoch {
		return // overtaken
	}
	w.retained = append(w.retained, s)
	w.set.Release(s.epoch)
	w.retained = w.retained[max(0, len(w.retained)-2):]
	w.collect()
	w.expect(s, modelGroups)
	w.expect(s, state.GroupRange{Lo: 3, Hi: 7})
}

// note counts what has happened, and checks the bounds that are promised.
func (w *world) note(f *flight, s *snapshot) {
	stored, live, small := int64(0), int64(0), 0
	for _, x := range f.part.list {
		stored += x.bytes
		if x.ref.Size < w.sizes.Segment/2 {
			small++
		}
	}
	for d := range f.want { //det:unordered a sum
		live += TimeBytes + int64(len(d.key))
	}
	if stored > maxStored*live || small > w.sizes.Segments {
		w.Fatalf("%d bytes in %d small segments for %d bytes of timers", stored, small, live)
	}
	old := len(f.part.list) - len(f.wrote)
	switch {
	case len(f.part.inline) > 0:
		w.seen["in the manifest"]++
	case f.base == nil:
		w.seen["full"]++
	case old > 0:
		w.seen["extended"]++
		if len(f.base.files) > 0 && f.base.files[0].Name != s.files[0].Name {
			w.seen["dropped"]++
		}
	case len(f.base.files) > 0 && len(f.wrote) > 0:
		w.seen["rewritten"]++
	}
}

// collect deletes what no retained snapshot refers to, nor the base of one on its
// way or that itself.
func (w *world) collect() {
	needed := map[string]bool{}
	need := func(s *snapshot) {
		for _, ref := range s.files {
			needed[ref.Name] = true
		}
	}
	for _, s := range w.retained {
		need(s)
	}
	for _, f := range w.flights {
		if f.base != nil {
			need(f.base)
		}
		for _, name := range f.wrote {
			needed[name] = true
		}
	}
	maps.DeleteFunc(w.objects, func(name string, _ []byte) bool { return !needed[name] })
}

// restored loads a snapshot into a new set.
func (w *world) restored(s *snapshot, groups state.GroupRange, epoch id.Epoch) *Queue {
	r := state.NewReader(s.manifest)
	p := DecodePart(r)
	if err := r.Done(); err != nil {
		w.Fatal(err)
	}
	p.Place(s.files)
	set := New(groups, w.sizes)
	load := set.Restore(p, groups, epoch)
	order := rapid.Permutation(s.files).Draw(w.T, "arrivals")
	for k := 0; ; k++ {
		for idle := false; !idle; {
			var err error
			if idle, err = load.Step(); err != nil {
				w.Fatalf("snapshot %d: %v", s.epoch, err)
			}
		}
		if k == len(order) {
			return set
		}
		i := slices.Index(s.files, order[k])
		data, there := w.objects[order[k].Name]
		if !there {
			w.Fatalf("snapshot %d needs %s, which is gone", s.epoch, order[k].Name)
		}
		if err := load.Arrived(i, data); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) expect(s *snapshot, groups state.GroupRange) {
	want := maps.Clone(s.want)
	maps.DeleteFunc(want, func(d due, _ bool) bool {
		g := modelKey(d.key).Group
		return g < groups.Lo || g >= groups.Hi
	})
	compare(w.T, fmt.Sprintf("snapshot %d", s.epoch), w.restored(s, groups, 0), want)
}

func compare(t *rapid.T, what string, set *Queue, want map[due]bool) {
	n := 0
	set.Range(func(at int64, k state.Key) bool {
		if n++; !want[due{at, string(k.Bytes)}] {
			t.Fatalf("%s: a timer (%d, %s) that should be gone", what, at, k.Bytes)
		}
		return true
	})
	if n != len(want) || set.Len() != n {
		t.Fatalf("%s: %d timers (Len %d), want %d", what, n, set.Len(), len(want))
	}
}

// crash ends the incarnation, and the next starts from the newest retained snapshot.
func (w *world) crash() {
	for _, f := range w.flights {
		f.Discard()
	}
	w.flights = nil
	n := len(w.retained)
	if n == 0 {
		w.set, w.twin = New(modelGroups, w.sizes), map[due]bool{}
		return
	}
	s := w.retained[n-1]
	w.set, w.twin = w.restored(s, modelGroups, s.epoch), maps.Clone(s.want)
	w.seen["restored"]++
}

// TestAgainstTwin takes, gives up, completes, retires and restores snapshots in any
// order, deletes what nothing refers to, and compares each with what it must hold.
func TestAgainstTwin(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		w := &world{
			T: t, sizes: Sizes{Inline: rapid.SampledFrom([]int64{-1, 30}).Draw(t, "inline"), Segment: rapid.SampledFrom([]int64{40, 1000}).Draw(t, "segment"), Segments: rapid.SampledFrom([]int{8, 100}).Draw(t, "segments")},
			twin: map[due]bool{}, objects: map[string][]byte{}, seen: seen,
		}
		w.set = New(modelGroups, w.sizes)
		for range rapid.IntRange(1, 400).Draw(t, "actions") {
			switch rapid.IntRange(0, 19).Draw(t, "action") {
			default:
				w.change()
			case 0, 1, 2:
				w.begin()
			case 3, 4, 5, 6:
				w.carry()
			case 7:
				w.crash()
			}
			compare(t, "the set", w.set, w.twin)
		}
	})
	for _, what := range []string{"in the manifest", "full", "extended", "dropped", "rewritten", "restored"} {
		if seen[what] == 0 {
			t.Errorf("no snapshot was %s: the test does not see that", what)
		}
	}
	t.Log(seen)
}
