package resultstest

import (
	"math"
	"math/rand/v2"
	"slices"

	"weir/results"
	"weir/trace/cost"
)

// factors by which a variant differs from the first; formulas, not findings.
type factors struct {
	throughput, latency, checkpoint, bytes float64
	checkpoints                            bool
}

func shape(c Config, cell results.Cell) factors {
	a := float64(slices.Index(c.Algorithms, cell.Algorithm))
	s := float64(slices.Index(c.States, cell.State))
	return factors{
		throughput:  math.Pow(0.93, a) * math.Pow(0.35, s),
		latency:     (1 + 0.45*a) * (1 + 0.8*s),
		checkpoint:  (1 + 0.2*a) * (1 + 0.5*s),
		bytes:       []float64{1, 1.3, 0.09}[int(s)%3] * (1 + 0.05*a),
		checkpoints: cell.IntervalMS > 0,
	}
}

// Sample returns one repetition of a cell.
func Sample(c Config, cell results.Cell, repetition int) results.Sample {
	f := shape(c, cell)
	rng := rand.New(rand.NewPCG(c.Seed^cell.Seed("sample"), uint64(repetition)))
	s := results.Sample{
		Cell: cell, Block: repetition, Repetition: repetition, Seed: rng.Uint64(),
		Output: results.OutputExact, OutputDigest: "5eed5eed", ExpectedDigest: "5eed5eed",
		CalibrationMS: near(rng, 100, 0.01),
	}
	values := map[string]float64{}
	switch {
	case cell.Load == results.ClosedLoop:
		values["throughput"] = near(rng, 9e6*f.throughput, 0.02)
		values["throughput_per_cpu"] = near(rng, 5e6*f.throughput, 0.02)
		if cell.Twin && c.NoisyTwin {
			values["throughput"] *= 1.1
		}
	case cell.Kill:
		addRecovery(rng, f, &s, values)
	default:
		addLatency(rng, f, &s, values)
	}
	if !cell.Kill {
		values["calibration_ms"] = near(rng, 105, 0.01)
	}
	if f.checkpoints && !cell.Kill {
		addCheckpoints(rng, f, &s, values)
	}
	for name, v := range values { // a map filled from a map: order is not seen
		if err := s.Set(name, v); err != nil {
			panic(err) // every name above is in the table
		}
	}
	return s
}

func near(rng *rand.Rand, v, spread float64) float64 { return v * math.Exp(spread*rng.NormFloat64()) }

func addLatency(rng *rand.Rand, f factors, s *results.Sample, values map[string]float64) {
	for name, v := range map[string]float64{
		"processing_p50_ms": 0.6, "processing_p99_ms": 1.6, "processing_p999_ms": 4.5,
		"visible_p50_ms": 520, "visible_p99_ms": 1100, "visible_p999_ms": 1300,
	} {
		values[name] = v * f.latency * (1 + 0.04*float64(s.Repetition%5))
	}
	values["offered_rate"] = 6.3e6 * f.throughput
	values["generator_share"] = near(rng, 0.04, 0.1)
	for i := range 100 {
		t := float64(i) * 100
		stall := 1.0
		if f.checkpoints && i%10 == 3 {
			stall = 6 * f.checkpoint
		}
		s.Timeline = append(s.Timeline, results.TimelinePoint{
			TMS: t, P50: near(rng, 0.6*f.latency, 0.05), P99: near(rng, 1.4*f.latency*stall, 0.1),
			Max: near(rng, 2.5*f.latency*stall, 0.15), Count: 100_000,
		})
	}
}

func addCheckpoints(rng *rand.Rand, f factors, s *results.Sample, values map[string]float64) {
	part := func(ms float64) float64 { return near(rng, ms*f.checkpoint, 0.08) }
	for i := range 10 {
		c := results.Checkpoint{TriggerMS: 250 + 1000*float64(i)}
		total := 0.0
		for _, p := range []struct {
			part cost.Part
			ms   float64
		}{{cost.Travel, 2}, {cost.Alignment, 9}, {cost.Sync, 3}, {cost.Async, 90}, {cost.Fsync, 45}, {cost.Metadata, 4}, {cost.Ack, 2}} {
			c.Cost.Set(p.part, part(p.ms))
			total += c.Cost.Get(p.part)
		}
		c.Cost.Set(cost.Total, total+part(1)).Set(cost.Uploaded, 1.1e8*f.bytes).Set(cost.Changed, 8_000_000).Set(cost.Inflight, 120_000)
		s.Checkpoints = append(s.Checkpoints, c)
	}
	first := s.Checkpoints[0]
	for _, p := range cost.Parts() {
		if d := p.Definition(); d.Metric != "" && d.Unit == cost.Time {
			values[d.Metric] = first.Cost.Get(p)
		}
	}
	for name, v := range map[string]float64{
		"uploaded_bytes": near(rng, 1.1e8*f.bytes, 0.01), "logical_change_bytes": near(rng, 8e6, 0.01),
		"inflight_bytes": near(rng, 1.2e5, 0.1), "write_amplification": near(rng, 3, 0.02),
		"process_write_bytes": near(rng, 1.2e9*f.bytes, 0.01), "checkpoints_completed": 10,
		"state_bytes": near(rng, 1.15e8, 0.005), "recovery_line_age_ms": near(rng, 700, 0.05), "useless_checkpoints": 0,
	} {
		values[name] = v
	}
}

func addRecovery(rng *rand.Rand, f factors, s *results.Sample, values map[string]float64) {
	killed := 4000 + 1000*rng.Float64()
	recovery := near(rng, 420*f.bytes+150, 0.1)
	caughtUp := recovery + near(rng, 900*f.latency, 0.1)
	s.Recovery = &results.RecoveryRecord{
		KilledMS: killed, StartedMS: killed + 30, RestoredMS: killed + 0.8*recovery, FirstNewMS: killed + recovery,
		CaughtUpMS: killed + caughtUp, LostRecords: int64(3e5 * rng.Float64()), RestoredID: "4",
	}
	values["recovery_ms"], values["caught_up_ms"], values["restore_ms"] = recovery, caughtUp, 0.8*recovery-30
	values["lost_work_records"] = float64(s.Recovery.LostRecords)
}
