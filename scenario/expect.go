package scenario

import (
	"errors"
	"fmt"
	"strings"

	"weir/algorithms/coordinator"
	"weir/algorithms/recoveryline"
	"weir/check"
	"weir/dataflow"
	"weir/external/sinks"
	"weir/id"
	"weir/state"
	"weir/state/changelog"
	"weir/workloads"
)

// Expectation returns what a run of the combination is measured against.
func Expectation(c *Config, output sinks.Promise, tasks []dataflow.TaskInfo, st check.Storage) (check.Expect, error) {
	p := c.Algorithm.Properties()
	reference, err := c.Workload.Reference()
	unknown := errors.Is(err, workloads.ErrNoReference)
	if err != nil && !unknown {
		return check.Expect{}, err
	}
	x := check.Expect{
		NoReference: unknown,
		Records:     c.Workload.Events(), RecordID: c.Workload.RecordID,
		Reference: reference, Storage: st, Layout: layout(p),
	}
	if c.Coordinators > 1 {
		x.Layout.Roots = withLeases(x.Layout.Roots)
	}
	promise(&x, p, output, c.Workload)
	if unknown {
		x.Alone = nil
	} else if w, ok := c.Workload.(interface{ PerRecord() bool }); ok {
		x.PerRecord = w.PerRecord()
	}
	x.Canonical = func(rows [][]byte) ([][]byte, error) {
		got, err := c.Workload.Canonical(rows)
		if output.Output != dataflow.ExactlyOnce || x.Values {
			return got, nil // rows that contradict each other, or lack some between, are the expected weakness
		}
		return got, err
	}
	if w, ok := c.Workload.(interface {
		TooLate(rec []byte, watermark int64) bool
	}); ok {
		x.TooLate = w.TooLate
	}
	if w, ok := c.Workload.(interface{ KeyHash(rec []byte) uint64 }); ok && x.TooLate != nil {
		groups := tasks[0].NumGroups
		x.Groups = groups
		x.Group = func(rec []byte) uint16 { return state.GroupOf(w.KeyHash(rec), groups) }
	}
	splitOf := workloads.SplitOf
	if w, ok := c.Workload.(interface {
		SplitOf(tasks []dataflow.TaskInfo, s id.SplitID) (p, of int)
	}); ok {
		splitOf = w.SplitOf // splits that are not of one length
	}
	channels := 0
	for i := range tasks {
		channels += len(tasks[i].Outputs)
	}
	x.Channels = make([]check.Channel, 0, channels)
	splits := id.SplitID(0)
	for i := range tasks {
		t := &tasks[i]
		ct := check.Task{Name: t.Name, Operator: t.Name, Sink: t.Role == dataflow.RoleSink, Source: t.Role == dataflow.RoleSource}
		for ; splits < t.FirstSplit+id.SplitID(t.Splits); splits++ {
			p, of := splitOf(tasks, splits)
			x.Splits = append(x.Splits, check.Split{Residue: p, Modulus: of})
		}
		x.Tasks = append(x.Tasks, ct)
		for _, out := range t.Outputs {
			for len(x.Channels) <= int(out.ID) {
				x.Channels = append(x.Channels, check.Channel{})
			}
			x.Channels[out.ID] = check.Channel{From: t.ID, To: out.Peer, Reorders: out.Reorders, Back: out.Back}
		}
	}
	return x, nil
}

// NotJudged says what is not judged for want of a reference answer, and by what a
// simulated run is; "" if there is an answer.
func (c *Config) NotJudged() string {
	unknown := c.unknown()
	if unknown == "" {
		return c.From.notJudged()
	}
	var as []string
	for o := range check.SameRun {
		if o != check.Output && c.counts(o) {
			as = append(as, o.String())
		}
	}
	return fmt.Sprintf("%s, so that %s judges only rows that cannot be read, and by their keys those that come again or too late; as with an answer judge %s",
		unknown, check.Output, strings.Join(as, ", "))
}

// LiveNotJudged is NotJudged of a run on real threads, where no oracle watches.
func (c *Config) LiveNotJudged() string {
	unknown := c.unknown()
	if unknown == "" && c.From.notJudged() != "" {
		return "the job goes on from a savepoint, and what had become visible before it is not known (--output), so that its output is not judged"
	}
	if unknown == "" {
		return ""
	}
	return unknown + ", so that only rows that cannot be read are judged"
}

// unknown says that nobody knows the right output; "" if somebody does.
func (c *Config) unknown() string {
	if _, err := c.Workload.Reference(); !errors.Is(err, workloads.ErrNoReference) {
		return ""
	}
	return c.Workload.Name() + " has no reference answer: nobody knows which rows are right"
}

// promise fills in what a job promises: by the properties of its algorithm,
// never its name, and by its sink.
func promise(x *check.Expect, p dataflow.Properties, output sinks.Promise, w workloads.Workload) {
	x.State, x.Output = check.Guarantee(p.State), check.Guarantee(output.Output)
	x.AtOnce, x.Values = output.Shows != sinks.Committed, output.Shows == sinks.Values
	if output.Again || x.Values {
		x.Key, _ = workloads.KeyOf(w) // nil: rows do not tell
	}
	if output.Again { // else a row that is made again may be another
		if alone, ok := w.(workloads.Alone); ok {
			x.Alone = alone.AppendCanonical
		}
	}
	x.Coordinated, x.Logs, x.NoneUseless = p.HasRounds(), p.Logs, p.NoneUseless
	x.Captures, x.Rollback = check.Captures(p.Captures), check.Scope(p.Rollback)
	x.Resends = p.Rollback == dataflow.ScopeTask
	x.Replays = x.Resends && p.NonDeterminism != dataflow.Tolerated // a task that restarts alone does again what it did
}

