package scenario

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"weir/algorithms/coordinator"
	"weir/check"
	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/state"
	"weir/state/savepoint"
)

// FromRoot is where the savepoint that a job begins from stands in its checkpoint storage.
const FromRoot = "from"

// From is what another job has left and this one begins from.
type From struct {
	// Savepoint has the objects of a savepoint below its root, which a run gets below FromRoot.
	// It is only read.
	Savepoint state.Storage
	Root      string
	// Path and OutputPath say where both are, for the command that makes a run again.
	Path, OutputPath string
	// Output is the external store that the job before wrote to, nil: nobody has it. A run
	// goes on with a copy, and its output is judged together with what is visible there.
	Output  *external.Store
	Renamed []dataflow.Renamed
	Dropped []string
	Claimed bool
	// Held and TakenBack are what held for the job before, as check.Origin has them.
	Held      check.Guarantee
	TakenBack int64

	opened  *savepoint.Savepoint
	parts   []*savepoint.Part
	objects []object
	rows    [][]byte
}

type object struct {
	key  string // below the root
	data []byte
}

// Open reads the savepoint whole, once, and checks every byte of it.
func (f *From) Open() (err error) {
	if f.opened != nil {
		return nil
	}
	s, err := savepoint.Open(f.Savepoint, f.Root)
	if err != nil {
		return err
	}
	if err := f.keep(savepoint.ManifestKey(f.Root), "the whole savepoint"); err != nil {
		return err
	}
	for i := range s.Operators {
		o := &s.Operators[i]
		for k := range o.Parts {
			p, err := s.Part(o, k)
			if err != nil {
				return err
			}
			if err := f.keep(savepoint.IndexKey(f.Root, p.ID), fmt.Sprintf("%s[%d]", o.Name, k)); err != nil {
				return err
			}
			for n := range p.Files {
				if err := f.keep(savepoint.DataKey(f.Root, p.ID, n), p.Holds(n)); err != nil {
					return err
				}
			}
			if err := whole(p); err != nil {
				return err
			}
			f.parts = append(f.parts, p)
		}
	}
	if f.Output != nil {
		if f.rows, err = f.Output.Rows(); err != nil {
			return err
		}
	}
	f.opened = s
	return nil
}

// whole reads all entries of a share.
func whole(p *savepoint.Part) error {
	c := p.Content()
	for _, d := range c.States() {
		c.Entries(d.Name, func(state.KeyedEntry) bool { return true })
	}
	return c.Err()
}

// keep reads an object that is to be in the storage of every run.
func (f *From) keep(key, holds string) error {
	r := f.Savepoint.Do(state.Op{Kind: state.OpGet, Key: key})
	if r.Status != state.OK {
		return &savepoint.Damage{File: key, Holds: holds, Err: &state.OpError{Kind: state.OpGet, Key: key, Status: r.Status, Err: r.Err}}
	}
	f.objects = append(f.objects, object{strings.TrimPrefix(strings.TrimPrefix(key, f.Root), "/"), r.Data})
	return nil
}

// flags are those of the command that name it.
func (f *From) flags() string {
	if f == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, " --from %s", quoted(f.Path))
	if f.OutputPath != "" {
		fmt.Fprintf(&b, " --output %s", quoted(f.OutputPath))
	}
	for _, d := range f.Dropped {
		fmt.Fprintf(&b, " --allow-dropped %s", quoted(d))
	}
	for _, r := range f.Renamed {
		fmt.Fprintf(&b, " --rename %s", quoted(r.From+"="+r.To))
	}
	return b.String()
}

