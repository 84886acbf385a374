// The oracle of leaders: where who leads has a lease, nobody takes the lead while another process
// holds its lease still, by the clock of that one. The driver has looked at all of them.
//
// It does not verify what two that lead at once do, which is for all other oracles to judge; nor
// anything where a fault has set clocks further apart than leases allow (Checker.MayLeadTwice).

package check

import "weir/trace"

type leaders struct{ judge }

func newLeaders(j judge) watcher { return &leaders{j} }

func (o *leaders) Wants() trace.Mask { return kinds(trace.CoordinatorStarted) }

func (o *leaders) Reset() {}

func (o *leaders) Finish(End) {}

func (o *leaders) Observe(e *trace.Event) {
	if e.To > 0 && !o.mayLeadTwice {
		o.violate(trace.Coordinator, 0, "a coordinator has started %s while %d others hold their leases still, by clocks that differ by less than leases allow", e.Text, e.To)
	}
}
