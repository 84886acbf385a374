package live

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"weir/dataflow"
	"weir/id"
	"weir/state"
	"weir/trace/cost"
)

// transfer carries one state transfer out, on a goroutine of its own.
type transfer struct {
	r      *runner
	ticket id.Ticket
	tr     state.Transfer
	epoch  id.Epoch // of the snapshot it belongs to; 0: a restore
	bytes  int64    // written
}

func (x *transfer) run() {
	r := x.r
	defer r.running.Done()
	select {
	case r.j.transfers <- struct{}{}:
		defer func() { <-r.j.transfers }()
	case <-r.gone:
		return
	}
	finished, err := x.carry()
	if !finished {
		return // the incarnation is gone
	}
	if x.epoch != 0 && err == nil {
		r.j.observers.cost(r.info.ID, x.epoch, x.cost())
	}
	r.inbox.post(message{kind: msgOutcome, event: &dataflow.Event{Kind: dataflow.EvTransfer, Ticket: x.ticket, Err: err}})
}

// cost is what a snapshot's transfer that is done tells of the snapshot.
func (x *transfer) cost() *cost.Vector[int64] {
	c := new(cost.Vector[int64]).Set(cost.Uploaded, x.bytes)
	if t, ok := x.tr.(state.Capture); ok {
		c.Set(cost.State, t.Handle().Bytes)
	}
	if m, ok := x.tr.(state.ChangeMeter); ok {
		if changed, known := m.Changed(); known {
			c.Set(cost.Changed, changed)
		}
	}
	return c
}

// carry runs the transfer to its end; finished is false when its task is gone.
func (x *transfer) carry() (finished bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Where: fmt.Sprintf("a state transfer of %s[%d]", x.r.info.Name, x.r.info.Index), Value: v, Stack: debug.Stack()}
			finished = true
		}
	}()
	var results []state.Result
	turn := courtesy{now: x.r.j.clock.now, gosched: runtime.Gosched}
	for !x.r.stopped.Load() {
		turn.yield()
		ops, done, err := x.tr.Next(results)
		if done || err != nil {
			return true, err
		}
		results = results[:0]
		if len(ops) > 0 {
			results = x.do(ops)
			if !x.pause(results) {
				return false, nil
			}
		}
	}
	return false, nil
}

// courtesy keeps a transfer from holding a processor while tasks wait for one:
// it works for a short time, lets them run, and then works at least a third as
// long as it has waited, so that a saturated job does not starve it.
type courtesy struct {
	now     func() int64
	gosched func()
	since   int64 // it has worked since then; 0: it has not begun
	may     int64 // how long it may work
}

// leastWork is how long a transfer works at least before it lets others run.
const leastWork = int64(200 * time.Microsecond)

// yield is called between slices of work.
func (c *courtesy) yield() {
	now := c.now()
	if c.since != 0 && now-c.since < c.may {
		return
	}
	c.gosched()
	c.since = c.now()
	c.may = max(leastWork, (c.since-now)/3)
}

// do carries out independent operations at once.
func (x *transfer) do(ops []state.Op) []state.Result {
	r := x.r
	results := make([]state.Result, len(ops))
	var wait sync.WaitGroup
	slots := make(chan struct{}, r.j.storageWorkers)
	for i := 1; i < len(ops); i++ {
		slots <- struct{}{}
		wait.Go(func() {
			results[i] = r.j.do(ops[i], r.info.ID, r.attempt)
			<-slots
		})
	}
	results[0] = r.j.do(ops[0], r.info.ID, r.attempt)
	wait.Wait()
	for i := range ops {
		if ops[i].Kind == state.OpPut && results[i].Status == state.OK {
			x.bytes += int64(len(ops[i].Data))
		}
	}
	if r.track != nil {
		for i := range ops {
			r.track.TransferResult(x.ticket, ops[i], results[i])
		}
	}
	return results
}

// pause waits a little if an outcome is unknown, before the transfer repeats
// the operation; false: the task is gone.
func (x *transfer) pause(results []state.Result) bool {
	for i := range results {
		if results[i].Status != state.Failed {
			continue
		}
		t := time.NewTimer(time.Duration(x.r.j.retryPause))
		defer t.Stop()
		select {
		case <-t.C:
			return true
		case <-x.r.gone:
			return false
		}
	}
	return true
}
