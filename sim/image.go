package sim

import (
	"reflect"
	"strings"

	"github.com/cespare/xxhash/v2"

	"weir/dataflow"
	"weir/internal/sim/image"
	"weir/state"
)

// images are the hashes of the parties of a run whose order is free, kept as long as
// nothing has touched them.
type images struct {
	hasher      *image.Hasher
	stale       uint64 // what was touched since
	tasks       []uint64
	coordinator uint64
	storage     uint64
	sink        uint64
	roster      uint64
}

func (m *images) forget() {
	m.stale = everything
	if m.hasher == nil {
		m.hasher = newHasher()
	}
}

// newHasher knows what of a task means something: not who observes it, what all tasks
// of the job share and never change, or memory that is used again. The state of an operator is hashed by content.
// A capture under way is left to the operations that it has put under way: its
// slices follow at once, so that all that it holds is in them. So does what a coordinator
// reads: what a continuation of it keeps shows in the operation that it waits for.
func newHasher() *image.Hasher {
	shared := map[reflect.Type]bool{
		reflect.TypeFor[dataflow.Graph](): true, reflect.TypeFor[dataflow.TaskInfo](): true, reflect.TypeFor[dataflow.JobInfo](): true,
		reflect.TypeFor[dataflow.Config](): true, reflect.TypeFor[dataflow.CheckpointConfig](): true,
	}
	return &image.Hasher{
		Opaque: func(t reflect.Type) bool {
			p := t.PkgPath()
			return shared[t] || t.String() == "dataflow.kernel" || p == "weir/sim" || p == "weir/trace" || strings.HasPrefix(p, "weir/state/heap") || strings.HasPrefix(p, "weir/state/pebblestate") || strings.HasPrefix(p, "weir/state/timers")
		},
		Fields: map[string]bool{
			"dataflow.Task.chain": true, "dataflow.Task.event": true, "dataflow.Task.encoded": true, "dataflow.Task.edges": true, "dataflow.Task.seenBuf": true, "dataflow.pending.spent": true,
			"dataflow.Buffer.Shared": true,
			"external.Store.stats":   true, "external.Store.c": true, "external.taskState.free": true,
			"storage.Memory.scratch": true,
		},
		Logical: func(pointer any) (uint64, bool) {
			if s, ok := pointer.(state.Store); ok {
				return s.Sum(), true
			}
			return 0, false
		},
	}
}

// image is Point.Image.
func (s *Sim) image() uint64 {
	m := &s.ordering.images
	s.renew(m)
	h := mix(m.coordinator, m.storage, m.sink)
	for i := range s.tasks {
		h = mix(h, m.tasks[i], m.roster^uint64(s.tasks[i].deadBy))
	}
	for i := range s.workers {
		w := &s.workers[i]
		h = mix(h, uint64(w.state), uint64(w.crashes))
	}
	for _, o := range s.offsets {
		h = mix(h, uint64(o), 0)
	}
	h = mix(h, s.underWay(), uint64(s.ordering.crashes))
	return mix(h, s.times(), s.captures())
}

// renew makes the hashes of what was touched.
func (s *Sim) renew(m *images) {
	if len(m.tasks) != len(s.tasks) {
		m.tasks, m.stale = make([]uint64, len(s.tasks)), everything
	}
	for i := range s.tasks {
		if t := s.tasks[i]; m.stale&taskBit(t.id) != 0 {
			m.tasks[i] = m.hasher.Sum(t.task, &t.failure)
		}
	}
	if m.stale&coordinatorBit != 0 {
		m.coordinator = m.hasher.Sum(&s.coord.coord)
	}
	if m.stale&allStores != 0 {
		m.storage = m.hasher.Sum(s.cfg.Storage)
	}
	if m.stale&sinkBit != 0 {
		m.sink = m.hasher.Sum(s.cfg.External)
	}
	if m.stale == everything {
		m.roster = m.hasher.Sum(&s.roster)
	}
	m.stale = 0
}