// quoted is a word as a shell takes it for one.
func quoted(word string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-+=:,./@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// notJudged says what of the output is not judged, as nobody has said what was visible before.
func (f *From) notJudged() string {
	if f == nil || f.Output != nil {
		return ""
	}
	return "the job goes on from a savepoint, and what had become visible before it is not known (--output), so that rows which are missing are not judged"
}

// Splits are those that the savepoint has, once it is open.
func (f *From) Splits() (all []savepoint.Split) {
	for _, p := range f.parts {
		all = append(all, p.Splits...)
	}
	return all
}

// Groups is the number of its key groups, once it is open.
func (f *From) Groups() int { return f.opened.Groups }

// Rows are those that are visible in the external store as the job before has left it.
func (f *From) Rows() [][]byte { return f.rows }

// Origin is what a job is told of it.
func (f *From) Origin() *dataflow.Origin {
	o := &dataflow.Origin{Root: FromRoot, Renamed: f.Renamed, Dropped: f.Dropped, Claimed: f.Claimed}
	if f.Output != nil {
		o.After, _ = f.Output.Newest()
	}
	return o
}

// fits says why a job cannot begin from it; nil: it can. It is open.
func (f *From) fits(job *dataflow.Job, tasks []dataflow.TaskInfo) error {
	if err := f.dropsNothingKept(tasks); err != nil {
		return fmt.Errorf("savepoint %s: %w", f.Path, err)
	}
	indexes := make([]*savepoint.Index, len(f.parts))
	for i, p := range f.parts {
		indexes[i] = &p.Index
	}
	_, err := coordinator.Begin(job.Name, f.Origin(), &f.opened.Manifest, indexes, tasks)
	if err == nil {
		err = f.goesOnOnce()
	}
	if err != nil {
		return fmt.Errorf("savepoint %s: %w", f.Path, err)
	}
	for _, x := range indexes {
		if len(x.Pending) > 0 && f.Output == nil {
			return fmt.Errorf("%s[%d] has sealed the transactions %v in an external store, which nobody has named: without it they cannot be committed; name the directory of that store (--output DIR; a live job has it in sink, below its --storage)", x.Operator, x.Instance, x.Pending)
		}
	}
	return f.readable(*job, tasks)
}

// attempt is the newest that the savepoint knows of, once it is open.
func (f *From) attempt() id.Attempt {
	e := f.opened.Epoch
	for _, p := range f.parts {
		for _, sealed := range p.Pending {
			e = max(e, sealed)
		}
	}
	return e.Attempt()
}

// goesOnOnce refuses an output in which somebody has committed what comes behind the savepoint, in a
// later attempt than it knows of: all of that would be there twice.
func (f *From) goesOnOnce() error {
	if f.Output == nil {
		return nil
	}
	if _, txn := f.Output.Newest(); txn.Attempt() > f.attempt() {
		return fmt.Errorf("a job has gone on from there, or the one that took it has: transaction %s is visible in its output %s, and all rows behind the savepoint would be there twice; begin from a savepoint of that job, or with another output (without --output a new one)", txn, f.OutputPath)
	}
	return nil
}

// WrittenSince reports that somebody has begun to write to the output in a later attempt than the
// savepoint knows of. Rows of sinks without transactions may be visible of that, and come again.
func (f *From) WrittenSince() bool {
	if f == nil || f.Output == nil {
		return false
	}
	a, _ := f.Output.Newest()
	return a > f.attempt()
}

// dropsNothingKept refuses to drop what an operator of the job would go on with: it would begin
// empty, and its output be wrong.
func (f *From) dropsNothingKept(tasks []dataflow.TaskInfo) error {
	for _, d := range f.Dropped {
		taken := slices.ContainsFunc(f.Renamed, func(r dataflow.Renamed) bool { return r.To == d })
		if !taken && slices.ContainsFunc(tasks, func(t dataflow.TaskInfo) bool { return t.Name == d }) {
			return fmt.Errorf("operator %q may be dropped, and the job still has it, which would begin empty: leave --allow-dropped %s out, and it goes on with what it holds; call it otherwise in the job if it is to begin anew", d, d)
		}
	}
	return nil
}

// into gives a run's storage the savepoint, and its external store what the job before has written.
func (f *From) into(to state.Storage, out *external.Store) error {
	if f == nil {
		return nil
	}
	for _, o := range f.objects {
		op := state.Op{Kind: state.OpPut, Key: FromRoot + "/" + o.key, Data: o.data}
		if r := to.Do(op); r.Status != state.OK {
			return &state.OpError{Kind: op.Kind, Key: op.Key, Status: r.Status, Err: r.Err}
		}
	}
	if f.Output == nil {
		return nil
	}
	return out.Take(f.Output)
}

// goOn gives a combination what the savepoint says that a job keeps: the number of its key groups
// and of its splits, unless others are given, which is an error then.
func (c *Config) goOn() error {
	if c.From == nil {
		return nil
	}
	if err := c.From.Open(); err != nil {
		return err
	}
	c.Groups = cmp.Or(c.Groups, c.From.opened.Groups)
	splits := 0
	for _, s := range c.From.Splits() {
		splits = max(splits, s.Split+1)
	}
	c.Splits = cmp.Or(c.Splits, splits)
	return nil
}

// withSavepoint are the roots of a run in whose storage there is a savepoint that it does not own.
func withSavepoint(roots func(keys []string) []string) func(keys []string) []string {
	return func(keys []string) []string {
		out := roots(keys)
		for _, k := range keys {
			if strings.HasPrefix(k, FromRoot+"/") {
				out = append(out, k)
			}
		}
		return out
	}
}

// judged is the savepoint as the oracles read it, for all jobs that begin from it.
func (f *From) judged() (*check.Origin, error) {
	o, err := check.ReadOrigin(f.Savepoint, f.Root, dataflow.EventTimers)
	if err != nil {
		return nil, fmt.Errorf("savepoint %s: the oracles cannot read what package state/savepoint can: %w", f.Path, err)
	}
	o.Claimed, o.Rows, o.RowsUnknown, o.Held, o.TakenBack = f.Claimed, f.rows, f.Output == nil, f.Held, f.TakenBack
	o.Owns = func(key string) bool { return strings.HasPrefix(key, FromRoot+"/") }
	return o, nil
}

// expected is what the checker is told of it; tasks are those of the job.
func (f *From) expected(read *check.Origin, tasks []dataflow.TaskInfo) *check.Origin {
	return read.As(func(operator string) (name string, first id.SplitID) {
		name = f.nameNow(operator)
		for i := range tasks {
			if tasks[i].Name == name {
				first = tasks[i].FirstSplit
			}
		}
		return name, first
	})
}

// nameNow returns what an operator of the savepoint is called in the job; "": it is dropped.
func (f *From) nameNow(operator string) string {
	for _, r := range f.Renamed {
		if r.From == operator {
			return r.To
		}
	}
	for _, d := range f.Dropped {
		if d == operator {
			return ""
		}
	}
	return operator
}
