package explain

// Likelihood is how often runs that begin as this one does up to an event, and end
// otherwise, come to the same failure: the share of them, and its 95 % interval.
type Likelihood struct {
	Event        int // on Run.Curve the index of an event; given to SetCurve its number from 1, 0: before any
	Rate, Lo, Hi float64
	Turn         bool // the first at which the failure is near certain
}

// SetCurve gives the run how likely its failure was in its course.
func (r *Run) SetCurve(points []Likelihood) {
	r.Curve = nil
	for _, p := range points {
		p.Event = max(p.Event-1, 0) - r.Dropped
		if p.Event >= 0 && p.Event < len(r.Events) {
			r.Curve = append(r.Curve, p)
		}
	}
}
