package bench

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"weir/id"
	"weir/internal/bench/job"
	"weir/internal/bench/machine"
	"weir/live"
	"weir/results"
	"weir/results/stat"
	"weir/trace/cost"
)

// judge checks the output and, if it is what it must be, makes the numbers.
func (m *measurement) judge() (*Outcome, error) {
	r := m.r
	o := &Outcome{Sample: results.Sample{Cell: r.Cell, Block: r.Block, Repetition: r.Number, Seed: r.Seed}}
	c, err := checkOutput(&m.spec, m.counters, r)
	if err != nil {
		return nil, err
	}
	o.Sample.Output, o.Sample.OutputDigest, o.Sample.ExpectedDigest, o.Why = c.verdict, c.digest, c.expected, c.why
	if c.verdict == results.OutputWrong {
		o.Sample.Warnings = append(o.Sample.Warnings, "the committed output was wrong: "+c.why.Error())
		return o, nil
	}
	p, err := job.ReadReport(m.spec.Dir)
	if err != nil {
		return nil, err
	}
	o.Sample.Warnings = append(o.Sample.Warnings, p.Notes...)
	if o.Unsteady = p.Unsteady; o.Unsteady {
		o.Sample.Warnings = append(o.Sample.Warnings, unsteady)
	}
	if r.Cell.Kill {
		return o, m.addRecovery(&o.Sample, p)
	}
	if err := m.addNumbers(&o.Sample, p); err != nil {
		return nil, err
	}
	o.Processing, o.Visible, err = m.addLatencies(&o.Sample, p)
	return o, err
}

// unsteady is the warning of a repetition that was not steady.
const unsteady = "throughput, or the bytes of checkpoints, were not steady when measuring began: warming up came to its limit first"

// setter collects metrics until the first that the table does not have.
type setter struct {
	s   *results.Sample
	err error
}

func (t *setter) set(name string, v float64) {
	if t.err == nil {
		t.err = t.s.Set(name, v)
	}
}

func (m *measurement) addNumbers(s *results.Sample, p *job.Report) error {
	t := &setter{s: s}
	seconds, cpu := float64(p.WallNanos)/1e9, float64(p.UserNanos+p.SystemNanos)/1e9
	if m.r.Cell.Load == results.ClosedLoop {
		addThroughput(t, float64(p.Records), seconds, cpu)
	}
	t.set("duration_s", seconds)
	t.set("cpu_user_s", float64(p.UserNanos)/1e9)
	t.set("cpu_system_s", float64(p.SystemNanos)/1e9)
	t.set("peak_memory_bytes", float64(p.PeakMemory))
	if p.WriteBytes != machine.Unknown {
		t.set("process_write_bytes", float64(p.WriteBytes))
	}
	if p.DeviceBytes != machine.Unknown {
		t.set("device_write_bytes", float64(p.DeviceBytes))
	}
	if p.PutBytes > 0 {
		t.set("write_amplification", float64(p.LocalBytes)/float64(p.PutBytes))
	}
	if p.LateRecords != nil {
		t.set("late_records", float64(*p.LateRecords))
	}
	if m.algorithm.Logs() {
		t.set("log_bytes", float64(p.LogBytes))
	}
	if p.PayloadBytes > 0 {
		t.set("overhead_ratio", float64(p.ControlBytes)/float64(p.PayloadBytes))
	}
	if cpu > 0 && p.SourceNanos > 0 {
		t.set("generator_share", float64(p.SourceNanos)/1e9/cpu)
	}
	if beside := m.speed.Times; len(beside) > 0 {
		t.set("calibration_ms", stat.Median(beside))
	}
	m.addCheckpoints(t, p)
	return t.err
}

// leastTime is the measured time below which a throughput says little.
const leastTime = 0.1 // seconds

func addThroughput(t *setter, records, seconds, cpu float64) {
	if records > 0 && seconds > 0 {
		t.set("throughput", records/seconds)
	}
	if records > 0 && cpu > 0 {
		t.set("throughput_per_cpu", records/cpu)
	}
	if seconds < leastTime {
		t.s.Warnings = append(t.s.Warnings, fmt.Sprintf("the input was taken in %.1f ms: too short for a throughput to mean much, give it more records", 1e3*seconds))
	}
}

func (m *measurement) addCheckpoints(t *setter, p *job.Report) {
	if !m.snapshots() {
		return
	}
	rounds := p.Checkpoints
	if m.algorithm.IsLocal() {
		rounds = byEpoch(rounds)
	}
	t.set("checkpoints_completed", float64(len(rounds)))
	t.set("checkpoints_failed", float64(p.Aborted))
	t.set("useless_checkpoints", float64(p.Useless))
	t.set("recovery_line_age_ms", float64(p.LineAge)/1e6)
	if p.StateBytes > 0 {
		t.set("state_bytes", float64(p.StateBytes))
	}
	if len(rounds) == 0 {
		t.s.Warnings = append(t.s.Warnings, "no checkpoint was triggered and completed within the measured time: it is too short for this interval")
		return
	}
	values := map[cost.Part][]float64{}
	for i := range rounds {
		c := results.Checkpoint{TriggerMS: float64(rounds[i].Triggered-p.Began) / 1e6, Cost: cost.InResults(&rounds[i].Cost)}
		t.s.Checkpoints = append(t.s.Checkpoints, c)
		for _, part := range cost.Parts() {
			if c.Cost.Has(part) {
				values[part] = append(values[part], c.Cost.Get(part))
			}
		}
	}
	for _, part := range cost.Parts() {
		if name := part.Definition().Metric; name != "" && len(values[part]) > 0 {
			t.set(name, stat.Median(values[part]))
		}
	}
	if median := stat.Median(values[cost.Total]); median > m.r.Cell.IntervalMS {
		t.s.Warnings = append(t.s.Warnings, fmt.Sprintf("a checkpoint takes %.0f ms and was to be taken every %.0f ms: the interval is shorter than a checkpoint, and the next begins when the last is done", median, m.r.Cell.IntervalMS))
	}
}

