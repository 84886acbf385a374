package inspect

import (
	"errors"
	"fmt"
	"strings"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/catalog"
	"weir/state/changelog"
	"weir/state/savepoint"
)

// openCheckpoint opens a checkpoint with a record, or the snapshots of tasks that
// have none.
func openCheckpoint(cfg *Config, f *Found) (*Snapshot, error) {
	s := &Snapshot{Found: *f, Groups: cfg.groups()}
	shares, err := f.shares()
	if err != nil {
		return nil, err
	}
	for _, x := range shares {
		t := s.read(cfg, x)
		if n := len(s.Operators); n == 0 || s.Operators[n-1].Name != t.Operator {
			s.Operators = append(s.Operators, &Operator{Name: t.Operator})
		}
		o := s.Operators[len(s.Operators)-1]
		o.Tasks = append(o.Tasks, t)
	}
	for _, o := range s.Operators {
		for _, t := range o.Tasks {
			t.Instances = len(o.Tasks)
			t.Groups = state.GroupsOf(t.Instance, t.Instances, s.Groups)
		}
	}
	return s, nil
}

// share is what a record says of one task.
type share struct {
	task id.TaskID
	key  string
	left bool
	// operator and instance are its place by the shape of the record; without a record
	// the operator is not known.
	operator string
	instance int
}

// shares returns the shares of a checkpoint, by task.
func (f *Found) shares() ([]share, error) {
	var all []share
	if f.parts != nil {
		for _, key := range f.parts {
			t, _, _ := coordinator.OwnerOfKey(key)
			all = append(all, share{task: t, key: key})
		}
		return all, nil
	}
	data, err := get(f.place.storage, (&coordinator.Record{Epoch: f.Epoch}).Key())
	if err != nil {
		return nil, err
	}
	record, err := coordinator.DecodeRecord(data)
	if err != nil {
		return nil, fmt.Errorf("record of checkpoint %v: %w", f.Epoch, err)
	}
	for i := range record.Parts {
		p := &record.Parts[i]
		all = append(all, share{task: id.TaskID(i), key: string(p.Ref), left: p.Left})
	}
	i := 0
	for _, o := range record.Shape {
		for k := range o.Parallelism {
			if i < len(all) {
				all[i].operator, all[i].instance = o.Name, k
			}
			i++
		}
	}
	if i != len(all) {
		return nil, fmt.Errorf("record of checkpoint %v: %w: %d shares for the %d tasks of its shape", f.Epoch, state.ErrCorrupt, len(all), i)
	}
	return all, nil
}

// read reads a snapshot object. One that cannot be read is what the record's shape
// says; without a record it counts as an operator by itself.
func (s *Snapshot) read(cfg *Config, x share) *Task {
	t := &Task{Object: x.key, Left: x.left, Bytes: s.sizes[x.key]}
	t.ID, t.Operator, t.Instance = x.task, x.operator, x.instance
	if t.Operator == "" {
		t.Operator = fmt.Sprintf("(task t%d)", x.task)
	}
	data, err := get(s.place.storage, x.key)
	var snap *dataflow.Snapshot
	if err == nil {
		snap, err = dataflow.DecodeSnapshot(data)
	}
	if err == nil {
		_, err = state.ListsOf(&snap.Handle)
	}
	if err == nil {
		t.ahead = len(snap.Ahead) > 0
	}
	if err != nil {
		t.Damage = fmt.Errorf("%s: %w", x.key, err)
		return t
	}
	if s.Job == "" {
		s.Job = snap.Job
	}
	if x.operator != "" && (snap.Task != x.operator || snap.Index != x.instance) {
		t.Damage = fmt.Errorf("%s: %w: it is that of %s[%d], the record's shape says %s[%d]", x.key, state.ErrCorrupt, snap.Task, snap.Index, x.operator, x.instance)
		return t
	}
	h := &snap.Header
	t.Task = savepoint.Task{
		ID: x.task, Operator: snap.Task, Instance: snap.Index, Watermark: h.Watermark, Firing: h.Firing, Advancing: h.Advancing,
		Drained: h.Drained, Pending: h.Pending, Finished: h.Finished, Own: snap.Handle.Operator,
	}
	for _, sp := range h.Splits {
		t.Splits = append(t.Splits, savepoint.Split{Split: sp.Split, Offset: sp.Offset, Watermark: sp.Watermark, Ended: sp.Ended})
	}
	t.Backend = snap.Handle.Backend
	for i := range snap.Handle.Files {
		t.Bytes += snap.Handle.Files[i].Size
	}
	t.countInFlight(snap)
	t.source = &stored{task: t, cfg: cfg, in: s, handle: snap.Handle, positions: positionsOf(h)}
	return t
}

