package results

import (
	"fmt"
	"slices"
	"strings"

	"weir/trace/cost"
)

// Direction tells which way a metric improves.
type Direction string

const (
	Higher  Direction = "higher"
	Lower   Direction = "lower"
	Neither Direction = "" // describes, does not judge
)

// Question is what a metric helps to answer; the report has one section each.
type Question string

const (
	Throughput  Question = "throughput"
	Latency     Question = "latency"
	Checkpoints Question = "checkpoints"
	Recovery    Question = "recovery"
	Bytes       Question = "bytes"
	Conditions  Question = "conditions" // under which the others were measured
)

// Units of the metrics.
const (
	RecordsPerSecond    = "records/s"
	RecordsPerCPUSecond = "records/cpu-s"
	Milliseconds        = "ms"
	Seconds             = "s"
	ByteCount           = "bytes"
	Records             = "records"
	Count               = "count"
	RatioUnit           = "ratio"
)

// Metric defines one measured quantity, once for every algorithm.
type Metric struct {
	Name       string    // as in samples, JSON lines and tables
	Unit       string    // of every recorded value
	Better     Direction // which way it improves
	Question   Question
	Definition string // one phrase, for tables and the report
}

// Label is the name in words, without the unit: "processing p99.9".
func (m Metric) Label() string {
	name := m.Name
	for _, unit := range []string{"_ms", "_s", "_bytes", "_records"} {
		if short, ok := strings.CutSuffix(name, unit); ok && m.Unit != RatioUnit {
			name = short
			break
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "_", " "), "p999", "p99.9")
}

// Metrics returns the table of metrics, in the order in which tables show them.
// The slice belongs to the caller.
func Metrics() []Metric {
	return slices.Concat(loadMetrics(), latencyMetrics(), checkpointMetrics(), byteMetrics(),
		recoveryMetrics(), conditionMetrics())
}

func loadMetrics() []Metric {
	return []Metric{
		{"throughput", RecordsPerSecond, Higher, Throughput, "records leaving the sources per second of wall time, closed loop"},
		{"throughput_per_cpu", RecordsPerCPUSecond, Higher, Throughput, "records leaving the sources per second of user and system CPU time of the whole process"},
	}
}

func latencyMetrics() []Metric {
	const processing = " from a record's intended time to its effect leaving the last operator"
	const visible = " from a record's intended time to its output being committed"
	return []Metric{
		{"processing_p50_ms", Milliseconds, Lower, Latency, "median time" + processing},
		{"processing_p99_ms", Milliseconds, Lower, Latency, "99th percentile of the time" + processing},
		{"processing_p999_ms", Milliseconds, Lower, Latency, "99.9th percentile of the time" + processing},
		{"processing_max_ms", Milliseconds, Lower, Latency, "longest time" + processing},
		{"visible_p50_ms", Milliseconds, Lower, Latency, "median time" + visible},
		{"visible_p99_ms", Milliseconds, Lower, Latency, "99th percentile of the time" + visible},
		{"visible_p999_ms", Milliseconds, Lower, Latency, "99.9th percentile of the time" + visible},
		{"visible_max_ms", Milliseconds, Lower, Latency, "longest time" + visible},
	}
}

// costMetrics returns the metrics that show parts of the cost of checkpoints.
func costMetrics(u cost.Unit, unit string, q Question) (all []Metric) {
	for _, p := range cost.Parts() {
		d := p.Definition()
		if d.Unit != u || d.Metric == "" {
			continue
		}
		better := Lower
		if p == cost.Changed {
			better = Neither // what the job did, not the algorithm
		}
		all = append(all, Metric{d.Metric, unit, better, q, d.Meaning})
	}
	return all
}

func checkpointMetrics() []Metric {
	return append(costMetrics(cost.Time, Milliseconds, Checkpoints), []Metric{
		{"recovery_line_age_ms", Milliseconds, Lower, Checkpoints, "age of the newest state from which the job could recover, median over the measured time; with rounds since the trigger of the newest complete checkpoint, without since the oldest snapshot on the recovery line of a total failure"},
		{"checkpoints_completed", Count, Neither, Checkpoints, "checkpoints durable and complete in a repetition"},
		{"checkpoints_failed", Count, Lower, Checkpoints, "rounds triggered in a repetition and given up"},
		{"useless_checkpoints", Count, Lower, Checkpoints, "completed local snapshots that no recovery line can use: those of rounds given up, and without rounds those that the line of a total failure passed over without ever standing on them"},
	}...)
}

