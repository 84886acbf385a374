package sim

// clock is the clock of a worker, which its operators read, or of a coordinator process,
// which knows by it for how long it leads. Its zero value is right.
type clock struct {
	ahead Nanos // of virtual time, when it last was set
	since Nanos // virtual time at which it was set
	extra int64 // nanoseconds that it gains in each nanosecond since
}

// at returns what the clock shows at a virtual time.
func (c *clock) at(now Nanos) Nanos { return now + c.ahead + (now-c.since)*c.extra }

// jump sets the clock forward, or back.
func (c *clock) jump(by Nanos) { c.ahead += by }

// drift makes the clock by/over times as fast as it is.
func (c *clock) drift(now Nanos, by, over int64) {
	c.ahead, c.since = c.at(now)-now, now
	c.extra = (c.extra+1)*by/over - 1
}

// takes returns how much virtual time passes until the clock has counted d, if nobody sets it
// meanwhile.
func (c *clock) takes(d Nanos) Nanos { return (d + c.extra) / (1 + c.extra) }
