package faults

// Hits returns what a kind of fault can hit; nil for one that is unknown.
func (k Kind) Hits() []Target { return targets(k) }

// Outcomes returns what a failed operation may really have done.
func Outcomes() []Outcome {
	var all []Outcome
	for i := range outcomeNames()[1:] {
		all = append(all, Outcome(i+1))
	}
	return all
}
