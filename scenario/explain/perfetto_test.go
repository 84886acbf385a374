package explain_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
)

// field is one field of a protobuf message, decoded by hand: what wrote it has no
// part in reading it.
type field struct {
	number int
	value  uint64
	bytes  []byte
}

func decode(b []byte) (all []field, err error) {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, fmt.Errorf("no tag in %x", b)
		}
		b = b[n:]
		f := field{number: int(tag >> 3)}
		switch tag & 7 {
		case 0:
			if f.value, n = binary.Uvarint(b); n <= 0 {
				return nil, fmt.Errorf("field %d: no number", f.number)
			}
			b = b[n:]
		case 1:
			f.value, b = binary.LittleEndian.Uint64(b), b[8:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || uint64(len(b)-n) < size {
				return nil, fmt.Errorf("field %d: cut off", f.number)
			}
			f.bytes, b = b[n:n+int(size)], b[n+int(size):]
		default:
			return nil, fmt.Errorf("field %d of type %d", f.number, tag&7)
		}
		all = append(all, f)
	}
	return all, nil
}

// message returns the fields of a message by number.
func message(t *testing.T, b []byte) map[int][]field {
	t.Helper()
	all, err := decode(b)
	if err != nil {
		t.Fatal(err)
	}
	m := map[int][]field{}
	for _, f := range all {
		m[f.number] = append(m[f.number], f)
	}
	return m
}

// TestPerfetto reads a trace back: every event on a track that was described, time
// never goes back, slices nest and end, and a flow joins two events of two tracks.
func TestPerfetto(t *testing.T) {
	for _, f := range failures {
		x := f.tell(t)
		var b bytes.Buffer
		if err := x.run.WritePerfetto(&b, x.told); err != nil {
			t.Fatal(err)
		}
		names, parents := map[uint64]string{}, map[uint64]uint64{}
		depth, flows := map[uint64]int{}, map[uint64][]uint64{}
		now, instants, violations := uint64(0), 0, 0
		for _, raw := range message(t, b.Bytes())[1] {
			p := message(t, raw.bytes)
			if p[10][0].value == 0 {
				t.Fatal("a packet without a sequence")
			}
			if d := p[60]; d != nil {
				m := message(t, d[0].bytes)
				id := m[1][0].value
				if names[id] = string(m[2][0].bytes); m[5] != nil {
					parents[id] = m[5][0].value
				}
				continue
			}
			if p[8][0].value < now {
				t.Fatalf("%s: time goes back from %d to %d", f.oracle, now, p[8][0].value)
			}
			now = p[8][0].value
			e := message(t, p[11][0].bytes)
			track := e[11][0].value
			if names[track] == "" {
				t.Fatalf("%s: an event on track %d, which nothing describes", f.oracle, track)
			}
			switch e[9][0].value {
			case 1:
				if depth[track]++; depth[track] > 1 {
					t.Fatalf("%s: slices of %s, %s overlap", f.oracle, names[parents[track]], names[track])
				}
			case 2:
				if depth[track]--; depth[track] < 0 {
					t.Fatalf("%s: a slice of %s ends that has not begun", f.oracle, names[track])
				}
			case 3:
				if instants++; len(e[23]) != 1 || len(e[4]) != 1 {
					t.Fatalf("%s: an instant without a name or a sentence", f.oracle)
				}
				if string(e[22][0].bytes) == "violation" {
					violations++
				}
			}
			for _, id := range e[47] {
				flows[id.value] = append(flows[id.value], track)
			}
		}
		if want := len(x.run.Events); instants < want || violations != 1 {
			t.Errorf("%s: %d instants of %d events, %d violations", f.oracle, instants, want, violations)
		}
		for track, d := range depth {
			if d != 0 {
				t.Errorf("%s: %d slices of %s never end", f.oracle, d, names[track])
			}
		}
		for id, ends := range flows {
			if len(ends) != 2 || ends[0] == ends[1] {
				t.Errorf("%s: flow %d joins %d", f.oracle, id, ends)
			}
		}
		if len(flows) < 100 || len(names) < len(x.run.Lines) {
			t.Errorf("%s: %d flows, %d tracks", f.oracle, len(flows), len(names))
		}
	}
}
