package sim

import "weir/faults"

// hitMessage lets the armed faults decide about a message of a worker's control
// connection: by how much it is late, and whether it comes twice.
func (s *Sim) hitMessage(worker int32, way string) (late Nanos, again bool) {
	for i := range s.messages {
		a := &s.messages[i]
		if a.left == 0 || a.fault.Worker != int(worker) || a.fault.Op != "" && a.fault.Op != way {
			continue
		}
		a.left--
		if a.fault.Kind == faults.Delay {
			late += a.fault.Duration
		} else {
			again = true
		}
	}
	return late, again
}

// pushUp puts a report of a task on its way that holds no bytes.
func (s *Sim) pushUp(at Nanos, kind uint8, t *taskHost, inc uint32, arg uint64) {
	late, again := s.hitMessage(t.worker, faults.Up)
	s.push(at+late, classCoordinator, kind, t.id, inc, arg)
	if again {
		s.push(at+late+s.cfg.Model.Message.Base, classCoordinator, kind, t.id, inc, arg)
	}
}
