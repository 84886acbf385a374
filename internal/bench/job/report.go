package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/HdrHistogram/hdrhistogram-go"

	"weir/internal/bench/machine"
	"weir/live"
	"weir/results"
	"weir/results/stat"
	"weir/trace/cost"
)

// Report is what a child process has measured. Times are nanoseconds.
type Report struct {
	WallNanos    int64 `json:"wall"`
	Records      int64 `json:"records"` // out of the sources in the measured time
	UserNanos    int64 `json:"user"`
	SystemNanos  int64 `json:"system"`
	SourceNanos  int64 `json:"source"`       // of CPU time within the sources
	WriteBytes   int64 `json:"write_bytes"`  // or unknown
	DeviceBytes  int64 `json:"device_bytes"` // or unknown
	StorageBytes int64 `json:"storage_bytes"`
	LogBytes     int64 `json:"log_bytes"`
	LocalBytes   int64 `json:"local_bytes"` // written by the state store
	PutBytes     int64 `json:"put_bytes"`   // put into it
	PayloadBytes int64 `json:"payload_bytes"`
	ControlBytes int64 `json:"control_bytes"`
	PeakMemory   int64 `json:"peak_memory"`
	// LateRecords were given up as too late; nil: no operator looks at event time.
	LateRecords *int64 `json:"late_records,omitempty"`
	Backlog     int64  `json:"backlog"`
	// Unoffered are records that were due in the measured time and that the
	// sources had not taken when the input was ended: nobody knows their latency.
	Unoffered int64 `json:"unoffered,omitempty"`
	// Overload: the rate was above capacity.
	Overload bool `json:"overload,omitempty"`

	// Untimed says why there are no latencies, if rows cannot have any.
	Untimed string `json:"untimed,omitempty"`
	// Processing and Visible are HDR histograms in their standard encoding.
	Processing []byte                  `json:"processing,omitempty"`
	Visible    []byte                  `json:"visible,omitempty"`
	OutOfRange int64                   `json:"out_of_range"`
	Timeline   []results.TimelinePoint `json:"timeline,omitempty"`

	Began int64 `json:"began"` // since the epoch
	// Checkpoints are those of an algorithm with rounds; without, each is one task's snapshot.
	Checkpoints []live.Checkpoint `json:"checkpoints,omitempty"`
	Aborted     int               `json:"aborted"`
	Useless     int               `json:"useless"`     // snapshots of single tasks that no recovery line can use
	StateBytes  int64             `json:"state_bytes"` // 0: no snapshot tells
	LineAge     int64             `json:"line_age"`    // of the recovery line, median over the measured time
	Notes       []string          `json:"notes,omitempty"`
	Unsteady    bool              `json:"unsteady,omitempty"`
}

// split divides the asynchronous part of a checkpoint into writing, no sync being
// under way, and the syncs: it ends where the last task is durable, and lasts at
// most as long as the other parts leave, so that work of different tasks side by
// side is not counted twice.
func (w *watcher) split(c live.Checkpoint) live.Checkpoint {
	of := &c.Cost
	end := c.Completed - of.Get(cost.Metadata) - of.Get(cost.Ack)
	left := of.Get(cost.Total)
	for _, p := range cost.Stages() {
		if p != cost.Async {
			left -= of.Get(p)
		}
	}
	long := max(min(of.Get(cost.Async)+of.Get(cost.Put), left), 0)
	syncs := w.r.storageFS.syncing(end-long, end)
	of.Set(cost.Async, long-syncs).Set(cost.Fsync, syncs).Forget(cost.Put)
	return c
}

const reportFile = "report.json"

func (w *watcher) report(j *live.Job, result *live.Result) *Report {
	a, b := w.began, w.until
	p := &Report{
		WallNanos: b.at - a.at, Records: b.records - a.records, UserNanos: b.user - a.user, SystemNanos: b.system - a.system,
		SourceNanos: b.spent - a.spent, WriteBytes: machine.Grown(a.writes, b.writes), DeviceBytes: machine.Grown(a.device, b.device),
		StorageBytes: b.storage - a.storage, LogBytes: b.logs - a.logs, LocalBytes: b.local - a.local, PutBytes: b.put - a.put,
		PayloadBytes: b.payload - a.payload, ControlBytes: b.control - a.control, PeakMemory: machine.PeakMemory(), Began: a.at,
		Unsteady: w.unsteady,
	}
	for _, f := range result.Failures {
		p.Notes = append(p.Notes, fmt.Sprintf("task %s failed and was restarted: %v", f.Task, f.Err))
	}
	w.addLate(p, j)
	w.addSnapshots(p)
	w.addLatencies(p)
	w.addBacklog(p)
	return p
}

