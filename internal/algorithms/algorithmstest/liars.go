package algorithmstest

import (
	"weir/algorithms"
	"weir/algorithms/aligned"
	"weir/algorithms/atleastonce"
	"weir/algorithms/cichmnr"
	"weir/algorithms/mattern"
	"weir/algorithms/none"
	"weir/algorithms/unaligned"
	"weir/algorithms/uncoordinated"
	"weir/dataflow"
)

// Liar is an algorithm that declares a property falsely.
type Liar struct {
	Property string // what is not so
	Spec     *algorithms.Spec
}

// Liars has one for each property, which Liar.Property names as dataflow.Properties
// does; a conformance suite must refute them all. A MaxConcurrent that is too low
// is no lie: it only keeps runs from what would have been fine.
func Liars() []Liar {
	return []Liar{
		{"State: AtLeastOnce", lie(none.Spec(), func(p *dataflow.Properties) { p.State = dataflow.AtLeastOnce })},
		{"State, Output: ExactlyOnce", lie(atleastonce.Spec(), func(p *dataflow.Properties) {
			p.State, p.Output = dataflow.ExactlyOnce, dataflow.ExactlyOnce
		})},
		{"State: AtLeastOnce (it is exact)", lie(aligned.Spec(), func(p *dataflow.Properties) { p.State, p.Output = dataflow.AtLeastOnce, dataflow.AtLeastOnce })},
		{"Output: ExactlyOnce", lie(atleastonce.Spec(), func(p *dataflow.Properties) { p.Output = dataflow.ExactlyOnce })},
		{"Output: AtLeastOnce (it is exact)", lie(unaligned.Spec(), func(p *dataflow.Properties) { p.Output = dataflow.AtLeastOnce })},
		{"Output: AtMostOnce (it is exact)", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Output = dataflow.AtMostOnce })},
		{"Output: AtMostOnce (it loses nothing)", lie(atleastonce.Spec(), func(p *dataflow.Properties) { p.Output = dataflow.AtMostOnce })},
		{"Output: ExactlyOnce (without snapshots)", lie(none.Spec(), func(p *dataflow.Properties) { p.Output = dataflow.ExactlyOnce })},
		{"Channels: AnyOrder", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Channels = dataflow.AnyOrder })},
		{"Snapshots: NoSnapshots", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Snapshots = dataflow.NoSnapshots })},
		{"Snapshots: LocalSnapshots", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Snapshots = dataflow.LocalSnapshots })},
		{"Snapshots: Rounds", lie(uncoordinated.Spec(), func(p *dataflow.Properties) { p.Snapshots = dataflow.Rounds })},
		{"Captures.Inputs", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Captures.Inputs = true })},
		{"Captures.Outputs", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Captures.Outputs = true })},
		{"no Captures", lie(unaligned.Spec(), func(p *dataflow.Properties) { p.Captures = dataflow.Captures{} })},
		{"Logs", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Logs = true })},
		{"no Logs", lie(uncoordinated.Spec(), func(p *dataflow.Properties) { p.Logs = false })},
		{"Rollback: ScopeTask", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Rollback = dataflow.ScopeTask })},
		{"Rollback: ScopeLine", lie(StrongProductions(), func(p *dataflow.Properties) { p.Rollback = dataflow.ScopeLine })},
		{"Rollback: ScopeRegion (it restarts all)", lie(none.Spec(), func(p *dataflow.Properties) { p.Rollback = dataflow.ScopeRegion })},
		{"Rollback: ScopeAll", lie(StrongProductions(), func(p *dataflow.Properties) { p.Rollback = dataflow.ScopeAll })},
		{"MaxConcurrent: 0", oneAtATime()},
		{"MaxConcurrent: 0 (it never has two)", lie(StrongProductions(), func(p *dataflow.Properties) { p.MaxConcurrent = 0 })},
		{"NonDeterminism: Recorded", lie(CausalInputs(), func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Recorded })},
		{"MaxConcurrent: 5 (it never has two)", lie(StrongProductions(), func(p *dataflow.Properties) { p.MaxConcurrent = 5 })},
		{"NonDeterminism: Recorded (it records nothing)", lie(aligned.Spec(), func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Recorded })},
		{"NonDeterminism: Recorded (it logs channels only)", lie(uncoordinated.Spec(), func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Recorded })},
		{"NonDeterminism: Refused (it rolls back)", lie(aligned.Spec(), func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Refused })},
		{"NonDeterminism: Refused (it records)", lie(Causal(), func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Refused })},
		{"NonDeterminism: Tolerated", lie(CausalInputs(), func(p *dataflow.Properties) { p.NonDeterminism = dataflow.Tolerated })},
		{"NoneUseless", lie(uncoordinated.Spec(), func(p *dataflow.Properties) { p.NoneUseless = true })},
		{"NoneUseless: true (no zigzag comes back)", lie(uncoordinated.Spec(), func(p *dataflow.Properties) {
			p.NoneUseless, p.Topologies = true, dataflow.Acyclic
		})},
		{"NoneUseless: true (it runs no cycle)", lie(atleastonce.Spec(), func(p *dataflow.Properties) { p.NoneUseless = true })},
		{"NoneUseless: false (it has none)", lie(cichmnr.Spec(), func(p *dataflow.Properties) { p.NoneUseless = false })},
		{"Topologies: AnyTopology", lie(aligned.Spec(), func(p *dataflow.Properties) { p.Topologies = dataflow.AnyTopology })},
	}
}

func lie(s *algorithms.Spec, change func(p *dataflow.Properties)) *algorithms.Spec {
	change(&s.Declared)
	return s
}

// oneAtATime is mattern with one mind: what is late is channel state of the
// newest round only, although several may be under way.
func oneAtATime() *algorithms.Spec {
	s := mattern.Spec()
	honest := s.Protocol
	s.Protocol = func(t *dataflow.TaskInfo, c *dataflow.Config) dataflow.Protocol {
		lying := *c
		lying.Mutant = mattern.MutantNewestOnly
		return honest(t, &lying)
	}
	return s
}