func byteMetrics() []Metric {
	return slices.Concat([]Metric{
		{"state_bytes", ByteCount, Neither, Bytes, "size of all keyed state at the end of the measured time, as the newest checkpoint by then says: keys and values; of Pebble its table files, overwritten entries included until they are compacted away"},
	}, costMetrics(cost.Bytes, ByteCount, Bytes), []Metric{
		{"log_bytes", ByteCount, Lower, Bytes, "bytes of message logs written in the measured time"},
		{"process_write_bytes", ByteCount, Lower, Bytes, "bytes the process caused to be written to storage in the measured time (write_bytes of /proc/self/io): pages made dirty, whenever the kernel writes them"},
		{"device_write_bytes", ByteCount, Lower, Bytes, "bytes the device under the job's directory wrote in the measured time, whoever caused them and whenever; left out where the file system has no device of its own"},
		{"write_amplification", RatioUnit, Lower, Bytes, "bytes written by the state store to its local directory, tables, compaction and manifest, over bytes of keys and values put into its database, in the measured time"},
		{"overhead_ratio", RatioUnit, Lower, Bytes, "control and piggyback bytes over payload bytes of records on channels: barriers as they are encoded, messages to and from the coordinator; message logs are log_bytes"},
	})
}

func recoveryMetrics() []Metric {
	return []Metric{
		{"recovery_ms", Milliseconds, Lower, Recovery, "SIGKILL to the first new record processed"},
		{"restore_ms", Milliseconds, Lower, Recovery, "start of the new process to all state restored"},
		{"caught_up_ms", Milliseconds, Lower, Recovery, "SIGKILL to the lag being back at its level before"},
		{"lost_work_records", Records, Lower, Recovery, "records processed again after the kill"},
	}
}

func conditionMetrics() []Metric {
	return []Metric{
		{"offered_rate", RecordsPerSecond, Neither, Conditions, "records per second of the schedule, open loop"},
		{"generator_share", RatioUnit, Neither, Conditions, "share of the CPU time that the load generator takes: one batch in 16 is timed"},
		{"backlog_records", Records, Lower, Conditions, "records due and not yet taken by the sources at the end of a repetition"},
		{"calibration_ms", Milliseconds, Lower, Conditions, "CPU time of the calibration loop beside the job, median over the measured time: longer where processors share a core, or somebody outside takes part of them"},
		{"duration_s", Seconds, Neither, Conditions, "measured time of a repetition, warm-up excluded"},
		{"cpu_user_s", Seconds, Lower, Conditions, "user CPU time of a repetition"},
		{"cpu_system_s", Seconds, Lower, Conditions, "system CPU time of a repetition"},
		{"peak_memory_bytes", ByteCount, Lower, Conditions, "largest resident memory of the process"},
		{"late_records", Records, Neither, Conditions, "records that operators gave up as too late in the measured time, or in all of a finite run; left out where no operator looks at event time"},
		{"latencies_out_of_range", Count, Lower, Conditions, "latencies too long for the histogram, counted apart"},
	}
}

// MetricNamed returns the metric of that name. The error lists the known ones.
func MetricNamed(name string) (Metric, error) {
	all := Metrics()
	for _, m := range all {
		if m.Name == name {
			return m, nil
		}
	}
	names := make([]string, len(all))
	for i, m := range all {
		names[i] = m.Name
	}
	return Metric{}, fmt.Errorf("unknown metric %q; known are %s", name, strings.Join(names, ", "))
}

// CheckpointParts returns the metrics whose sum is to explain checkpoint_ms, in
// the order in which they happen.
func CheckpointParts() []string {
	var names []string
	for _, p := range cost.Stages() {
		names = append(names, p.Definition().Metric)
	}
	return names
}