// layout tells the checker how checkpoint storage is laid out.
func layout(p dataflow.Properties) check.Layout {
	var scratch dataflow.Snapshot
	l := check.Layout{Roots: roots, EpochOf: epochOfObject, OwnerOf: ownerOfObject}
	l.SnapshotKey = func(t id.TaskID, e id.Epoch) string { return string(dataflow.SnapshotKey(t, e)) }
	l.SavepointRoot, l.Apart = coordinator.SavepointRoot, func(key string) bool { return strings.HasPrefix(key, coordinator.SavepointPrefix) }
	l.References = func(key string, data []byte) ([]string, error) { return references(&scratch, key, data) }
	l.Over = func(key string, data []byte) bool {
		if _, ok := coordinator.AttemptOfPlan(key); !ok {
			return false
		}
		p, err := coordinator.DecodePlan(data)
		return err == nil && p.Over()
	}
	if p.HasRounds() {
		l.Segment = segmentOfLog
		l.Left = coordinator.LeftIn
		l.RecordKey = func(e id.Epoch) string { return (&coordinator.Record{Epoch: e}).Key() }
	} else {
		l.Roots = newestRoots
	}
	if p.Logs {
		l.LogKey = recoveryline.LogKey
	}
	return l
}

// references returns what an object needs: a record its shares and their files,
// a snapshot, which is decoded into s, its files.
func references(s *dataflow.Snapshot, key string, data []byte) ([]string, error) {
	switch {
	case strings.HasPrefix(key, coordinator.RecordPrefix):
		return coordinator.ReferencesOf(data)
	case strings.HasPrefix(key, coordinator.SnapshotPrefix):
		if err := s.Decode(data); err != nil {
			return nil, err
		}
		var keys []string
		for _, f := range s.Handle.Files {
			keys = append(keys, f.Name)
		}
		return keys, nil
	case strings.HasPrefix(key, coordinator.PlanPrefix):
		_, err := coordinator.DecodePlan(data)
		return nil, err
	}
	return nil, nil
}

// roots are the objects that stand for their own sake: records, the newest plan, the newest lease.
func roots(keys []string) []string {
	out := newestNumbered(keys)
	for _, k := range keys {
		if strings.HasPrefix(k, coordinator.RecordPrefix) {
			out = append(out, k)
		}
	}
	return out
}

// newestNumbered returns the key of the plan with the highest number, if there is one: a
// coordinator that starts reads no other, whether or not it was executed. And the key
// of the newest lease, which says who leads.
func newestNumbered(keys []string) []string {
	plan, number := "", id.Attempt(0)
	lease, claim := "", uint64(0)
	for _, k := range keys {
		if n, ok := coordinator.AttemptOfPlan(k); ok && n >= number {
			plan, number = k, n
		}
		if n, ok := coordinator.NumberOfLease(k); ok && n >= claim {
			lease, claim = k, n
		}
	}
	out := make([]string, 0, 8) // with room for what else is a root
	for _, k := range [...]string{plan, lease} {
		if k != "" {
			out = append(out, k)
		}
	}
	return out
}

// withLeases are the roots of a run in which leases are renewed to its end: all of them
// besides, as the older ones go when the newest is confirmed.
func withLeases(roots func(keys []string) []string) func(keys []string) []string {
	return func(keys []string) []string {
		out := roots(keys)
		for _, k := range keys {
			if _, ok := coordinator.NumberOfLease(k); ok {
				out = append(out, k)
			}
		}
		return out
	}
}

// newestRoots are the newest plan and lease and the newest snapshot of each task: without
// job-wide records the end of the line is all that is kept.
func newestRoots(keys []string) []string {
	out := newestNumbered(keys)
	newest := map[string]string{}
	var order []string
	for _, k := range keys {
		if !strings.HasPrefix(k, coordinator.SnapshotPrefix) {
			continue
		}
		task := k[:strings.LastIndexByte(k, '/')]
		old, ok := newest[task]
		if !ok {
			order = append(order, task)
		}
		if e, _ := coordinator.EpochOfKey(k); !ok || e > epochOf(old) {
			newest[task] = k
		}
	}
	for _, t := range order {
		out = append(out, newest[t])
	}
	return out
}

// epochOfObject returns the epoch in a name; a plan comes before all of its attempt.
func epochOfObject(key string) (id.Epoch, bool) {
	if n, ok := coordinator.AttemptOfPlan(key); ok {
		return id.MakeEpoch(n, 0), true
	}
	return coordinator.EpochOfKey(key)
}

// ownerOfObject returns whose snapshot an object is, or belongs to.
func ownerOfObject(key string) (o check.Owner, ok bool) {
	o.Task, o.Epoch, ok = coordinator.OwnerOfKey(key)
	o.Whole = strings.HasPrefix(key, coordinator.SnapshotPrefix)
	return o, ok
}

// segmentOfLog tells segments of a log of changes by their names.
func segmentOfLog(key string) bool {
	e, ok := coordinator.EpochOfKey(key)
	if !ok || e.Index() != id.MaxIndex {
		return false
	}
	_, name, _ := strings.Cut(key[strings.LastIndexByte(key, '/')+1:], "-")
	return changelog.IsSegment(name)
}

func epochOf(key string) id.Epoch {
	e, _ := coordinator.EpochOfKey(key)
	return e
}
