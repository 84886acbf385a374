package counterexample

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"weir/faults"
	"weir/scenario"
	"weir/sim/seed"
)

// Version is that of the files written here, and the only one that is read.
const Version = 1

// File is one run and what it showed.
type File struct {
	// What ran it: the version control's revision, the SHA-256 of the program, and
	// the version of Go. "" or "unknown": the build did not tell.
	Revision, Build, Go string

	Algorithm, State, Sink, Workload string
	Set                              []string // settings of the workload, "name=value"
	First                            int      // version of the workload that the job begins as; 0: as Set and Plan say
	Parallelism, Groups, Workers     int
	Coordinators                     int // processes; 0: one, and no lease
	Reorder                          bool
	Calm                             bool // served in order of arrival
	Mutant                           string
	Seed                             uint64

	Splits    int
	Settings  scenario.Settings
	Absent    []string // of a file that was read: settings that it does not have
	Plan      faults.Plan
	Decisions []seed.Named
	// Resumed are those of the job that begins where one has ended with a savepoint, if Plan has one.
	Resumed []seed.Named

	Showing

	Expect Expectation // of a pin: what its replay must come to
}

// Expectation is what the replay of a pin must come to.
type Expectation string

// The expectations.
const (
	NoPin        Expectation = ""        // the file is none
	StaysMended  Expectation = "ok"      // the failure that it shows is mended
	StaysFailing Expectation = "failing" // its mutant must be seen, with the same signature
)

// Showing is what a run showed.
type Showing struct {
	Verdict   string
	Oracle    string // of the first violation; "": none
	Where     string // how the run stood then, as [check.Where] has it; "": it is fine
	Violation string // on one line
	Hash      uint64
}

// Of returns the file of a run whose decisions were recorded. What ran it is
// left to the caller.
func Of(o *scenario.Outcome) *File {
	c, d := o.Config, o.Drawn()
	f := &File{
		Algorithm: c.Algorithm.Name, State: c.State, Sink: c.SinkName(), Workload: c.Workload.Name(), Set: c.Workload.Settings(), First: c.FirstVersion(),
		Parallelism: c.Parallelism, Groups: cmp.Or(c.Groups, scenario.DefaultGroups), Workers: cmp.Or(c.Workers, scenario.DefaultWorkers), Coordinators: c.Coordinators, Reorder: c.Reorder, Calm: c.Faults == scenario.NoFaults, Mutant: string(c.Mutant),
		Seed: o.Seed, Splits: d.Splits, Settings: d.Settings, Plan: d.Plan, Showing: ShowingOf(o),
	}
	if d.Decisions != nil {
		f.Decisions = d.Decisions.Named()
	}
	if d.Resumed != nil {
		f.Resumed = d.Resumed.Named()
	}
	return f
}

// String returns verdict and oracle.
func (s *Showing) String() string {
	if s.Oracle == "" {
		return s.Verdict
	}
	return s.Verdict + " (" + s.Oracle + ")"
}

// ShowingOf returns what a run showed.
func ShowingOf(o *scenario.Outcome) Showing {
	s := Showing{Verdict: o.Kind.String(), Violation: strings.Join(strings.Fields(o.Why()), " "), Hash: o.Result.Hash}
	if o.Report == nil || o.Kind == scenario.Fine {
		return s
	}
	s.Where = o.Report.Stood.String()
	if v := o.Violation(); v != nil {
		s.Oracle, s.Where = v.Oracle.String(), v.Where.String()
	}
	return s
}

// Drawn returns what to give to [scenario.Runner.Replay].
func (f *File) Drawn() *scenario.Drawn {
	return &scenario.Drawn{Settings: f.Settings, Splits: f.Splits, Plan: f.Plan, Decisions: seed.TapeOf(f.Decisions), Resumed: seed.TapeOf(f.Resumed)}
}

// String returns the text of the file.
func (f *File) String() string { return string(f.AppendText(nil)) }

