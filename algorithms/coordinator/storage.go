package coordinator

import (
	"fmt"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// ReadStorage takes the lead, if the client has not claimed it yet, lists the given
// prefixes and reads the newest plan (nil if there is none); highest is its number.
// That the client still leads is confirmed after the listing: the plan above highest
// is its to make, or somebody has made it.
func ReadStorage(c *Client, j *dataflow.JobInfo, prefixes []string, then func(p *PlanRecord, highest id.Attempt, rows []state.Entry, err error)) {
	c.Claim(j, func(err error) {
		if err != nil {
			then(nil, 0, nil, err)
			return
		}
		readStorage(c, j, prefixes, then)
	})
}

func readStorage(c *Client, j *dataflow.JobInfo, prefixes []string, then func(p *PlanRecord, highest id.Attempt, rows []state.Entry, err error)) {
	c.List(append([]string{PlanPrefix}, prefixes...), func(all []state.Entry, err error) {
		var highest id.Attempt
		var rows []state.Entry
		for _, r := range all {
			if n, ok := AttemptOfPlan(r.Key); ok {
				highest = max(highest, n)
			} else {
				rows = append(rows, r)
			}
		}
		if err != nil || highest == 0 {
			then(nil, 0, rows, err)
			return
		}
		c.Confirm(func(err error) {
			if err != nil {
				then(nil, 0, nil, err)
				return
			}
			c.Do(state.Op{Kind: state.OpGet, Key: PlanKey(highest)}, func(r state.Result) {
				if r.Status == state.NotFound { // it was listed: a newer one stands by now
					readStorage(c, j, prefixes, then)
					return
				}
				p, err := readPlan(j, r)
				if err != nil {
					err = fmt.Errorf("%s: %w", PlanKey(highest), err)
				}
				then(p, highest, rows, err)
			})
		})
	})
}

func readPlan(j *dataflow.JobInfo, r state.Result) (*PlanRecord, error) {
	if r.Status != state.OK {
		return nil, Error("read", r)
	}
	p, err := DecodePlan(r.Data)
	if err == nil && p.Job != j.Name {
		return nil, anotherJob(p.Job, j.Name)
	}
	return p, err
}

// DropPlans deletes the plans below number, of which only the newest counts, and
// calls then when they are gone. A job that ends before leaves them to nobody.
func DropPlans(c *Client, number id.Attempt, then func()) {
	c.List([]string{PlanPrefix}, func(rows []state.Entry, err error) {
		var old []string
		for _, r := range rows {
			if n, ok := AttemptOfPlan(r.Key); ok && n < number {
				old = append(old, r.Key)
			}
		}
		c.Delete(old, then)
	})
}
