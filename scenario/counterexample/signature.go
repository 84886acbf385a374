package counterexample

import (
	"strings"

	"weir/scenario"
)

// Signature tells one kind of failure from another: what was broken, and what
// was combined. Failures of one signature are taken for one bug.
type Signature struct {
	Broken                           string // the oracle of the first violation, or the verdict where none saw it
	Algorithm, State, Sink, Workload string
	Mutant                           string // the mistake that was switched on; "": none
}

// SignatureOf returns the signature of a run that is not fine.
func SignatureOf(o *scenario.Outcome) Signature {
	c := o.Config
	broken := oracleOf(o)
	if broken == "" {
		broken = o.Kind.String()
	}
	return Signature{broken, c.Algorithm.Name, c.State, c.SinkName(), c.Workload.Name(), string(c.Mutant)}
}

// Signature returns the signature of the run in the file.
func (f *File) Signature() Signature {
	broken := f.Oracle
	if broken == "" {
		broken = f.Verdict
	}
	return Signature{broken, f.Algorithm, f.State, f.Sink, f.Workload, f.Mutant}
}

// String returns the signature as a name of files has it.
func (s Signature) String() string {
	name := strings.Join([]string{s.Broken, s.Algorithm, s.State, s.Sink, s.Workload}, "_")
	if s.Mutant != "" {
		name += "_" + s.Mutant
	}
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, name)
}

// oracleOf returns the oracle of the violation that a verdict is about, "" if no
// oracle saw it.
func oracleOf(o *scenario.Outcome) string {
	if v := o.Violation(); v != nil {
		return v.Oracle.String()
	}
	return ""
}
