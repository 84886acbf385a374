package inspect

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/state/savepoint"
)

// Kind is what has been found.
type Kind string

// The kinds.
const (
	Checkpoint Kind = "checkpoint" // with a record, or of a round that has none yet
	Savepoint  Kind = "savepoint"
	// Local: each task's newest snapshot of its own, of an algorithm without rounds.
	// They need not fit together: which do is known to the job's coordinator.
	Local Kind = "local"
)

// Found is one snapshot of a job as a listing shows it.
type Found struct {
	Kind     Kind     `json:"kind"`
	Path     string   `json:"path"` // by which Open opens it
	Job      string   `json:"job"`
	Epoch    id.Epoch `json:"-"`
	EpochOf  string   `json:"epoch"`
	Tasks    int      `json:"tasks"`
	Bytes    int64    `json:"bytes"` // of all objects that it needs
	Complete bool     `json:"complete"`
	Why      string   `json:"why,omitempty"` // it is not complete

	place place
	root  string           // of a savepoint
	parts []string         // snapshot objects, by task, of what has no record
	sizes map[string]int64 // of all objects of the place
}

// List returns what stands at a path, or within or directly below it: by path, kind
// and epoch.
func List(fsys vfs.FS, path string) ([]Found, error) {
	at, err := places(fsys, path)
	if err != nil {
		return nil, err
	}
	var all []Found
	for i := range at {
		found, err := at[i].find(fsys)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// find lists one place.
func (p *place) find(fsys vfs.FS) ([]Found, error) {
	rows, err := p.list()
	if err != nil {
		return nil, err
	}
	sizes := map[string]int64{}
	for _, r := range rows {
		sizes[r.Key] = r.Size
	}
	var all []Found
	var snapshots []string
	used := map[string]bool{}
	records := false
	for _, r := range rows {
		name := strings.TrimPrefix(r.Key, p.prefix)
		switch {
		case name == savepoint.ManifestName || strings.HasSuffix(name, "/"+savepoint.ManifestName):
			all = append(all, p.savepoint(fsys, strings.TrimSuffix(strings.TrimSuffix(r.Key, savepoint.ManifestName), "/"), sizes))
		case strings.HasPrefix(r.Key, coordinator.RecordPrefix):
			records = true
			all = append(all, p.checkpoint(r, sizes, used))
		case strings.HasPrefix(r.Key, coordinator.SnapshotPrefix):
			snapshots = append(snapshots, r.Key)
		}
	}
	snapshots = slices.DeleteFunc(snapshots, func(key string) bool { return used[key] })
	if records {
		all = append(all, p.unrecorded(snapshots, sizes)...)
	} else if len(snapshots) > 0 {
		all = append(all, p.local(snapshots, sizes))
	}
	slices.SortStableFunc(all, func(a, b Found) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Epoch, b.Epoch))
	})
	for i := range all {
		all[i].EpochOf = all[i].Epoch.String()
		all[i].sizes = sizes
	}
	return all, nil
}

// checkpoint lists the checkpoint of a record, and notes the snapshots that it uses.
func (p *place) checkpoint(row state.Entry, sizes map[string]int64, used map[string]bool) Found {
	f := Found{Kind: Checkpoint, place: *p, Bytes: row.Size, Complete: true}
	f.Epoch, _ = coordinator.EpochOfKey(row.Key)
	f.Path = p.path + "@" + f.Epoch.String()
	data, err := get(p.storage, row.Key)
	var record *coordinator.Record
	if err == nil {
		record, err = coordinator.DecodeRecord(data)
	}
	if err != nil {
		f.lacks("its record cannot be read: %v", err)
		return f
	}
	f.Job, f.Tasks = record.Job, len(record.Parts)
	for i := range record.Parts {
		used[string(record.Parts[i].Ref)] = true
	}
	for _, key := range record.References() {
		f.needs(key, sizes)
	}
	return f
}

// needs counts an object that must be there.
func (f *Found) needs(key string, sizes map[string]int64) {
	size, ok := sizes[key]
	if !ok {
		f.lacks("%s is missing", key)
	}
	f.Bytes += size
}

// lacks notes the first thing that makes it incomplete.
func (f *Found) lacks(format string, args ...any) {
	if f.Complete {
		f.Complete, f.Why = false, fmt.Sprintf(format, args...)
	}
}

// unrecorded lists rounds without a record, by epoch.
func (p *place) unrecorded(snapshots []string, sizes map[string]int64) []Found {
	by := map[id.Epoch]*Found{}
	var all []*Found
	for _, key := range snapshots {
		e, ok := coordinator.EpochOfKey(key)
		if !ok {
			continue
		}
		f := by[e]
		if f == nil {
			f = &Found{Kind: Checkpoint, place: *p, Epoch: e, Path: p.path + "@" + e.String(), Why: "it has no record: the round did not complete"}
			by[e] = f
			all = append(all, f)
		}
		f.Tasks++
		f.Bytes += sizes[key]
		f.parts = append(f.parts, key)
	}
	out := make([]Found, len(all))
	for i, f := range all {
		out[i] = *f
	}
	return out
}

// local lists the newest snapshot of each task.
func (p *place) local(snapshots []string, sizes map[string]int64) Found {
	f := Found{Kind: Local, place: *p, Path: p.path, Why: "there are no records: of snapshots that each task takes for itself the coordinator says which fit together"}
	newest := map[id.TaskID]id.Epoch{}
	keys := map[id.TaskID]string{}
	var tasks []id.TaskID
	for _, key := range snapshots {
		t, e, ok := coordinator.OwnerOfKey(key)
		if !ok {
			continue // no name of ours
		}
		if _, known := keys[t]; !known {
			tasks = append(tasks, t)
		}
		if keys[t] == "" || e > newest[t] {
			newest[t], keys[t] = e, key
		}
		f.Epoch = max(f.Epoch, e)
	}
	slices.Sort(tasks)
	if len(tasks) == 0 {
		return f
	}
	for _, t := range tasks {
		f.parts = append(f.parts, keys[t])
		f.Bytes += sizes[keys[t]]
	}
	f.Tasks = len(tasks)
	if data, err := get(p.storage, f.parts[0]); err == nil {
		if snap, err := dataflow.DecodeSnapshot(data); err == nil {
			f.Job = snap.Job
		}
	}
	return f
}

// savepoint lists the savepoint below a root.
func (p *place) savepoint(fsys vfs.FS, root string, sizes map[string]int64) Found {
	f := Found{Kind: Savepoint, place: *p, root: root, Path: p.named(fsys, root), Complete: true, Bytes: sizes[savepoint.ManifestKey(root)]}
	s, err := savepoint.Open(p.storage, root)
	if err != nil {
		f.lacks("%v", err)
		return f
	}
	f.Job, f.Epoch = s.Job, s.Epoch
	for i := range s.Operators {
		o := &s.Operators[i]
		f.Tasks += len(o.Parts)
		for k, ref := range o.Parts {
			f.needs(savepoint.IndexKey(root, ref.Task), sizes)
			part, err := s.Part(o, k)
			if err != nil {
				f.lacks("%v", err)
				continue
			}
			for n := range part.Files {
				f.needs(savepoint.DataKey(root, ref.Task, n), sizes)
			}
		}
	}
	return f
}
