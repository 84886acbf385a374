package counterexample

import (
	"fmt"
	"hash/fnv"
	"strings"

	"weir/scenario"
)

// Signature tells one kind of failure from another: what was broken, at which
// step of the protocol and with the parties in which states, and what was combined.
// Failures of one signature are taken for one bug. It is made of typed events
// ([check.Where]), never of the words of a violation.
type Signature struct {
	Broken                           string // the oracle of the first violation, or the verdict where none saw it
	Where                            string // as [check.Where] has it
	Algorithm, State, Sink, Workload string
	Mutant                           string // the mistake that was switched on; "": none
}

// SignatureOf returns the signature of a run that is not fine.
func SignatureOf(o *scenario.Outcome) Signature {
	c, s := o.Config, ShowingOf(o)
	return Signature{s.broken(), s.Where, c.Algorithm.Name, c.State, c.SinkName(), c.Workload.Name(), string(c.Mutant)}
}

// Signature returns the signature of the run in the file.
func (f *File) Signature() Signature {
	return Signature{f.broken(), f.Where, f.Algorithm, f.State, f.Sink, f.Workload, f.Mutant}
}

func (s *Showing) broken() string {
	if s.Oracle == "" {
		return s.Verdict
	}
	return s.Oracle
}

// Failure is the part of a signature that the combination has no share in, in words.
func (s Signature) Failure() string {
	if s.Where == "" {
		return s.Broken
	}
	return s.Broken + " at " + s.Where
}

// Combination is what was combined, in words.
func (s Signature) Combination() string {
	all := strings.Join([]string{s.Algorithm, s.State, s.Sink, s.Workload}, ", ")
	if s.Mutant != "" {
		all += ", mutant " + s.Mutant
	}
	return all
}

// String returns the signature as a name of files has it: what is broken and the
// combination, and a number for all of it.
func (s Signature) String() string {
	name := strings.Join([]string{s.Broken, s.Algorithm, s.State, s.Sink, s.Workload}, "_")
	if s.Mutant != "" {
		name += "_" + s.Mutant
	}
	h := fnv.New32a()
	_, _ = fmt.Fprintf(h, "%q", []string{s.Broken, s.Where, s.Algorithm, s.State, s.Sink, s.Workload, s.Mutant})
	name = fmt.Sprintf("%s_%08x", name, h.Sum32())
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, name)
}
