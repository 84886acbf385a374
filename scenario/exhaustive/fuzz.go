package exhaustive

import (
	"weir/faults"
	"weir/id"
	"weir/scenario"
	"weir/sim"
	"weir/sim/seed"
	"weir/trace"
)

// FuzzHead is how many bytes of an input of a fuzzer come before the decisions.
const FuzzHead = 6

// Decode makes a run of a small job of the bytes of a fuzzer; every input is one. The first says
// how many crashes may be chosen and whether messages to the coordinator are prompt,
// the next five describe a fault, and each that follows is a decision of the order, modulo
// the number of options there are. What is missing is quiet.
func Decode(input []byte) *scenario.Drawn {
	var head [FuzzHead]byte
	n := copy(head[:], input)
	d := Drawn(Bounds{Crashes: int(head[0] % 4), Prompt: head[0]&4 != 0})
	if f, ok := fault(head[1:]); ok {
		d.Plan = faults.Plan{Faults: []faults.Fault{f}}
	}
	var named []seed.Named
	for i, b := range input[n:] {
		named = append(named, seed.Named{Name: sim.OrderStream, Index: i, N: 1 << 8, Value: uint64(b)})
	}
	d.Decisions = seed.TapeOf(named)
	return &d
}

// anchors are what the fault of an input waits for.
var anchors = []trace.Kind{
	trace.TaskReady, trace.Triggered, trace.SnapshotBegun, trace.SnapshotStored, trace.Acked, trace.AllAcked, trace.Completed,
	trace.PlanDurable, trace.PlanExecuted, trace.TaskRestored, trace.ExtIssued, trace.StoreIssued, trace.OutputCommitted,
}

// fault decodes a fault: of which kind, for what it waits, the how manieth time, and two
// numbers about it.
func fault(b []byte) (f faults.Fault, ok bool) {
	f.When = faults.At(faults.Nth(1+int(b[2]%8), trace.Mask(0).With(anchors[int(b[1])%len(anchors)])))
	switch f.Times = 1 + int(b[4]%3); b[0] % 6 {
	case 0:
		return f, false
	case 1:
		f.Kind, f.Target, f.Worker = faults.Crash, faults.Worker, int(b[3]%scenario.DefaultWorkers)
	case 2:
		f.Kind, f.Target = faults.Crash, faults.Coordinator
	case 3:
		f.Kind, f.Target, f.Link = faults.Cut, faults.Link, id.ChannelID(b[3]%2)
	default:
		f.Kind, f.Target, f.Outcome = faults.Fail, faults.Storage, faults.NotApplied
		if b[3]&1 != 0 {
			f.Target = faults.Sink
		}
		if b[0]%6 == 5 {
			f.Outcome = faults.Applied
		}
		return f, true
	}
	f.Times = 0
	return f, true
}

// Encode returns the input that makes the run of choices, without a fault; false: an
// input cannot, as there were too many options.
func Encode(b Bounds, choices []Choice) (input []byte, ok bool) {
	input = make([]byte, FuzzHead)
	if input[0] = byte(b.Crashes); b.Prompt {
		input[0] |= 4
	}
	for _, c := range choices {
		if c.N > 1<<8 || b.Crashes > 3 {
			return nil, false
		}
		if c.N > 1 {
			input = append(input, byte(c.Value))
		}
	}
	return input, true
}

// Input makes the run of the bytes of a fuzzer, with its decisions recorded. The outcome is
// valid until the next run.
func (j *Job) Input(input []byte) *scenario.Outcome {
	j.runner.Record(true)
	defer j.runner.Record(false)
	return j.runner.Replay(0, Decode(input))
}