// byEpoch makes one checkpoint of the snapshots that single tasks took under
// the same number. Those that not all tasks took are left out.
func byEpoch(local []live.Checkpoint) (rounds []live.Checkpoint) {
	of := map[id.Epoch][]live.Checkpoint{}
	most := 0
	for _, c := range local {
		of[c.Epoch] = append(of[c.Epoch], c)
		most = max(most, len(of[c.Epoch]))
	}
	for _, e := range slices.Sorted(maps.Keys(of)) {
		if len(of[e]) < most {
			continue
		}
		c := of[e][0]
		var tasks []cost.Vector[int64]
		for _, x := range of[e] {
			c.Triggered, c.Completed = min(c.Triggered, x.Triggered), max(c.Completed, x.Completed)
			tasks = append(tasks, x.Cost)
		}
		c.Tasks, c.Cost = len(tasks), cost.Fold(tasks)
		rounds = append(rounds, c)
	}
	return rounds
}

func (m *measurement) addLatencies(s *results.Sample, p *job.Report) (processing, visible *hdrhistogram.Histogram, err error) {
	if m.r.Cell.Load != results.OpenLoop {
		return nil, nil, nil
	}
	t := &setter{s: s}
	t.set("offered_rate", float64(m.r.Rate))
	t.set("backlog_records", float64(p.Backlog))
	if p.Untimed != "" {
		s.Warnings = append(s.Warnings, "no latency is given: "+p.Untimed)
		return nil, nil, t.err
	}
	t.set("latencies_out_of_range", float64(p.OutOfRange))
	if p.Overload { // a warning says so
		return nil, nil, t.err
	}
	s.Timeline = p.Timeline
	if p.Unoffered > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("no latency is given: %d records that were due in the measured time were never taken by the sources, and those with a latency are the ones that waited least", p.Unoffered))
		return nil, nil, t.err
	}
	for _, h := range []struct {
		kind results.LatencyKind
		data []byte
		to   **hdrhistogram.Histogram
	}{{results.Processing, p.Processing, &processing}, {results.Visible, p.Visible, &visible}} {
		if len(h.data) == 0 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("no row with a %s latency fell into the measured time", h.kind))
			continue
		}
		hist, err := hdrhistogram.Decode(h.data)
		if err != nil {
			return nil, nil, fmt.Errorf("histogram of the job's process: %w", err)
		}
		began := (m.spec.Epoch + p.Began) / int64(time.Millisecond)
		hist.SetStartTimeMs(began)
		hist.SetEndTimeMs(began + p.WallNanos/int64(time.Millisecond))
		*h.to = hist
		for _, q := range []struct {
			name string
			at   float64
		}{{"p50", 50}, {"p99", 99}, {"p999", 99.9}, {"max", 100}} {
			t.set(fmt.Sprintf("%s_%s_ms", h.kind, q.name), float64(hist.ValueAtQuantile(q.at))/1e6)
		}
	}
	return processing, visible, t.err
}

// addRecovery makes the numbers of a run that was killed.
func (m *measurement) addRecovery(s *results.Sample, p *job.Report) error {
	t := &setter{s: s}
	c := m.counters
	ms := func(at int64) float64 { return float64(at) / 1e6 }
	since := func(at int64) float64 { return ms(at - m.began) }
	s.Recovery = &results.RecoveryRecord{KilledMS: since(m.killed), StartedMS: since(m.restarted), LostRecords: m.lost}
	if at := c.Get(job.CounterReady); at != 0 {
		s.Recovery.RestoredMS = since(at)
		t.set("restore_ms", s.Recovery.RestoredMS-s.Recovery.StartedMS)
	}
	if at := c.Get(job.CounterNew); at != 0 {
		s.Recovery.FirstNewMS = since(at)
		t.set("recovery_ms", ms(at-m.killed))
	} else {
		s.Warnings = append(s.Warnings, fmt.Sprintf("no new record within %s of the kill", mostRecovery))
	}
	if at := c.Get(job.CounterCaught); at != 0 {
		s.Recovery.CaughtUpMS = since(at)
		t.set("caught_up_ms", ms(at-m.killed))
	} else if m.r.Rate > 0 {
		s.Warnings = append(s.Warnings, fmt.Sprintf("the lag was not back at its level within %s of the restart: there is no time of catching up", mostRecovery))
	}
	t.set("lost_work_records", float64(m.lost))
	if m.r.Rate > 0 {
		t.set("offered_rate", float64(m.r.Rate))
	}
	t.set("peak_memory_bytes", float64(p.PeakMemory))
	return t.err
}
