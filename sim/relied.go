package sim

import (
	"slices"

	"weir/dataflow"
	"weir/id"
)

// relied is what a job without rounds has let go of because its snapshots are durable: its logs,
// behind the recovery line. Storage that has lost a snapshot on the line, and said that it is
// there, has lost that with it, as no coordinator that starts can know where the line was.
type relied struct {
	line    []id.Epoch // by task: the newest of its snapshots that were on the line; 0: none
	trimmed []string   // keys of logs
}

func (r *relied) reset() { r.line, r.trimmed = r.line[:0], r.trimmed[:0] }

// advanced notes that a snapshot is on the line. The line only moves forward, but for a job that
// goes back behind a damaged snapshot on it: the logs were trimmed for that one.
func (r *relied) advanced(t id.TaskID, e id.Epoch) {
	for len(r.line) <= int(t) {
		r.line = append(r.line, 0)
	}
	r.line[t] = max(r.line[t], e)
}

// trim notes that a log was trimmed.
func (r *relied) trim(key string) {
	if !slices.Contains(r.trimmed, key) {
		r.trimmed = append(r.trimmed, key)
	}
}

// lost returns the logs that were trimmed, if a fault has destroyed a snapshot on the line.
func (r *relied) lost(destroyed []string) []string {
	for t, e := range r.line {
		if e != 0 && slices.Contains(destroyed, string(dataflow.SnapshotKey(id.TaskID(t), e))) {
			return r.trimmed
		}
	}
	return nil
}