// countInFlight counts what the snapshot captured of channels. What a task that has
// left had captured was handled long ago.
func (t *Task) countInFlight(s *dataflow.Snapshot) {
	if t.Left {
		return
	}
	for _, side := range [][]dataflow.CapturedBuffer{s.In, s.Out} {
		for _, c := range side {
			t.InFlight++
			t.Records += int(c.Buffer.Records)
		}
	}
}

// positions are how far the channels of a task had come, added up: what is sent and
// not delivered is in flight, whether it was captured or stands in a log.
type positions struct {
	sealed, delivered uint64
	beyond            bool // something was delivered out of order
}

func positionsOf(h *dataflow.Header) positions {
	var p positions
	for _, at := range h.Sealed {
		p.sealed += uint64(at)
	}
	for i, at := range h.Delivered {
		p.delivered += uint64(at)
		p.beyond = p.beyond || h.Inputs[i].Beyond != nil
	}
	return p
}

// stored reads the share of a task of a checkpoint, by the backend that wrote it.
type stored struct {
	task      *Task
	cfg       *Config
	in        *Snapshot
	handle    state.Handle
	positions positions
	opened    int // stores so far, for the names of their directories
}

func (s *stored) open(lost func(Loss)) (state.Content, func() error, error) {
	store, err := s.restore(everyGroup)
	if err == nil || lost == nil || !isDamage(err) {
		if err != nil {
			return nil, nil, err
		}
		return store, store.Close, nil
	}
	return s.salvage(lost)
}

// everyGroup has all key groups that there can be: how many the job had is not for
// sure.
var everyGroup = state.GroupRange{Lo: 0, Hi: 1<<16 - 1}

// isDamage tells damaged and missing objects from other errors.
func isDamage(err error) bool {
	var op *state.OpError
	return errors.Is(err, state.ErrCorrupt) || errors.As(err, &op) && op.Status == state.NotFound
}

// restore restores key groups of the share into a store of their own.
func (s *stored) restore(groups state.GroupRange) (state.Store, error) {
	name, logged := changelog.Within(s.handle.Backend)
	kind, err := catalog.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.task.Object, err)
	}
	backend, err := kind.New(s.cfg.Settings)
	if err != nil {
		return nil, err
	}
	o := state.Open{Task: s.task.ID, Groups: groups, Instances: 1, Keyed: true}
	if kind.Local {
		s.opened++
		o.FS, o.Dir = s.cfg.FS, s.cfg.FS.PathJoin(s.cfg.Scratch, fmt.Sprintf("%s-t%d-%d", s.in.Epoch, s.task.ID, s.opened))
	}
	store, err := backend.Open(o)
	if err == nil && logged {
		store, err = changelog.Wrap(store, changelog.Config{Groups: groups})
	}
	if err != nil {
		return nil, err
	}
	tr, err := store.Restore([]state.Handle{s.handle})
	if err == nil {
		err = carryOut(tr, s.in.place.storage)
	}
	opened := &openStore{store, backend}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.task.Name(), err), opened.Close())
	}
	return opened, nil
}

// openStore is a store with the backend that is its own.
type openStore struct {
	state.Store
	backend state.Backend
}

func (s *openStore) Close() error {
	err := s.Store.Close()
	if b, ok := s.backend.(interface{ Close() }); ok {
		b.Close()
	}
	return err
}

