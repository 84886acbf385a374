package catalog

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"weir/external/sinks"
)

var write = flag.Bool("write", false, "write docs/guarantees.md anew")

const guaranteesFile = "../../docs/guarantees.md"

// TestGuarantees: the committed table is what sinks.Promise says.
func TestGuarantees(t *testing.T) {
	want := guarantees()
	if *write {
		if err := os.WriteFile(guaranteesFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(guaranteesFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/guarantees.md is not what external/sinks promises; make it anew by\n\tgo test ./algorithms/catalog -run TestGuarantees -write")
	}
}

// guarantees returns the table of all algorithms and sinks.
func guarantees() string {
	var b strings.Builder
	b.WriteString(`# Guarantees

What a job's output is worth, by algorithm, sink, and whether its operators are
deterministic. A combination that cannot be served is refused before the run.
Made from ` + "`external/sinks`" + ` (` + "`Promise`" + `) by
` + "`go test ./algorithms/catalog -run TestGuarantees -write`" + `; the simulator holds every
combination against it.

| algorithm | sink | deterministic operators | others |
|---|---|---|---|
`)
	for _, a := range All() {
		for _, s := range sinks.All() {
			name := s.Name
			if s.Name == sinks.For(a.Declared).Name {
				name += " (default)"
			}
			fmt.Fprintf(&b, "| %s | %s |", a.Name, name)
			for _, deterministic := range []bool{true, false} {
				p, err := s.Promise(a.Declared, deterministic)
				text := p.String()
				var r *sinks.Refusal
				if errors.As(err, &r) {
					text = "refused: " + r.Reason
				}
				fmt.Fprintf(&b, " %s |", text)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
