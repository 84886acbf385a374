package job

import (
	"weir/internal/bench/machine"
	"weir/live"
)

// mark is one reading of everything that only grows.
type mark struct {
	at      int64 // since the epoch
	records int64 // out of the sources, over all processes
	user    int64 // ns of CPU time
	system  int64
	spent   int64 // ns in the sources
	writes  int64 // bytes the process caused to be written to storage; unknown: not told here
	device  int64 // bytes the device has written; or unknown
	storage int64 // bytes written to checkpoint storage
	logs    int64 // of them to channel logs
	local   int64 // bytes written by the state store to its local directory
	put     int64 // bytes of keys and values put into the state store
	payload int64 // bytes of records on channels
	control int64 // bytes of control items, messages and piggyback
	late    int64 // records given up as too late
}

// take reads everything; before a job is started, j is nil.
func (w *watcher) take(j *live.Job) mark {
	r := w.r
	m := mark{at: r.spec.Clock(), spent: r.spent.Load()}
	m.records, _ = r.counters.Emitted(r.spec.NumSplits())
	m.user, m.system = machine.ProcessorTime()
	m.writes, m.device = machine.ProcessWrites(), machine.DeviceWrites(r.spec.Dir)
	m.storage, m.logs = r.storageFS.written.Load(), r.storageFS.logBytes.Load()
	m.local = r.localFS.written.Load()
	if b, ok := r.backend.(interface{ BytesPut() int64 }); ok {
		m.put = b.BytesPut()
	}
	if j == nil {
		return m
	}
	for _, t := range j.Stats() {
		m.payload += int64(t.BytesOut)
		m.control += int64(t.StampBytes + t.ControlBytes)
		m.late += int64(t.LateRecords)
	}
	return m
}
