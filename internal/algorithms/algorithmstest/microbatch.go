package algorithmstest

import (
	"encoding/binary"

	"weir/algorithms"
	"weir/algorithms/aligned"
	"weir/algorithms/rounds"
	"weir/dataflow"
	"weir/id"
)

// MicroBatch runs a job as a row of small ones: Zaharia et al., "Discretized
// Streams", SOSP 2013; Spark's structured streaming plans the offsets of a batch
// before it runs it. A source goes to the end of its batch and no further; the
// coordinator's next round, which is the end of the batch for all tasks, lets it
// go on. Barriers align as in aligned, and then stand between two batches.
func MicroBatch() *algorithms.Spec {
	s := aligned.Spec()
	s.Name, s.Short = "micro-batch", "sources stop at planned offsets; a round ends every batch"
	s.Paper = "Zaharia et al., Discretized Streams, SOSP 2013"
	s.Declared.MaxConcurrent = 1
	s.Protocol = func(*dataflow.TaskInfo, *dataflow.Config) dataflow.Protocol { return &batches{} }
	return s
}

// batchRecords is how many records of a source are a batch.
const batchRecords = 16

// batches is the half of one task.
type batches struct {
	aligned.Protocol
	number    id.Offset // of the batch under way, from 0
	full      bool      // the source stands at the end of its batch
	due, base id.Epoch  // the round that ends the batch, 0: not announced yet
}

// Start begins the batch after the restored one.
func (p *batches) Start(k dataflow.Kernel, s dataflow.Start) {
	p.Begin(k)
	p.Join(k, s, p)
	if s.Epoch != 0 && k.Info().Role == dataflow.RoleSource {
		p.number = id.Offset(binary.LittleEndian.Uint64(s.Saved))
	}
	p.plan()
}

// plan says where the batch ends.
func (p *batches) plan() {
	if p.K.Info().Role == dataflow.RoleSource {
		p.full = p.K.Limit((p.number + 1) * batchRecords)
	}
}

// AtLimit is the end of the batch.
func (p *batches) AtLimit() {
	p.full = true
	p.end()
}

// Drained: the last batch may be short.
func (p *batches) Drained() {
	p.end()
	p.Protocol.Drained()
}

// Trigger ends the batch at a task without live inputs, once it is whole.
func (p *batches) Trigger(e, base id.Epoch) {
	if p.K.Info().Role != dataflow.RoleSource {
		p.Protocol.Trigger(e, base)
		return
	}
	p.due, p.base = e, base
	p.end()
}

func (p *batches) end() {
	if p.due == 0 || !p.full && !p.K.IsDrained() || p.Over(p.due) {
		return
	}
	p.number++
	p.K.Broadcast(0, p.due, dataflow.InBand, rounds.BarrierData(p.base))
	d := p.Take(p.due, p.base)
	d.Save(binary.LittleEndian.AppendUint64(nil, uint64(p.number)))
	d.Seal()
	p.due = 0
	p.plan()
}

// Cancel lets the batch go on to be ended by a later round.
func (p *batches) Cancel(first, last id.Epoch) {
	if p.due >= first && p.due <= last {
		p.due = 0
	}
	p.Protocol.Cancel(first, last)
}
