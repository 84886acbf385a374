package live

import (
	"testing"

	"weir/dataflow"
	"weir/id"
)

// TestCountsTellPayloadFromControl: what the algorithm puts on a channel is not
// payload, and what the records take is not control.
func TestCountsTellPayloadFromControl(t *testing.T) {
	r := &runner{
		j: &Job{control: newMailbox[report]()}, outs: []*link{{receiver: &runner{inbox: newMailbox[message]()}}},
		ins: []*link{{sender: &runner{inbox: newMailbox[message]()}}},
	}
	h := (*host)(r)
	records := dataflow.AppendRecord(nil, []byte("four"))
	h.Send(0, &dataflow.Buffer{Records: 1, N: 1, Data: records, Stamp: []byte("ab")})
	want := Counts{RecordsOut: 1, BuffersOut: 1, BytesOut: 5, StampBytes: 2}
	if r.local != want {
		t.Errorf("after a record: got %+v\nwant %+v", r.local, want)
	}
	barrier := &dataflow.Buffer{Item: dataflow.Control, Op: 1, Epoch: id.MakeEpoch(1, 2), N: 1, Data: []byte("xyz")}
	h.Send(0, barrier)
	want.BuffersOut, want.ControlBytes = 2, uint64(len(dataflow.EncodeBuffer(nil, barrier)))
	if want.ControlBytes < 8+3 {
		t.Errorf("a barrier with an epoch and %d bytes takes %d", len(barrier.Data), want.ControlBytes)
	}
	if r.local != want {
		t.Errorf("after a barrier: got %+v\nwant %+v", r.local, want)
	}
	h.Tell(make([]byte, 10))
	h.Back(0, make([]byte, 100))
	if want.ControlBytes += 110; r.local != want {
		t.Errorf("after messages: got %+v\nwant %+v", r.local, want)
	}
	h.Send(0, &dataflow.Buffer{Item: dataflow.EndData, N: 1})
	want.BuffersOut++
	if r.local != want {
		t.Errorf("the end of the data is neither: got %+v\nwant %+v", r.local, want)
	}
}
