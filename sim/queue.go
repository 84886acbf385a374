package sim

import "math/bits"

// Event kinds of the simulator. The order is of no meaning.
const (
	kindTurn           uint8 = iota + 1 // ref task, gen incarnation
	kindArrive                          // ref channel, gen connection, arg wire slot
	kindCredit                          // ref channel, gen connection, arg credits
	kindReply                           // ref channel, gen connection, arg parcel
	kindConnect                         // ref channel, gen connection
	kindTimer                           // ref task, gen incarnation, arg ticket
	kindToTask                          // ref task, gen incarnation, arg parcel
	kindStart                           // ref task, gen incarnation
	kindTransfer                        // ref transfer, gen its use
	kindToCoord                         // ref task, gen incarnation, arg parcel
	kindReady                           // ref task, gen incarnation, arg attempt and coordinator incarnation
	kindLeft                            // ref task, gen incarnation, arg coordinator incarnation
	kindCoordTimer                      // gen coordinator incarnation, arg ticket
	kindCoordStart                      // gen coordinator incarnation
	kindCrashSeen                       // ref worker, gen its crash number
	kindFailSeen                        // ref task, gen incarnation
	kindWorkerUp                        // ref worker, gen its crash number
	kindStoreApply                      // ref storage operation
	kindStoreDone                       // ref storage operation
	kindExtApply                        // ref external operation
	kindExtDone                         // ref external operation
	kindFaultOver                       // ref fault target, gen number, arg time it was to end
	kindWake                            // a time that the injector waits for
	kindTakeDown                        // gen coordinator incarnation
	kindSuspected                       // ref suspicion; of the coordinator -1, gen its incarnation
	kindCampaign                        // ref coordinator process, gen its candidate
	kindCandidateTimer                  // ref coordinator process, gen its candidate, arg ticket
	kindOperate                         // the next operation on the job has its turn
	kindAsk                             // ref task, gen incarnation, arg question of a reader
	kindQuery                           // the next query has its turn
	numKinds
)

// Classes order what happens at one instant.
const (
	classCoordinator uint64 = iota << classShift
	classStorage
	classWire
	classTask
	classTurn
)

// An event's order is class, sequence and kind, from high bits to low; the kind
// decides nothing, as sequences differ.
const (
	kindBits   = 8
	classShift = 60
)

// event is one entry of the queue: 32 bytes, no pointers.
type event struct {
	time  int64 // virtual nanoseconds
	order uint64
	arg   uint64
	ref   int32
	gen   uint32
}

func (e *event) kind() uint8 { return uint8(e.order) }

func (e *event) before(o *event) bool {
	return e.time < o.time || e.time == o.time && e.order < o.order
}

// precedes is 1 if e is before o, else 0, without a branch. Times are not negative.
func (e *event) precedes(o *event) int {
	_, less := bits.Sub64(e.order, o.order, 0)
	_, less = bits.Sub64(uint64(e.time), uint64(o.time), less)
	return int(less)
}

// queue is a 4-ary heap of events by (time, order). After a pop the root is a
// hole, which the next push fills: most events beget one.
type queue struct {
	heap []event
	hole bool // heap[0] is taken
}

func (q *queue) reset() { q.heap, q.hole = q.heap[:0], false }

func (q *queue) len() int {
	if q.hole {
		return len(q.heap) - 1
	}
	return len(q.heap)
}

func (q *queue) push(e event) {
	if q.hole {
		q.hole = false
		q.down(e)
		return
	}
	q.heap = append(q.heap, e)
	h := q.heap
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&h[up]) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
}

// down puts e where the root is, and then in its place.
func (q *queue) down(e event) {
	h := q.heap
	n := len(h)
	i := 0
	for {
		c := 4*i + 1
		if c >= n {
			break
		}
		least := c
		if c+4 <= n { // in pairs and without branches, as none could be foreseen
			four := h[c : c+4 : c+4]
			left := four[1].precedes(&four[0])
			right := 2 + four[3].precedes(&four[2])
			least += left + (right-left)*four[right&3].precedes(&four[left&3])
		} else {
			for k := c + 1; k < n; k++ {
				if h[k].before(&h[least]) {
					least = k
				}
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}

// fill closes the hole.
func (q *queue) fill() {
	if q.hole {
		q.hole = false
		n := len(q.heap) - 1
		last := q.heap[n]
		q.heap = q.heap[:n]
		if n > 0 {
			q.down(last)
		}
	}
}

// retain drops the events that keep does not want.
func (q *queue) retain(keep func(*event) bool) {
	q.fill()
	all := q.heap
	q.heap = all[:0]
	for i := range all {
		if e := all[i]; keep(&e) {
			q.push(e) // at or before i
		}
	}
}

// min returns the first event, nil if there is none. It is valid until the next push or pop.
func (q *queue) min() *event {
	q.fill()
	if len(q.heap) == 0 {
		return nil
	}
	return &q.heap[0]
}

// pop takes the first event, which must be there.
func (q *queue) pop() event {
	q.fill()
	q.hole = true
	return q.heap[0]
}
