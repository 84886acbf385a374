package scenario

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"weir/algorithms/lease"
	"weir/dataflow"
	"weir/faults"
)

// LeaseConfig is for how long who leads in runs with several coordinators: four times a
// renewal, which takes three operations of storage.
func LeaseConfig() lease.Config { return lease.Config{Duration: 40e6, Renew: 10e6, Drift: 2e6} }

// clockError bounds in millionths how wrong the clock of a coordinator process is: a slow one and a
// fast one differ by no more than the drift of the lease after one of them has counted its duration.
func clockError() int {
	l := LeaseConfig()
	return int(l.Drift * 1_000_000 / (2*l.Duration + l.Drift))
}

// candidate returns what campaigns in a coordinator process.
func (r *Runner) candidate(h dataflow.CandidateHost, nonce uint64) dataflow.Candidate {
	return lease.NewParty(h, LeaseConfig(), r.job.Name, nonce, r.cfg.Mutant)
}

// setCoordinators sees to a standby where there is a failover, and returns why there is none.
func (c *Config) setCoordinators() error {
	if c.Coordinators < 0 {
		return fmt.Errorf("%d coordinator processes; a job has at least 1, and 2 with a standby", c.Coordinators)
	}
	failsOver := slices.Contains(c.Operations, faults.Failover) || slices.ContainsFunc(c.Plan.Faults, func(f faults.Fault) bool { return f.Kind == faults.Failover })
	if c.Coordinators == 1 && failsOver {
		return errors.New("1 coordinator process and a failover do not go together: nobody is there to take over; give --coordinators 2 or more, or leave it out")
	}
	if c.Coordinators == 0 && failsOver {
		c.Coordinators = 2
	}
	return nil
}

// standbyFor reports what a fault or operation lacks of coordinator processes.
func (c *Config) standbyFor(f *faults.Fault) error {
	switch n := c.Coordinators; {
	case f.Target == faults.Process && n < 2:
		return fmt.Errorf("fault %s: one coordinator process leads by no clock; give --coordinators 2 or more", f)
	case f.Target == faults.Process && f.Worker >= n:
		return fmt.Errorf("fault %s: the run has coordinator processes 0 to %d", f, n-1)
	case f.Kind == faults.Failover && f.Duration > 0 && f.Duration < int64(LeaseConfig().Duration):
		return fmt.Errorf("operation %s: a lease is good for %s, and who stands still for less leads on; give more, or no time for a leader that is lost", f, time.Duration(LeaseConfig().Duration))
	}
	return nil
}

// outOfBounds tells a run whose clocks are further apart than leases allow: two may lead at once.
func outOfBounds(p *faults.Plan) bool {
	return slices.ContainsFunc(p.Faults, func(f faults.Fault) bool { return f.Target == faults.Process })
}
