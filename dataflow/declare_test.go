package dataflow

import "testing"

// TestUndeclaredChoices: an operator that reads the clock, draws a number or sets a timer
// of the clock in a vertex that does not say so fails, and is told what to say.
func TestUndeclaredChoices(t *testing.T) {
	for method, call := range map[string]func(c *Context){
		"Now":             func(c *Context) { c.Now() },
		"Random":          func(c *Context) { c.Random() },
		"ProcessingTimer": func(c *Context) { c.ProcessingTimer(5, []byte("k")) },
	} {
		for _, declared := range []bool{true, false} {
			op := &forward{}
			op.each = func(string) { call(op.ctx) }
			r := newRig(t, "middle", op, nil)
			r.job.Graph.Vertices[1].NonDeterministic = declared
			r.task = nil // what is wired is not read again
			r.renew()
			r.start(1, TaskPlan{})
			r.arrive(0, 1, "a")
			r.turns()
			if !declared {
				r.fails("of vertex middle calls Context." + method)
				r.fails("set NonDeterministic in the vertex")
			} else if r.failure != nil {
				t.Errorf("%s, declared: %v", method, r.failure)
			}
		}
	}
	op := &vault{}
	r := newRig(t, "sink", op, nil)
	r.start(1, TaskPlan{})
	if op.ctx.Now(); r.failure != nil {
		t.Errorf("a sink may measure: %v", r.failure)
	}
}
