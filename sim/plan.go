package sim

import (
	"slices"

	"weir/dataflow"
	"weir/internal/dataflow/roster"
)

// execute carries a plan out.
func (s *Sim) execute(p *dataflow.Plan) {
	effects, ok := s.roster.Execute(s.room(), p)
	if ok {
		s.result.Plans++
		s.planned()
		if slices.ContainsFunc(p.Tasks, func(t dataflow.TaskPlan) bool {
			return t.Mode == dataflow.Restart && (t.Ref != "" || len(t.Former) > 0 || t.Saved != nil && t.Saved.Operator != "")
		}) {
			s.result.Recoveries++
		}
	}
	s.carry(effects)
}

// room returns an empty list for the effects of one call on the roster. carry takes
// it back: an effect may bring about the next call while its list is being carried out.
func (s *Sim) room() []roster.Effect {
	n := len(s.rooms) - 1
	if n < 0 {
		return nil
	}
	list := s.rooms[n]
	s.rooms = s.rooms[:n]
	return list
}

// carry carries effects out, in order.
func (s *Sim) carry(effects []roster.Effect) {
	s.carriedOut = true
	for i := range effects {
		s.carryOut(&effects[i])
	}
	clear(effects)
	s.rooms = append(s.rooms, effects[:0])
}

func (s *Sim) carryOut(e *roster.Effect) {
	switch e.Kind {
	case roster.Discard:
		t := s.tasks[e.Task]
		if s.outlives(t, uint32(e.Incarnation)) {
			return
		}
		t.retire(uint32(e.Incarnation))
		s.orphan(ofTask, t.id, uint32(e.Incarnation))
	case roster.CutOutput, roster.CutInput, roster.Keep:
		if s.roster.Current(e.Task, e.Incarnation) {
			t := s.tasks[e.Task]
			if t.doubt.suspected && e.Kind == roster.CutInput { // once it is a zombie no more of that comes
				t.doubt.wires[e.Port] = noConnection
			}
			s.event = e.Event()
			t.step(&s.event)
		}
	case roster.Start:
		t := s.tasks[e.Task]
		t.plan, t.failure, t.deadBy = e.Part, nil, 0
		s.push(s.raise(t.worker), classTask, kindStart, t.id, uint32(e.Incarnation), 0)
	case roster.Connect:
		k := int32(e.Channel)
		s.channels[k].lastArrival = 0
		s.push(s.now+s.linkDelay(k), classWire, kindConnect, k, uint32(e.Connection), 0)
	case roster.TellReady:
		at := s.now + s.delay(s.cfg.Model.Message, MessageDelay, int(e.Task))
		s.pushUp(at, kindReady, s.tasks[e.Task], uint32(e.Incarnation), s.toTerm(uint32(e.Attempt)))
	case roster.TellFailed:
		s.coord.failed(e.Tasks, e.Cause)
	}
}