// underWay hashes what is pending, in no order: what a channel keeps in order has
// numbers.
func (s *Sim) underWay() (h uint64) {
	for i := range s.ordering.pending {
		e := &s.ordering.pending[i]
		before := uint64(0) // timers of the same party
		if e.isTimer() {
			for k := range s.ordering.pending {
				if x := &s.ordering.pending[k]; x.isTimer() && x.time < e.time && (s.isPatience(e) || x.kind() == e.kind() && x.ref == e.ref) {
					before++
				}
			}
		}
		h += mix(s.identity(e), before, 0)
	}
	return h
}

func (s *Sim) isPatience(e *event) bool { return e.isTimer() && e.time >= s.cfg.Model.Order.Horizon }

// times hashes how far time is: the steps of a run are nothing, a timer that has
// fired is something.
func (s *Sim) times() uint64 { return uint64(s.now) >> stepBits }

const stepBits = 14 // a small job takes fewer steps

// captures hashes what asynchronous work has been answered while it waits for more.
func (s *Sim) captures() (h uint64) {
	for i := range s.transfers.items {
		if x := &s.transfers.items[i]; x.task != nil && x.left > 0 {
			h += mix(uint64(x.ticket), uint64(x.task.id)<<32|uint64(x.inc), s.ordering.images.hasher.Sum(&x.results))
		}
	}
	return h
}

// identity hashes what a pending event is, by content: places in memory and the
// time at which it was to be mean nothing.
func (s *Sim) identity(e *event) uint64 {
	h := mix(uint64(e.kind()), uint64(uint32(e.ref))<<32|uint64(e.gen), 0)
	switch e.kind() {
	case kindArrive:
		b := s.wire.items[e.arg]
		h = mix(h, uint64(b.Item)|uint64(b.Op)<<8|uint64(b.N)<<16, uint64(b.Seq)^uint64(b.Epoch)<<16)
		return mix(h, sum(b.Data)^sum(b.Stamp), uint64(b.Watermark)^uint64(b.Records)<<48)
	case kindReply, kindToTask:
		return mix(h, sum(s.parcels.items[e.arg]), 0)
	case kindToCoord:
		return mix(h, sum(s.parcels.items[e.arg>>32]), e.arg&(1<<32-1))
	case kindTransfer:
		x := &s.transfers.items[e.ref]
		h = mix(uint64(e.kind()), uint64(x.ticket), uint64(x.inc))
		if x.task != nil {
			h = mix(h, uint64(x.task.id), 1)
		}
		return h
	case kindStoreApply, kindStoreDone:
		return s.identityOfStore(s.stores.items[e.ref], uint64(e.kind()))
	case kindExtApply, kindExtDone:
		return s.identityOfExt(s.exts.items[e.ref], uint64(e.kind()))
	case kindTimer, kindCoordTimer:
		if s.isPatience(e) {
			h++
		}
		return mix(h, e.arg, 0)
	default:
		return mix(h, e.arg, 0)
	}
}

func identityOfOwner(by *owner, stage uint64) uint64 {
	return mix(stage, uint64(by.kind)<<56|uint64(by.task)<<32|uint64(by.inc), uint64(by.ticket)<<16|uint64(by.index))
}

func (s *Sim) identityOfStore(o *operation[state.Op, state.Result], stage uint64) uint64 {
	op := &o.op
	h := mix(identityOfOwner(&o.by, stage), xxhash.Sum64String(op.Key), sum(op.Data)^uint64(op.Kind))
	h = mix(h, uint64(op.From)^uint64(op.To)<<32, uint64(op.Attempt)<<8^uint64(o.fate))
	if stage == uint64(kindStoreDone) {
		h = mix(h, s.ordering.images.hasher.Sum(&o.result), 0)
	}
	return h
}

func (s *Sim) identityOfExt(o *extOperation, stage uint64) uint64 {
	op := &o.op
	h := mix(identityOfOwner(&o.by, stage), uint64(op.Kind)<<56|uint64(op.Task)<<32|uint64(op.Attempt), uint64(op.Txn))
	h = mix(h, op.Number^op.From<<32, sum(op.Rows)^uint64(o.fate))
	for _, e := range op.Keep {
		h = mix(h, uint64(e), 1)
	}
	if stage == uint64(kindExtDone) {
		h = mix(h, uint64(o.result), 2)
	}
	return h
}
