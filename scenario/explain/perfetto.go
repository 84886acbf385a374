package explain

import (
	"fmt"
	"io"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// The fields of Perfetto's messages that are written, by their numbers in
// protos/perfetto/trace of Perfetto's sources.
const (
	tracePacket = 1 // of Trace

	packetTimestamp  = 8 // of TracePacket; nanoseconds
	packetSequence   = 10
	packetTrackEvent = 11
	packetDescriptor = 60

	trackUUID   = 1 // of TrackDescriptor
	trackName   = 2
	trackParent = 5

	eventAnnotations = 4 // of TrackEvent
	eventType        = 9
	eventTrack       = 11
	eventCategories  = 22
	eventName        = 23
	eventFlows       = 47 // fixed64

	annotationName = 10 // of DebugAnnotation
	annotationText = 6
)

// The types of a TrackEvent.
const (
	sliceBegin = 1
	sliceEnd   = 2
	instant    = 3
)

// sequence is the one writer of the trace.
const sequence = 1

// tracks writes a run as packets. A line is a track with its events as instants;
// its spans are slices on tracks below, so many that slices of one never overlap.
type tracks struct {
	*Run
	out   []byte
	lanes []lane
	flows [][]uint64 // by event
	slice []int      // by span: its lane
}

// lane is a track below that of a line.
type lane struct {
	line, number int
	kind         string
	until        int // the event with which its last slice ends
}

// WritePerfetto writes a whole run as a trace of TrackEvents: a track for each
// line, events as instants, spans as slices, arrows between lines as flows.
func (r *Run) WritePerfetto(w io.Writer, t *Told) error {
	x := &tracks{Run: r, flows: make([][]uint64, len(r.Events)), slice: make([]int, len(r.Spans))}
	for n, a := range r.Arrows {
		if r.Events[a.From].Line != r.Events[a.To].Line {
			x.flows[a.From] = append(x.flows[a.From], uint64(n+1))
			x.flows[a.To] = append(x.flows[a.To], uint64(n+1))
		}
	}
	const job = 1 // the track above all
	x.descriptor(job, 0, t.Combination)
	for n, l := range r.Lines {
		x.descriptor(x.lineTrack(n), job, l.Name)
	}
	x.setLanes()
	for n, l := range x.lanes {
		name := l.kind
		if l.number > 0 {
			name = fmt.Sprintf("%s %d", l.kind, l.number+1)
		}
		x.descriptor(x.laneTrack(n), x.lineTrack(l.line), name)
	}
	x.events(t)
	_, err := w.Write(x.out)
	return err
}

func (x *tracks) lineTrack(line int) uint64 { return 2 + uint64(line) }
func (x *tracks) laneTrack(n int) uint64    { return 2 + uint64(len(x.Lines)) + uint64(n) }

// setLanes gives every span the first lane of its line and kind that is free.
func (x *tracks) setLanes() {
	for n, s := range x.Spans {
		number := 0
		k := slices.IndexFunc(x.lanes, func(l lane) bool {
			if l.line != s.Line || l.kind != s.Kind {
				return false
			}
			number++
			return l.until <= s.From
		})
		if k < 0 {
			k = len(x.lanes)
			x.lanes = append(x.lanes, lane{line: s.Line, number: number, kind: s.Kind})
		}
		x.lanes[k].until, x.slice[n] = s.To, k
	}
}

// events writes everything that happens, in order: where slices meet, the older
// one ends before the newer begins.
func (x *tracks) events(t *Told) {
	begin, end := make([][]int, len(x.Events)+1), make([][]int, len(x.Events)+1)
	for n, s := range x.Spans {
		begin[s.From], end[s.To] = append(begin[s.From], n), append(end[s.To], n)
	}
	last := int64(0)
	for i := range x.Events {
		last = x.Events[i].Time
		for _, n := range end[i] {
			x.packet(last, sliceEnd, x.laneTrack(x.slice[n]), "", "", nil)
		}
		for _, n := range begin[i] {
			name := x.Spans[n].Kind
			if e := x.Spans[n].Epoch; e != 0 {
				name += " " + e.String()
			}
			x.packet(last, sliceBegin, x.laneTrack(x.slice[n]), name, "", nil)
		}
		name := x.Label(i)
		if name == "" {
			name = x.Events[i].Kind.String()
		}
		category := groupOf(x.Events[i].Kind)
		if slices.Contains(x.Chain, i) {
			category = "cause"
		}
		if i == x.At {
			name, category = name+": violates "+x.Violation.Oracle.String(), "violation"
		}
		x.packet(last, instant, x.lineTrack(x.Events[i].Line), name, category, x.flows[i], x.Sentence(i))
	}
	if x.Violation != nil && x.At == len(x.Events) {
		x.packet(last, instant, x.lineTrack(coordinatorLine), "at the end: violates "+x.Violation.Oracle.String(), "violation", nil, t.Headline(x.Run))
	}
	for _, n := range end[len(x.Events)] {
		x.packet(last, sliceEnd, x.laneTrack(x.slice[n]), "", "", nil)
	}
}

// packet writes one TrackEvent.
func (x *tracks) packet(at int64, kind, track uint64, name, category string, flows []uint64, told ...string) {
	var e []byte
	for _, text := range told {
		var a []byte
		a = appendText(a, annotationName, "what")
		a = appendText(a, annotationText, text)
		e = appendBytes(e, eventAnnotations, a)
	}
	e = appendNumber(e, eventType, kind)
	e = appendNumber(e, eventTrack, track)
	if category != "" {
		e = appendText(e, eventCategories, category)
	}
	if name != "" {
		e = appendText(e, eventName, name)
	}
	for _, f := range flows {
		e = protowire.AppendFixed64(protowire.AppendTag(e, eventFlows, protowire.Fixed64Type), f)
	}
	p := appendNumber(nil, packetTimestamp, uint64(at))
	p = appendNumber(p, packetSequence, sequence)
	x.out = appendBytes(x.out, tracePacket, appendBytes(p, packetTrackEvent, e))
}

// descriptor writes one TrackDescriptor; parent 0: none.
func (x *tracks) descriptor(track, parent uint64, name string) {
	d := appendNumber(nil, trackUUID, track)
	d = appendText(d, trackName, name)
	if parent != 0 {
		d = appendNumber(d, trackParent, parent)
	}
	p := appendNumber(nil, packetSequence, sequence)
	x.out = appendBytes(x.out, tracePacket, appendBytes(p, packetDescriptor, d))
}

func appendNumber(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), v)
}

func appendText(b []byte, field protowire.Number, v string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), v)
}