// AppendText appends the text of the file.
func (f *File) AppendText(b []byte) []byte {
	b = fmt.Appendf(b, "weir %d\n", Version)
	for _, h := range heads {
		if text := h.text(f); text != "" {
			b = fmt.Appendf(b, "%s %s\n", h.word, text)
		}
	}
	for _, s := range f.Set {
		b = fmt.Appendf(b, "set %s\n", s)
	}
	for _, l := range f.Settings.Lines() {
		b = fmt.Appendf(b, "setting %s\n", l)
	}
	b = fmt.Appendf(b, "plan %s\n", strings.Join(strings.Fields(f.Plan.String()), " "))
	for i := range f.Decisions {
		b = append(f.Decisions[i].AppendText(append(b, "decision "...)), '\n')
	}
	for i := range f.Resumed {
		b = append(f.Resumed[i].AppendText(append(b, "decision-resumed "...)), '\n')
	}
	return append(b, "end\n"...)
}

// head is a line that stands once: its word, how it is written, "" leaving it
// out, and read.
type head struct {
	word string
	must bool // a file without it is no run
	text func(f *File) string
	read func(f *File, value string) error
}

var heads = []head{
	word("revision", false, func(f *File) *string { return &f.Revision }),
	word("build", false, func(f *File) *string { return &f.Build }),
	word("go", false, func(f *File) *string { return &f.Go }),
	word("algorithm", true, func(f *File) *string { return &f.Algorithm }),
	word("state", true, func(f *File) *string { return &f.State }),
	word("sink", true, func(f *File) *string { return &f.Sink }),
	word("workload", true, func(f *File) *string { return &f.Workload }),
	present(count("version", func(f *File) *int { return &f.First }), func(f *File) bool { return f.First > 0 }),
	count("parallelism", func(f *File) *int { return &f.Parallelism }),
	count("groups", func(f *File) *int { return &f.Groups }),
	optional(count("workers", func(f *File) *int { return &f.Workers })), // those of old had the default
	present(count("coordinators", func(f *File) *int { return &f.Coordinators }), func(f *File) bool { return f.Coordinators > 1 }),
	count("splits", func(f *File) *int { return &f.Splits }),
	yes("reorder", func(f *File) *bool { return &f.Reorder }),
	yes("calm", func(f *File) *bool { return &f.Calm }),
	word("mutant", false, func(f *File) *string { return &f.Mutant }),
	number("seed", 10, func(f *File) *uint64 { return &f.Seed }),
	word("verdict", true, func(f *File) *string { return &f.Verdict }),
	word("oracle", false, func(f *File) *string { return &f.Oracle }),
	word("where", false, func(f *File) *string { return &f.Where }),
	word("violation", false, func(f *File) *string { return &f.Violation }),
	number("hash", 16, func(f *File) *uint64 { return &f.Hash }),
	{"expect", false, func(f *File) string { return string(f.Expect) }, func(f *File, v string) error {
		f.Expect = Expectation(v)
		if f.Expect != StaysMended && f.Expect != StaysFailing {
			return fmt.Errorf("expect %q: want %s or %s, or leave the line out", v, StaysMended, StaysFailing)
		}
		return nil
	}},
}

func word(name string, must bool, at func(*File) *string) head {
	return head{name, must, func(f *File) string { return *at(f) }, func(f *File, v string) error {
		*at(f) = v
		return nil
	}}
}

func count(name string, at func(*File) *int) head {
	return head{name, true, func(f *File) string { return strconv.Itoa(*at(f)) }, func(f *File, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			return fmt.Errorf("%s %q: want a number from 1", name, v)
		}
		*at(f) = n
		return nil
	}}
}

// present is a line that is left out of files of which is is false.
func present(h head, is func(*File) bool) head {
	h = optional(h)
	text := h.text
	h.text = func(f *File) string {
		if !is(f) {
			return ""
		}
		return text(f)
	}
	return h
}

func optional(h head) head {
	h.must = false
	return h
}

func yes(name string, at func(*File) *bool) head {
	return head{name, false, func(f *File) string {
		if *at(f) {
			return "yes"
		}
		return ""
	}, func(f *File, v string) error {
		if *at(f) = v == "yes"; !*at(f) {
			return fmt.Errorf("%s %q: want yes, or leave the line out", name, v)
		}
		return nil
	}}
}

func number(name string, base int, at func(*File) *uint64) head {
	return head{name, true, func(f *File) string { return strconv.FormatUint(*at(f), base) }, func(f *File, v string) error {
		n, err := strconv.ParseUint(v, base, 64)
		if err != nil {
			return fmt.Errorf("%s %q: want a number from 0 to 2^64-1 in base %d", name, v, base)
		}
		*at(f) = n
		return nil
	}}
}
