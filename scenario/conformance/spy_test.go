package conformance

import (
	"testing"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// spyKernel notes which of its methods are called. One that it does not name is
// not noted, so that a new method of Kernel counts as not exercised.
type spyKernel struct {
	dataflow.Kernel
	called map[string]bool
}

// spy hands a protocol a spyKernel.
type spy struct {
	dataflow.Protocol
	called map[string]bool
}

func (s *spy) Start(k dataflow.Kernel, start dataflow.Start) {
	s.Protocol.Start(&spyKernel{k, s.called}, start)
}

// spyOn wraps p with the hooks that it has: the kernel finds them by type.
func spyOn(t *testing.T, p dataflow.Protocol, called map[string]bool) dataflow.Protocol {
	s := &spy{p, called}
	switch hooks := hooksOf(p); hooks {
	case "":
		return s
	case "After Sealed":
		return struct {
			*spy
			dataflow.Afterer
			dataflow.Sealer
		}{s, p.(dataflow.Afterer), p.(dataflow.Sealer)}
	case "Deliver Stamp":
		return struct {
			*spy
			dataflow.Deliverer
			dataflow.Stamper
		}{s, p.(dataflow.Deliverer), p.(dataflow.Stamper)}
	case "Deliver After Stamp Sealed":
		return struct {
			*spy
			dataflow.Deliverer
			dataflow.Afterer
			dataflow.Stamper
			dataflow.Sealer
		}{s, p.(dataflow.Deliverer), p.(dataflow.Afterer), p.(dataflow.Stamper), p.(dataflow.Sealer)}
	case "After Sealed HoldsOutput Dedups":
		return struct {
			*spy
			dataflow.Afterer
			dataflow.Sealer
			dataflow.Holder
			dataflow.Deduper
		}{s, p.(dataflow.Afterer), p.(dataflow.Sealer), p.(dataflow.Holder), p.(dataflow.Deduper)}
	case "Deliver Stamp Sealed Dedups Recall":
		return struct {
			*spy
			dataflow.Deliverer
			dataflow.Stamper
			dataflow.Sealer
			dataflow.Deduper
			dataflow.Decider
		}{s, p.(dataflow.Deliverer), p.(dataflow.Stamper), p.(dataflow.Sealer), p.(dataflow.Deduper), p.(dataflow.Decider)}
	default:
		t.Fatalf("no spy for a protocol with the hooks %s: add a case", hooks)
		return nil
	}
}

func (s *spyKernel) Info() *dataflow.TaskInfo { s.called["Info"] = true; return s.Kernel.Info() }
func (s *spyKernel) Attempt() id.Attempt      { s.called["Attempt"] = true; return s.Kernel.Attempt() }
func (s *spyKernel) Config() *dataflow.Config { s.called["Config"] = true; return s.Kernel.Config() }
func (s *spyKernel) IsDrained() bool          { s.called["IsDrained"] = true; return s.Kernel.IsDrained() }
func (s *spyKernel) Ended(in int, stream bool) bool {
	s.called["Ended"] = true
	return s.Kernel.Ended(in, stream)
}
func (s *spyKernel) Block(in int)           { s.called["Block"] = true; s.Kernel.Block(in) }
func (s *spyKernel) Unblock(in int)         { s.called["Unblock"] = true; s.Kernel.Unblock(in) }
func (s *spyKernel) Pause(on bool)          { s.called["Pause"] = true; s.Kernel.Pause(on) }
func (s *spyKernel) Limit(o id.Offset) bool { s.called["Limit"] = true; return s.Kernel.Limit(o) }
func (s *spyKernel) Broadcast(op uint8, e id.Epoch, p dataflow.Place, data []byte) {
	s.called["Broadcast"] = true
	s.Kernel.Broadcast(op, e, p, data)
}
func (s *spyKernel) Reply(in int, data []byte) { s.called["Reply"] = true; s.Kernel.Reply(in, data) }
func (s *spyKernel) Flush()                    { s.called["Flush"] = true; s.Kernel.Flush() }
func (s *spyKernel) Demote(in int, b *dataflow.Buffer) {
	s.called["Demote"] = true
	s.Kernel.Demote(in, b)
}
func (s *spyKernel) Mark(in int) dataflow.Mark { s.called["Mark"] = true; return s.Kernel.Mark(in) }
func (s *spyKernel) Begin(e id.Epoch, base id.Epoch) *dataflow.Draft {
	s.called["Begin"] = true
	return s.Kernel.Begin(e, base)
}
func (s *spyKernel) Abandon(e id.Epoch) { s.called["Abandon"] = true; s.Kernel.Abandon(e) }
func (s *spyKernel) ReleaseBase(base id.Epoch) {
	s.called["ReleaseBase"] = true
	s.Kernel.ReleaseBase(base)
}
func (s *spyKernel) Commit(e id.Epoch) { s.called["Commit"] = true; s.Kernel.Commit(e) }
func (s *spyKernel) Finish()           { s.called["Finish"] = true; s.Kernel.Finish() }
func (s *spyKernel) Release(out int, upTo id.Seq) {
	s.called["Release"] = true
	s.Kernel.Release(out, upTo)
}
func (s *spyKernel) Resend(out int, bs []*dataflow.Buffer) {
	s.called["Resend"] = true
	s.Kernel.Resend(out, bs)
}
func (s *spyKernel) Delivered(in int) id.Seq {
	s.called["Delivered"] = true
	return s.Kernel.Delivered(in)
}
func (s *spyKernel) SealedUpTo(out int) id.Seq {
	s.called["SealedUpTo"] = true
	return s.Kernel.SealedUpTo(out)
}
func (s *spyKernel) Tell(data []byte) { s.called["Tell"] = true; s.Kernel.Tell(data) }
func (s *spyKernel) After(d dataflow.Nanos) id.Ticket {
	s.called["After"] = true
	return s.Kernel.After(d)
}
func (s *spyKernel) Store(op state.Op) id.Ticket { s.called["Store"] = true; return s.Kernel.Store(op) }
func (s *spyKernel) Draw(c dataflow.Choice, n int) int {
	s.called["Draw"] = true
	return s.Kernel.Draw(c, n)
}
func (s *spyKernel) Observe(k dataflow.TraceKind, e id.Epoch, text string) {
	s.called["Observe"] = true
	s.Kernel.Observe(k, e, text)
}
