package live

import (
	"fmt"
	"runtime/debug"

	"weir/dataflow"
	"weir/id"
	"weir/trace"
)

// extCall is one operation on the external store on its way. A nil runner ends
// the goroutine that serves it.
type extCall struct {
	runner *runner
	ticket id.Ticket
	op     dataflow.ExtOp
}

// serveExternal carries the operations on the external store out, all that
// wait at once.
func (j *Job) serveExternal() {
	defer close(j.extEnded)
	var spare []extCall
	var ops []dataflow.ExtOp
	var outcomes []dataflow.ExtStatus
	for {
		batch := j.external.take(spare)
		ops = ops[:0]
		kept := batch[:0]
		last := false
		for i := range batch {
			switch c := &batch[i]; {
			case c.runner == nil:
				last = true
			case !c.runner.stopped.Load(): // else it died before the operation left it
				kept = append(kept, *c)
				ops = append(ops, c.op)
			}
		}
		if len(ops) > 0 {
			var err error
			outcomes, err = j.doExternal(ops, outcomes[:0])
			for i := range kept {
				ev := &dataflow.Event{Kind: dataflow.EvExternal, Ticket: kept[i].ticket, Err: err}
				if err == nil {
					ev.Ext = outcomes[i]
				}
				kept[i].runner.inbox.post(message{kind: msgOutcome, event: ev})
			}
			if b, ok := j.cfg.External.(Breakable); ok && b.Err() != nil {
				j.control.post(report{kind: repCancel, err: fmt.Errorf("live: the external store has failed: %w", b.Err())})
			}
		}
		clear(batch)
		clear(ops)
		spare = batch
		if last {
			return
		}
		j.external.sleep(nil, never)
	}
}

// doExternal carries operations out in order. A panic of the store is an error.
func (j *Job) doExternal(ops []dataflow.ExtOp, dst []dataflow.ExtStatus) (out []dataflow.ExtStatus, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Where: "the external store", Value: v, Stack: debug.Stack()}
		}
	}()
	for i := range ops {
		j.observers.external(j.clock.now(), trace.ExtIssued, &ops[i], 0)
	}
	if b, ok := j.cfg.External.(Batcher); ok {
		dst = b.DoBatch(ops, dst)
	} else {
		for i := range ops {
			dst = append(dst, j.cfg.External.Do(ops[i]))
		}
	}
	for i := range ops {
		if dst[i] == dataflow.ExtOK {
			j.observers.external(j.clock.now(), trace.ExtApplied, &ops[i], 0)
		}
		j.observers.external(j.clock.now(), trace.ExtDone, &ops[i], dst[i])
	}
	return dst, nil
}

// handOut tells the source log how far a split was handed out.
func (j *Job) handOut(s id.SplitID, o id.Offset) error {
	j.sourceMu.Lock()
	defer j.sourceMu.Unlock()
	return j.cfg.SourceLog.HandedOut(s, o)
}

// handedOut asks the source log how far splits of a source were handed out.
func (j *Job) handedOut(info *dataflow.TaskInfo, splits []int) (offsets []id.Offset, err error) {
	j.sourceMu.Lock()
	defer j.sourceMu.Unlock()
	for _, index := range splits {
		o, err := j.cfg.SourceLog.Offset(info.FirstSplit + id.SplitID(index))
		if err != nil {
			return nil, err
		}
		offsets = append(offsets, o)
	}
	return offsets, nil
}
