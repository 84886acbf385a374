package sim

// clock is the clock of a worker, which its operators read, or of a coordinator process,
// which knows by it for how long it leads. Its zero value is right.
type clock struct {
	pace  int64 // millionths by which it is too fast from the beginning
	ahead Nanos // of the time by that pace, when it last was set
	since Nanos // the time by that pace at which it was set
	extra int64 // nanoseconds that it gains in each of those since
}

// millionths in one.
const millionths = 1_000_000

// paced returns the virtual time by the pace of the clock, as if nobody had set it.
func (c *clock) paced(now Nanos) Nanos {
	return now + now/millionths*c.pace + now%millionths*c.pace/millionths
}

// at returns what the clock shows at a virtual time.
func (c *clock) at(now Nanos) Nanos {
	paced := c.paced(now)
	return paced + c.ahead + (paced-c.since)*c.extra
}

// jump sets the clock forward, or back.
func (c *clock) jump(by Nanos) { c.ahead += by }

// drift makes the clock by/over times as fast as it is.
func (c *clock) drift(now Nanos, by, over int64) {
	paced := c.paced(now)
	c.ahead, c.since = c.at(now)-paced, paced
	c.extra = (c.extra+1)*by/over - 1
}

// takes returns how much virtual time passes until the clock has counted d, if nobody sets it
// meanwhile.
func (c *clock) takes(d Nanos) Nanos {
	d = (d + c.extra) / (1 + c.extra)
	counted := millionths + c.pace
	return (d*millionths + counted - 1) / counted
}