// carryOut carries a transfer out on the spot. An operation that goes on failing is
// an error.
func carryOut(tr state.Transfer, st state.Storage) error {
	const tries = 5 // of one operation with an unknown outcome
	failed := 0
	var results []state.Result
	for {
		ops, done, err := tr.Next(results)
		if err != nil || done {
			return err
		}
		results = make([]state.Result, len(ops))
		for i := range ops {
			results[i] = st.Do(ops[i])
			switch {
			case results[i].Status != state.Failed:
				failed = 0
			case failed == tries:
				return &state.OpError{Kind: ops[i].Kind, Key: ops[i].Key, Status: state.Failed, Err: results[i].Err}
			default:
				failed++
			}
		}
	}
}

// salvage restores the key groups one by one, keeps those that can be read, in as
// few stores as there are runs of them, and tells which cannot.
func (s *stored) salvage(lost func(Loss)) (state.Content, func() error, error) {
	good, losses, err := s.probe()
	if err != nil {
		return nil, nil, err
	}
	for _, l := range losses {
		lost(l)
	}
	c := &opened{}
	for _, r := range good {
		store, err := s.restore(r)
		if err != nil {
			return nil, nil, errors.Join(err, c.close())
		}
		c.add(store, store.Close)
	}
	return c, c.close, nil
}

// probe finds the key groups of the task that can be restored, as ranges, and those
// that cannot.
func (s *stored) probe() (good []state.GroupRange, losses []Loss, err error) {
	lost := Loss{Operator: s.task.Operator, Instance: s.task.Instance}
	for g := s.task.Groups.Lo; g < s.task.Groups.Hi; g++ {
		store, err := s.restore(state.GroupRange{Lo: g, Hi: g + 1})
		if err != nil {
			if !isDamage(err) {
				return nil, nil, err
			}
			lost.Groups.Add(g)
			lost.Object, lost.Err = objectOf(err), err
			continue
		}
		if err := store.Close(); err != nil {
			return nil, nil, err
		}
		if n := len(good); n > 0 && good[n-1].Hi == g {
			good[n-1].Hi++
		} else {
			good = append(good, state.GroupRange{Lo: g, Hi: g + 1})
		}
	}
	if lost.Groups != nil {
		losses = []Loss{lost}
	}
	return good, losses, nil
}

func objectOf(err error) string {
	var op *state.OpError
	if errors.As(err, &op) {
		return op.Key
	}
	return ""
}

// verify checks every object as a whole, and that the backend can restore and read
// everything. Where it cannot, it says which key groups are lost.
func (s *stored) verify(r *Report) {
	st := s.in.place.storage
	r.object(st, s.task.Object, s.in.sizes[s.task.Object], nil)
	for i := range s.handle.Files {
		f := &s.handle.Files[i]
		r.object(st, f.Name, f.Size, &sum{f.Size, f.Sum})
	}
	c, closed, err := s.open(r.lost)
	if err != nil {
		r.lost(s.task.lost(objectOf(err), err))
		return
	}
	for _, d := range c.States() {
		c.Entries(d.Name, func(state.KeyedEntry) bool {
			r.Entries++
			return true
		})
	}
	if err := errors.Join(c.Err(), closed()); err != nil {
		r.lost(s.task.lost("", err))
	}
}

// inFlight says what of a checkpoint is in flight; "": nothing is.
func (s *Snapshot) inFlight() string {
	var captured []string
	var p positions
	for _, t := range s.Tasks() {
		if t.InFlight > 0 {
			captured = append(captured, fmt.Sprintf("%s has %d buffers with %d records", t.Name(), t.InFlight, t.Records))
		}
		if x, ok := t.source.(*stored); ok {
			p.sealed += x.positions.sealed
			p.delivered += x.positions.delivered
			p.beyond = p.beyond || x.positions.beyond
		}
	}
	switch {
	case len(captured) > 0:
		return strings.Join(captured, ", ")
	case p.beyond:
		return "channels that reorder had delivered some of what was sent and not what was sent before it"
	case p.sealed != p.delivered:
		return fmt.Sprintf("senders had sent %d items of which receivers had %d", p.sealed, p.delivered)
	}
	return ""
}
