package weir_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	algorithmcatalog "weir/algorithms/catalog"
	"weir/check"
	"weir/external/sinks"
	"weir/scenario/mutants"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// numbers are how documents write them.
var numbers = strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")

// inWords returns a number in words, and in digits from 100 on.
func inWords(n int) string {
	if n >= 100 {
		return strconv.Itoa(n)
	}
	if n < len(numbers) {
		return numbers[n]
	}
	s := strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety")[n/10-2]
	if n%10 > 0 {
		s += "-" + numbers[n%10]
	}
	return s
}

// counted is what the README counts, and how often it does at least.
var counted = []struct {
	what  string // what follows the number
	n     int
	times int
}{
	{"algorithms", len(algorithmcatalog.Names()), 2},
	{"(?:state )?backends", len(statecatalog.Names()), 2},
	{"sinks", len(sinks.Names()), 2},
	{"workloads", len(workloadcatalog.Names()), 2},
	{"deliberate mistakes", len(mutants.All()), 1},
}

// miscounted returns what is wrong with the numbers of a text.
func miscounted(text string) (wrong []string) {
	for _, c := range counted {
		found := regexp.MustCompile(`(?i)([a-z0-9-]+)\s+`+c.what).FindAllStringSubmatch(text, -1)
		times := 0
		for _, m := range found {
			number := strings.ToLower(m[1])
			if tens, ones, two := strings.Cut(number, "-"); !isNumber(tens) || two && !isNumber(ones) {
				continue // "all algorithms"
			}
			if times++; number != inWords(c.n) {
				wrong = append(wrong, fmt.Sprintf("%q: there are %s", m[0], inWords(c.n)))
			}
		}
		if times < c.times {
			wrong = append(wrong, fmt.Sprintf("%s are counted %d times, want %d", c.what, times, c.times))
		}
	}
	return wrong
}

// isNumber reports whether a word is a number below 20, or a multiple of ten, or of digits.
func isNumber(word string) bool {
	if _, err := strconv.Atoi(word); err == nil {
		return true
	}
	for n := range 100 {
		if (n < 20 || n%10 == 0) && inWords(n) == word {
			return true
		}
	}
	return false
}

func readText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestREADMECountsRight: what the README counts is what the catalogs have.
func TestREADMECountsRight(t *testing.T) {
	for _, problem := range miscounted(readText(t, "README.md")) {
		t.Error(problem)
	}
}

func TestMiscountFires(t *testing.T) {
	right := readText(t, "README.md")
	for _, c := range counted {
		word := inWords(c.n)
		at := regexp.MustCompile(`(?i)` + word + `(\s+` + c.what + `)`)
		if wrong := miscounted(at.ReplaceAllString(right, "seventeen$1")); len(wrong) < c.times {
			t.Errorf("seventeen %s: %q", c.what, wrong)
		}
		if wrong := miscounted(at.ReplaceAllString(right, "many$1")); len(wrong) != 1 {
			t.Errorf("many %s: %q", c.what, wrong)
		}
	}
	for n, want := range map[int]string{3: "three", 20: "twenty", 31: "thirty-one", 99: "ninety-nine", 102: "102"} {
		if got := inWords(n); got != want {
			t.Errorf("%d is %q", n, got)
		}
	}
}

// TestLayoutNamesInternalPackages: the row of internal/ lists what is below it.
func TestLayoutNamesInternalPackages(t *testing.T) {
	_, row, found := strings.Cut(readText(t, "README.md"), "\n| `internal/` |")
	if !found {
		t.Fatal("the layout in the README has no row for internal/")
	}
	row, _, _ = strings.Cut(row, "\n")
	for dir := range ourPackages(t) {
		if below, ok := strings.CutPrefix(dir, "internal/"); ok && !strings.Contains(row, "`"+below+"`") {
			t.Errorf("the layout in the README does not say what %s is", dir)
		}
	}
}

// TestArchitectureNamesTheOracles: those that documents list are those there are.
func TestArchitectureNamesTheOracles(t *testing.T) {
	_, sentence, found := strings.Cut(readText(t, "docs/architecture.md"), "The oracles are a list over it")
	sentence, _, end := strings.Cut(sentence, ". They")
	if !found || !end {
		t.Fatal("the sentence that lists the oracles is gone")
	}
	for o := range check.Oracles {
		if name := strings.ReplaceAll(o.String(), "-", " "); !strings.Contains(sentence, name) {
			t.Errorf("the oracle %s is not among those that docs/architecture.md lists", o)
		}
	}
}
