package rounds

import (
	"slices"

	"weir/algorithms/coordinator"
	"weir/dataflow"
	"weir/id"
)

// The kinds of message of a survey.
const (
	Standing coordinator.MessageKind = "standing at" // from a task: where its channels stood at its instant of Epoch
	Surveyed coordinator.MessageKind = "surveyed"    // to a task: what the standings of all say about it, as positions
	passed   coordinator.MessageKind = "passed"      // from a task: a newer round came first, and Epoch can never be whole
)

// Conclude makes of where all tasks stood, by task, the positions to tell each of them. For a task
// that has left, its last share speaks, which has a Ref.
type Conclude func(tasks []dataflow.TaskInfo, at []*coordinator.Part) [][]id.Seq

// surveys leads rounds in which every task says where its channels stood at its instant and,
// when all have, is told what comes of that.
type surveys struct {
	conclude Conclude
	tell     func(to id.TaskID, data []byte)
	under    []*survey
}

// survey is that of one round.
type survey struct {
	round *Round
	at    []*coordinator.Part // by task; nil: not heard yet
	told  bool
}

// surveyed is a coordinator whose rounds are surveys.
type surveyed struct {
	*Coordinated
	surveys *surveys
}

// NewSurveyed returns a coordinator whose rounds are surveys: every task sends its Standing, with
// positions, and gets Surveyed when all have.
func NewSurveyed(c *dataflow.Config, conclude Conclude) dataflow.Coordinator {
	l := &surveys{conclude: conclude}
	return &surveyed{NewCoordinated(c, l), l}
}

// Start begins from storage alone.
func (c *surveyed) Start(h dataflow.CoordHost, j *dataflow.JobInfo) {
	c.surveys.tell = h.Tell
	c.Coordinated.Start(h, j)
}

// Begin tells every task.
func (l *surveys) Begin(r *Round) {
	l.under = slices.DeleteFunc(l.under, func(s *survey) bool { return s.round.Over() })
	l.under = append(l.under, &survey{round: r, at: make([]*coordinator.Part, len(r.Tasks()))})
	r.TellAll(Trigger)
	for t := range r.Tasks() {
		l.CarriedOver(r, id.TaskID(t))
	}
}

// Message takes a standing, or gives up a round that a newer one has passed.
func (l *surveys) Message(r *Round, from id.TaskID, m *coordinator.Message, p *coordinator.Part) {
	switch m.Kind {
	case Standing:
		l.heard(r, from, p)
	case passed:
		r.c.passed(r, from)
	default: // no kind of a survey
	}
}

// CarriedOver takes the last share of a task that has left for its standing.
func (l *surveys) CarriedOver(r *Round, task id.TaskID) {
	if p := r.Part(task); p != nil {
		l.heard(r, task, p)
	}
}

// heard ends the survey of r with the last standing. Messages may come twice.
func (l *surveys) heard(r *Round, task id.TaskID, p *coordinator.Part) {
	i := slices.IndexFunc(l.under, func(s *survey) bool { return s.round == r })
	s := l.under[i]
	if s.at[task] == nil {
		s.at[task] = p
	}
	if s.told || slices.Contains(s.at, nil) {
		return
	}
	s.told = true
	for t, positions := range l.conclude(r.Tasks(), s.at) {
		if r.Part(id.TaskID(t)) == nil {
			m := coordinator.Message{Kind: Surveyed, Epoch: r.Epoch(), Stored: &dataflow.Stored{Header: dataflow.Header{Delivered: positions}}}
			l.tell(id.TaskID(t), m.Encode())
		}
	}
}
