package exhaustive

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"weir/dataflow"
	"weir/scenario"
)

var (
	mutant = flag.String("mutant", "", "mistake that FuzzTape is to find")
	corpus = flag.Bool("corpus", false, "write the inputs that TestMistakesAreFound comes to to testdata/fuzz/FuzzTape")
)

const corpusDir = "testdata/fuzz/FuzzTape"

// FuzzTape runs a small job under all oracles with the decisions, crashes and the fault
// that the input says (see Decode):
//
//	go test ./scenario/exhaustive -run '^$' -fuzz FuzzTape -fuzztime 60s
func FuzzTape(f *testing.F) {
	j := small(f, dataflow.Mutant(*mutant), 2, Bounds{})
	f.Add([]byte{})
	f.Add([]byte{3, 1, 5, 0, 1, 0, 2, 0, 1})
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 1<<10 {
			return // no run has so many decisions
		}
		if o := j.Input(input); o.Kind != scenario.Fine {
			t.Fatalf("%v: %s\nplan %s", o.Kind, o.Why(), o.Plan)
		}
	})
}

// written is the corpus that is committed: inputs by the name of the mistake that
// they show.
func written(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(corpusDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		quoted, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "go test fuzz v1\n[]byte(")
		input, err := strconv.Unquote(strings.TrimSuffix(quoted, ")"))
		if !ok || err != nil {
			t.Fatalf("%s is no input of a fuzzer: %v", name, err)
		}
		all[filepath.Base(name)] = []byte(input)
	}
	return all
}

// TestCorpusFindsMistakes: each input of the corpus fails with the mistake that it is named
// after, and without it none does.
func TestCorpusFindsMistakes(t *testing.T) {
	inputs := written(t)
	if len(inputs) < 5 {
		t.Fatalf("the corpus has %d inputs", len(inputs))
	}
	right := small(t, "", 1, Bounds{})
	for name, input := range inputs {
		if o := small(t, dataflow.Mutant(name), 1, Bounds{}).Input(input); o.Kind != scenario.Unsafe {
			t.Errorf("%s is not seen: %v", name, o.Kind)
		}
		if o := right.Input(input); o.Kind != scenario.Fine {
			t.Errorf("%s: without the mistake %v: %s", name, o.Kind, o.Why())
		}
	}
}

// TestEveryInputIsARun: inputs of any length and content decode to runs that end, and
// the same input is the same run.
func TestEveryInputIsARun(t *testing.T) {
	j := small(t, "", 2, Bounds{})
	x := uint64(1)
	for i := range 300 {
		input := make([]byte, i%90)
		for k := range input {
			x = x*6364136223846793005 + 1442695040888963407
			input[k] = byte(x >> 56)
		}
		o := j.Input(input)
		if o.Kind != scenario.Fine {
			t.Fatalf("%v: %v: %s\nplan %s", input, o.Kind, o.Why(), o.Plan)
		}
		if hash := o.Result.Hash; j.Input(input).Result.Hash != hash {
			t.Fatalf("%v: two runs with two hashes", input)
		}
	}
}

// TestEncodeIsDecoded: the input of choices makes the run of the choices.
func TestEncodeIsDecoded(t *testing.T) {
	b := Bounds{Crashes: 1, Prompt: true}
	j := small(t, "", 1, b)
	s := &Search{System: j}
	for n := 0; n < 300 && s.Next(); n++ {
		input, ok := Encode(b, s.Choices())
		if !ok {
			t.Fatal("too many options")
		}
		hash := j.Replay(s.Choices()).Result.Hash
		if got := j.Input(input).Result.Hash; got != hash {
			t.Fatalf("run %d: hash %016x, and %016x from %v", n, hash, got, input)
		}
	}
}

// keep writes an input to the corpus.
func keep(t *testing.T, name string, input []byte) {
	t.Helper()
	if err := os.MkdirAll(corpusDir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Appendf(nil, "go test fuzz v1\n[]byte(%q)\n", bytes.TrimRight(input, "\x00"))
	if err := os.WriteFile(filepath.Join(corpusDir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}
