package dataflow

import (
	"weir/id"
	"weir/state"
)

// BaseProtocol does nothing on every call of Protocol: embed it and override.
// The optional hooks have no such base, so that one cannot be declared by accident.
type BaseProtocol struct{}

func (BaseProtocol) Start(Kernel, Start)            {}
func (BaseProtocol) Control(int, *Buffer)           {}
func (BaseProtocol) InputEnded(int, bool)           {}
func (BaseProtocol) Drained()                       {}
func (BaseProtocol) AtLimit()                       {}
func (BaseProtocol) Message([]byte)                 {}
func (BaseProtocol) Reply(int, []byte)              {}
func (BaseProtocol) Timer(id.Ticket)                {}
func (BaseProtocol) Stored(id.Epoch, Stored)        {}
func (BaseProtocol) StoreFailed(id.Epoch, error)    {}
func (BaseProtocol) Done(id.Ticket, state.Result)   {}
func (BaseProtocol) Connected(out int, seen id.Seq) {}
func (BaseProtocol) Thawed(id.Attempt)              {}
func (BaseProtocol) Left()                          {}