// addLate counts the late records of the measured time; of a finite run all.
func (w *watcher) addLate(p *Report, j *live.Job) {
	if !w.eventTime {
		return
	}
	n := w.until.late - w.began.late
	if !w.r.spec.Timed() {
		n = w.take(j).late
	}
	p.LateRecords = &n
}

// addSnapshots reports what was triggered in the measured time; of a finite run
// everything, with the checkpoint that ends it.
func (w *watcher) addSnapshots(p *Report) {
	log := history{log: &w.r.checkpoints, started: w.started}
	from, to := w.began.at, w.until.at
	p.LineAge = medianAge(log.line(w.tasks), from, to)
	if !w.r.spec.Timed() {
		from, to = 0, math.MaxInt64
	}
	p.Checkpoints = w.checkpointsWithin(from, to)
	p.Aborted, p.Useless = log.wasted(from, to)
	p.StateBytes = log.stateBytes(to)
}

// checkpointsWithin returns the checkpoints triggered between two moments.
func (w *watcher) checkpointsWithin(from, to int64) []live.Checkpoint {
	var all []live.Checkpoint
	add := func(c live.Checkpoint) {
		if c.Triggered >= from && c.Triggered < to {
			all = append(all, w.split(c))
		}
	}
	for _, c := range w.r.checkpoints.Completed() {
		add(c)
	}
	for _, s := range w.r.checkpoints.Local() {
		add(live.Checkpoint{Epoch: s.Epoch, Triggered: s.Begun, Completed: s.Stored, Cost: s.Cost, Tasks: 1, LongestSync: s.Task})
	}
	return all
}

func (w *watcher) addLatencies(p *Report) {
	if !w.r.isOpen() {
		return
	}
	if w.r.untimed != nil {
		p.Untimed = w.r.untimed.Error()
		return
	}
	sum := merge(w.r.processing)
	p.Timeline = sum.points()
	p.OutOfRange = sum.outside + w.r.visible.outside
	p.Processing, p.Visible = encode(sum.all), encode(w.r.visible.all)
}

func encode(h *hdrhistogram.Histogram) []byte {
	if h.TotalCount() == 0 {
		return nil
	}
	data, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		return nil
	}
	return data
}

// addBacklog judges whether the load was more than the job could take: the lag
// rises for certain, and a tenth of a second's records are waiting at the end.
func (w *watcher) addBacklog(p *Report) {
	rate := w.r.spec.Rate
	if rate == 0 || len(w.lags) < 2 || w.r.spec.Killed {
		return
	}
	p.Backlog = w.lags[len(w.lags)-1].value
	if limit, ok := w.r.counters.Limit(); ok {
		p.Unoffered = max(w.r.schedule.dueTotal(w.r.counters.Get(CounterBegan)+int64(w.r.spec.Measure))-limit*int64(w.r.schedule.splits), 0)
	}
	step := max(len(w.lags)/200, 1)
	var x, y []float64
	for i := 0; i < len(w.lags); i += step {
		x, y = append(x, float64(w.lags[i].at)/1e9), append(y, float64(w.lags[i].value))
	}
	if s, err := stat.TheilSen(x, y); err == nil && s.Lo > 0 && s.Slope > float64(rate)/100 && p.Backlog > rate/10 {
		p.Overload = true
		p.Notes = append(p.Notes, fmt.Sprintf("the rate of %d records/s is above capacity: the backlog grew by %.0f records/s and was %d records at the end; latencies would say how long the run was, nothing else, and are not given", rate, s.Slope, p.Backlog))
	}
}

func (p *Report) write(dir string) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, reportFile), data, 0o644)
}

func ReadReport(dir string) (*Report, error) {
	data, err := os.ReadFile(filepath.Join(dir, reportFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the job's process ended without a report")
	}
	var p Report
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil {
		return nil, fmt.Errorf("report of the job's process: %w", err)
	}
	return &p, nil
}
