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
	s.called["Start"] = true
	s.Protocol.Start(&spyKernel{k, s.called}, start)
}

// spyHooks notes which hooks the kernel calls; it is used only for those that the
// protocol has.
type spyHooks struct {
	p      dataflow.Protocol
	called map[string]bool
}

func (h *spyHooks) Announce(in int, b *dataflow.Buffer) {
	h.called["Announcer"] = true
	h.p.(dataflow.Announcer).Announce(in, b)
}

func (h *spyHooks) Deliver(in int, b *dataflow.Buffer) {
	h.called["Deliverer"] = true
	h.p.(dataflow.Deliverer).Deliver(in, b)
}

func (h *spyHooks) After(in int) {
	h.called["Afterer"] = true
	h.p.(dataflow.Afterer).After(in)
}

func (h *spyHooks) Stamp(out int) []byte {
	h.called["Stamper"] = true
	return h.p.(dataflow.Stamper).Stamp(out)
}

func (h *spyHooks) Sealed(out int, b *dataflow.Buffer) {
	h.called["Sealer"] = true
	h.p.(dataflow.Sealer).Sealed(out, b)
}

func (h *spyHooks) HoldsOutput() bool {
	holds := h.p.(dataflow.Holder).HoldsOutput()
	h.called["Holder"] = h.called["Holder"] || holds
	return holds
}

func (h *spyHooks) Dedups() bool {
	dedups := h.p.(dataflow.Deduper).Dedups()
	h.called["Deduper"] = h.called["Deduper"] || dedups
	return dedups
}

func (h *spyHooks) Recall(c dataflow.Choice) (uint64, bool) {
	v, ok := h.p.(dataflow.Decider).Recall(c)
	h.called["Decider"] = h.called["Decider"] || ok // a choice was made again
	return v, ok
}

func (h *spyHooks) Record(c dataflow.Choice, v uint64) { h.p.(dataflow.Decider).Record(c, v) }

// spyOn wraps p with the hooks that it has: the kernel finds them by type.
func spyOn(t *testing.T, p dataflow.Protocol, called map[string]bool) dataflow.Protocol {
	s, h := &spy{p, called}, &spyHooks{p, called}
	switch hooks := hooksOf(p); hooks {
	case "":
		return s
	case "Announce":
		return struct {
			*spy
			dataflow.Announcer
		}{s, h}
	case "After":
		return struct {
			*spy
			dataflow.Afterer
		}{s, p.(dataflow.Afterer)}
	case "After Sealed":
		return struct {
			*spy
			dataflow.Afterer
			dataflow.Sealer
		}{s, h, h}
	case "Deliver Stamp":
		return struct {
			*spy
			dataflow.Deliverer
			dataflow.Stamper
		}{s, h, h}
	case "Deliver Stamp Sealed":
		return struct {
			*spy
			dataflow.Deliverer
			dataflow.Stamper
			dataflow.Sealer
		}{s, h, h, h}
	case "Deliver After Stamp Sealed":
		return struct {
			*spy
			dataflow.Deliverer
			dataflow.Afterer
			dataflow.Stamper
			dataflow.Sealer
		}{s, h, h, h, h}
	case "After Sealed HoldsOutput Dedups":
		return struct {
			*spy
			dataflow.Afterer
			dataflow.Sealer
			dataflow.Holder
			dataflow.Deduper
		}{s, h, h, h, h}
	case "Deliver Stamp Sealed Dedups Recall":
		return struct {
			*spy
			dataflow.Deliverer
			dataflow.Stamper
			dataflow.Sealer
			dataflow.Deduper
			dataflow.Decider
		}{s, h, h, h, h, h}
	default:
		t.Fatalf("no spy for a protocol with the hooks %s: add a case", hooks)
		return nil
	}
}

