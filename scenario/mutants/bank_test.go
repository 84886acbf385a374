package mutants_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"weir/check"
	"weir/dataflow"
	"weir/faults"
	"weir/scenario/mutants"
)

var write = flag.Bool("write", false, "write docs/bank.md anew")

const bankFile = "../../docs/bank.md"

// gathered are the rows of the list that the bank was made from: what systems have
// shipped, by subject, and trials.
const gathered = `A1 A2 A4 A5 A7 A8 A9 A10 A11 A13 A14 A15 A16 A18 A19 A20 A21
B2 B4 B5 B7 B8 B9 B10 B11
C2 C3 C4 C6 C7 C8 C9 C11 C12 C13 C15 C16
D1 D3 D5 D6 D8 D9
E2 E4 E5
F1 F2 F4 F5 F6 F8
G1 G3 G4
X1 X2 X3 X4 X5 X6 X7 X8 X9 X10 X11 X12 X13 X14 X15`

// TestEveryReportIsAccountedFor: each row is in the bank, waits for something, or
// cannot show; one of the three.
func TestEveryReportIsAccountedFor(t *testing.T) {
	want := strings.Fields(gathered)
	all := mutants.Reports()
	for _, r := range all {
		if !slices.Contains(want, r.ID) {
			t.Errorf("%s: no such row was gathered, or it stands there twice", r.ID)
		}
		want = slices.DeleteFunc(want, func(id string) bool { return id == r.ID })
		if n := len(r.By) + len(r.Waits) + len(r.Equivalent); n == 0 || r.What == "" {
			t.Errorf("%s: it is neither in the bank, nor waiting, nor without effect", r.ID)
		}
		if len(r.By) > 0 && r.Waits+r.Equivalent != "" || r.Waits != "" && r.Equivalent != "" {
			t.Errorf("%s is accounted for twice", r.ID)
		}
		if r.Tickets == "" != strings.HasPrefix(r.ID, "X") {
			t.Errorf("%s: tickets %q; trials have none", r.ID, r.Tickets)
		}
		for _, m := range r.By {
			if _, err := mutants.Lookup(string(m)); err != nil {
				t.Errorf("%s: %v", r.ID, err)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("not accounted for: %v", want)
	}
}

// TestCasesAreWhole: each mistake says where it comes from, what it needs and which
// oracle must see it, has a name and a combination of its own.
func TestCasesAreWhole(t *testing.T) {
	seen := map[dataflow.Mutant]bool{}
	for _, c := range mutants.All() {
		if seen[c.Mutant] {
			t.Errorf("%s stands there twice", c.Mutant)
		}
		seen[c.Mutant] = true
		if c.Description == "" || c.Source == "" || c.Needs == "" || len(c.Algorithms) == 0 {
			t.Errorf("%s: description %q, source %q, needs %q, algorithms %v", c.Mutant, c.Description, c.Source, c.Needs, c.Algorithms)
		}
		oracles := func(yield func(string) bool) {
			for o := range check.Oracles {
				if !yield(o.String()) {
					return
				}
			}
		}
		if !slices.Contains(slices.Collect(oracles), c.Oracle) || c.Oracle == check.SameRun.String() {
			t.Errorf("%s: no oracle is called %q", c.Mutant, c.Oracle)
		}
		if (c.Oracle == check.Progress.String()) != c.Stalls {
			t.Errorf("%s: oracle %s, stalls %v: what shows as a loss of progress is seen by that oracle", c.Mutant, c.Oracle, c.Stalls)
		}
	}
	if n := len(seen); n < 45 {
		t.Errorf("%d mistakes, want 45 at least", n)
	}
}

// TestShown: a mistake shows where what it needs is drawn and given, and not where one of
// both is missing.
func TestShown(t *testing.T) {
	upgrade, stale := []faults.Kind{faults.Rescale, faults.Upgrade}, dataflow.Given{"checkpoint.local-recovery": "true"}
	for _, x := range []struct {
		mutant dataflow.Mutant
		drawn  []faults.Kind
		given  dataflow.Given
		want   bool
	}{
		{dataflow.MutantUnmigrated, upgrade, nil, true},
		{dataflow.MutantUnmigrated, upgrade[:1], stale, false},
		{dataflow.MutantLocalStale, nil, stale, true},
		{dataflow.MutantLocalStale, upgrade, nil, false},
		{dataflow.MutantLocalStale, nil, dataflow.Given{"checkpoint.local-recovery": "false"}, false},
	} {
		c, err := mutants.Lookup(string(x.mutant))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Shown(x.drawn, x.given); got != x.want {
			t.Errorf("%s with %v and %v: %v", x.mutant, x.drawn, x.given, got)
		}
	}
}

// TestBankPage: the committed page says what the lists say.
func TestBankPage(t *testing.T) {
	want := page()
	if *write {
		if err := os.WriteFile(bankFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(bankFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/bank.md is not what the lists say; make it anew by\n\tgo test ./scenario/mutants -run TestBankPage -write")
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# The bank of mistakes

Mistakes that are switched on one at a time, in the production code, to see whether the checker finds them:
what systems have shipped, and what trials of this project showed to escape. Made from ` + "`scenario/mutants`" + ` by
` + "`go test ./scenario/mutants -run TestBankPage -write`" + `; how many runs each takes is in ` + "`docs/performance.md`" + `,
and ` + "`go run ./cmd/sim mutants`" + ` hunts them.

| mistake | what it does | source | oracle | needs | escapes |
|---|---|---|---|---|---|
`)
	for _, c := range mutants.All() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s |\n", c.Mutant, c.Description, c.Source, c.Oracle, c.Needs, c.Escapes)
	}
	b.WriteString(`
## Reports

A to G are mistakes that systems have shipped, with their tickets; X are kinds of mistakes that trials showed to escape.

| report | tickets | mechanism | here |
|---|---|---|---|
`)
	for _, r := range mutants.Reports() {
		here := "waits for " + r.Waits
		switch {
		case r.Equivalent != "":
			here = "cannot show: " + r.Equivalent
		case len(r.By) > 0:
			var names []string
			for _, m := range r.By {
				names = append(names, "`"+string(m)+"`")
			}
			here = strings.Join(names, ", ")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r.ID, r.Tickets, r.What, here)
	}
	return b.String()
}
