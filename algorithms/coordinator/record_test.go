package coordinator

import (
	"reflect"
	"testing"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

func sampleRecord() *Record {
	long := make([]id.Seq, 40) // more positions than there is room for at first
	for i := range long {
		long[i] = id.Seq(i * 1000)
	}
	return &Record{Job: "job", Epoch: id.MakeEpoch(2, 7), Nonce: 9, Shape: Shape{{"source", 1}, {"count", 2}}, Parts: []Part{
		{Ref: "snap/t0/2.7", Epoch: id.MakeEpoch(2, 7), Size: 100, State: 50, Delivered: []id.Seq{}, Sealed: []id.Seq{3, 300}},
		{Ref: "snap/t1/2.7", Epoch: id.MakeEpoch(2, 7), Drained: true, Delivered: long, Sealed: long[:3], Files: []state.FileRef{
			{Name: "files/t1/2.7-1", Size: 10, Sum: 77}, {Name: "files/t1/1.2-4", Size: 20, Shared: true},
		}},
		{Ref: "snap/t2/1.9", Epoch: id.MakeEpoch(1, 9), Left: true, Drained: true, Delivered: []id.Seq{1}, Sealed: []id.Seq{}, InBytes: 5, OutBytes: 6, Changed: 7},
	}}
}

func TestRecordRoundTrips(t *testing.T) {
	r := sampleRecord()
	data := r.Encode()
	got, err := DecodeRecord(data)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("came back as %+v, %v; want %+v", got, err, r)
	}
	keys, err := ReferencesOf(data)
	want := []string{"snap/t0/2.7", "snap/t1/2.7", "files/t1/2.7-1", "files/t1/1.2-4", "snap/t2/1.9"}
	if err != nil || !reflect.DeepEqual(keys, want) || !reflect.DeepEqual(r.References(), want) {
		t.Errorf("references %q, %v, of the record %q; want %q", keys, err, r.References(), want)
	}
	for n := range data { // every truncation is noticed by both
		_, err1 := DecodeRecord(data[:n])
		_, err2 := ReferencesOf(data[:n])
		if err1 == nil || err2 == nil {
			t.Fatalf("cut after %d of %d bytes: %v, %v", n, len(data), err1, err2)
		}
	}
}

func TestMessageRoundTrips(t *testing.T) {
	h := dataflow.Header{Epoch: id.MakeEpoch(1, 2), Delivered: []id.Seq{1, 2, 3}, Sealed: []id.Seq{4}}
	s := dataflow.Stored{Ref: "snap/t0/1.2", Size: 12, Header: h}
	for _, m := range []Message{
		{Kind: "of an algorithm", Epoch: 5, Base: 4}, {Kind: Decline, Epoch: 5, Text: "no room"}, {Kind: Ack, Epoch: h.Epoch, Stored: &s},
	} {
		got, part, err := DecodeMessage(m.Encode())
		want := m
		want.Stored = nil
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%+v came back as %+v, %v", m, got, err)
		}
		if want := PartOf(&s); m.Kind == Ack && !reflect.DeepEqual(part, want) {
			t.Errorf("part %+v, want %+v", part, want)
		}
	}
}

// TestPositionsDoNotOverlap: growing the delivered positions of a share leaves
// the sealed ones behind them alone.
func TestPositionsDoNotOverlap(t *testing.T) {
	got, err := DecodeRecord(sampleRecord().Encode())
	if err != nil {
		t.Fatal(err)
	}
	p := &got.Parts[2]
	p.Sealed = append(p.Sealed, 8)
	if p.Delivered = append(p.Delivered, 9); p.Sealed[0] != 8 {
		t.Errorf("sealed %v", p.Sealed)
	}
}