func (s *spyKernel) Info() *dataflow.TaskInfo { s.called["Kernel.Info"] = true; return s.Kernel.Info() }
func (s *spyKernel) Attempt() id.Attempt {
	s.called["Kernel.Attempt"] = true
	return s.Kernel.Attempt()
}
func (s *spyKernel) Config() *dataflow.Config {
	s.called["Kernel.Config"] = true
	return s.Kernel.Config()
}
func (s *spyKernel) IsDrained() bool {
	s.called["Kernel.IsDrained"] = true
	return s.Kernel.IsDrained()
}
func (s *spyKernel) Firing() bool { s.called["Kernel.Firing"] = true; return s.Kernel.Firing() }
func (s *spyKernel) Ended(in int, stream bool) bool {
	s.called["Kernel.Ended"] = true
	return s.Kernel.Ended(in, stream)
}
func (s *spyKernel) Block(in int)   { s.called["Kernel.Block"] = true; s.Kernel.Block(in) }
func (s *spyKernel) Unblock(in int) { s.called["Kernel.Unblock"] = true; s.Kernel.Unblock(in) }
func (s *spyKernel) Pause(on bool)  { s.called["Kernel.Pause"] = true; s.Kernel.Pause(on) }
func (s *spyKernel) HoldClock(on bool) {
	s.called["Kernel.HoldClock"] = true
	s.Kernel.HoldClock(on)
}
func (s *spyKernel) Limit(o id.Offset) bool {
	s.called["Kernel.Limit"] = true
	return s.Kernel.Limit(o)
}
func (s *spyKernel) Broadcast(op uint8, e id.Epoch, p dataflow.Place, data []byte) {
	s.called["Kernel.Broadcast"] = true
	s.Kernel.Broadcast(op, e, p, data)
}
func (s *spyKernel) Reply(in int, data []byte) {
	s.called["Kernel.Reply"] = true
	s.Kernel.Reply(in, data)
}
func (s *spyKernel) Flush() { s.called["Kernel.Flush"] = true; s.Kernel.Flush() }
func (s *spyKernel) Demote(in int, b *dataflow.Buffer) {
	s.called["Kernel.Demote"] = true
	s.Kernel.Demote(in, b)
}
func (s *spyKernel) LiftInput(in int, e id.Epoch) bool {
	lifted := s.Kernel.LiftInput(in, e)
	s.called["Kernel.LiftInput"] = s.called["Kernel.LiftInput"] || lifted
	return lifted
}
func (s *spyKernel) LiftOutput(out int, e id.Epoch) bool {
	lifted := s.Kernel.LiftOutput(out, e)
	s.called["Kernel.LiftOutput"] = s.called["Kernel.LiftOutput"] || lifted
	return lifted
}
func (s *spyKernel) Mark(in int) dataflow.Mark {
	s.called["Kernel.Mark"] = true
	return s.Kernel.Mark(in)
}
func (s *spyKernel) Begin(e id.Epoch, base id.Epoch) *dataflow.Draft {
	s.called["Kernel.Begin"] = true
	return s.Kernel.Begin(e, base)
}
func (s *spyKernel) Abandon(e id.Epoch) { s.called["Kernel.Abandon"] = true; s.Kernel.Abandon(e) }
func (s *spyKernel) ReleaseBase(base id.Epoch) {
	s.called["Kernel.ReleaseBase"] = true
	s.Kernel.ReleaseBase(base)
}
func (s *spyKernel) Commit(e id.Epoch) { s.called["Kernel.Commit"] = true; s.Kernel.Commit(e) }
func (s *spyKernel) Finish()           { s.called["Kernel.Finish"] = true; s.Kernel.Finish() }
func (s *spyKernel) Release(out int, upTo id.Seq) {
	s.called["Kernel.Release"] = true
	s.Kernel.Release(out, upTo)
}
func (s *spyKernel) Resend(out int, bs []*dataflow.Buffer) {
	s.called["Kernel.Resend"] = true
	s.Kernel.Resend(out, bs)
}
func (s *spyKernel) Delivered(in int) id.Seq {
	s.called["Kernel.Delivered"] = true
	return s.Kernel.Delivered(in)
}
func (s *spyKernel) SealedUpTo(out int) id.Seq {
	s.called["Kernel.SealedUpTo"] = true
	return s.Kernel.SealedUpTo(out)
}
func (s *spyKernel) Tell(data []byte) { s.called["Kernel.Tell"] = true; s.Kernel.Tell(data) }
func (s *spyKernel) After(d dataflow.Nanos) id.Ticket {
	s.called["Kernel.After"] = true
	return s.Kernel.After(d)
}
func (s *spyKernel) Store(op state.Op) id.Ticket {
	s.called["Kernel.Store"] = true
	return s.Kernel.Store(op)
}
func (s *spyKernel) Draw(c dataflow.Choice, n int) int {
	s.called["Kernel.Draw"] = true
	return s.Kernel.Draw(c, n)
}
func (s *spyKernel) Observe(k dataflow.TraceKind, e id.Epoch, text string) {
	s.called["Kernel.Observe"] = true
	s.Kernel.Observe(k, e, text)
}

func (s *spy) Control(in int, b *dataflow.Buffer) {
	s.called["Control"] = true
	s.Protocol.Control(in, b)
}

func (s *spy) InputEnded(in int, stream bool) {
	s.called["InputEnded"] = true
	s.Protocol.InputEnded(in, stream)
}

func (s *spy) Drained() {
	s.called["Drained"] = true
	s.Protocol.Drained()
}

func (s *spy) AtLimit() {
	s.called["AtLimit"] = true
	s.Protocol.AtLimit()
}

func (s *spy) Message(data []byte) {
	s.called["Message"] = true
	s.Protocol.Message(data)
}

func (s *spy) Reply(out int, data []byte) {
	s.called["Reply"] = true
	s.Protocol.Reply(out, data)
}

func (s *spy) Timer(t id.Ticket) {
	s.called["Timer"] = true
	s.Protocol.Timer(t)
}

func (s *spy) Stored(e id.Epoch, d dataflow.Stored) {
	s.called["Stored"] = true
	s.Protocol.Stored(e, d)
}

func (s *spy) StoreFailed(e id.Epoch, err error) {
	s.called["StoreFailed"] = true
	s.Protocol.StoreFailed(e, err)
}

func (s *spy) Done(t id.Ticket, r state.Result) {
	s.called["Done"] = true
	s.Protocol.Done(t, r)
}

func (s *spy) Connected(out int, seen id.Seq) {
	s.called["Connected"] = true
	s.Protocol.Connected(out, seen)
}

func (s *spy) Thawed(a id.Attempt) {
	s.called["Thawed"] = true
	s.Protocol.Thawed(a)
}

func (s *spy) Left() {
	s.called["Left"] = true
	s.Protocol.Left()
}
