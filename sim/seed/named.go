package seed

import (
	"errors"
	"fmt"
	"strconv"
)

// Named is one decision by its place: the stream and how many draws of that
// stream came before it. It means the same draw as long as that stream is drawn from
// as it was, whatever happens in others.
type Named struct {
	Name  string
	Keys  []uint64
	Index int    // from 0, among the draws of the stream
	N     uint64 // the value is below N; 0 stands for 2^64
	Value uint64
}

// MaxIndex bounds the index of a decision in text, so that a wrong digit does
// not ask for all memory: no run takes so many draws of one stream.
const MaxIndex = 1 << 22

// Named returns the decisions that are not quiet, in the order they were drawn.
// Together with the quiet ones, which are all others, they are the whole run.
func (t *Tape) Named() []Named {
	all := make([]Named, 0, t.Loud())
	drawn := make([]int, len(t.streams))
	for _, d := range t.decisions {
		if d.Value != 0 {
			s := &t.streams[d.Stream]
			all = append(all, Named{s.name, s.keys, drawn[d.Stream], d.N, d.Value})
		}
		drawn[d.Stream]++
	}
	return all
}

// TapeOf returns a tape that replays the decisions given and is quiet elsewhere.
// Of two for one place the later counts.
func TapeOf(named []Named) *Tape {
	b := newBuilder()
	byStream := [][]Decision{}
	for i := range named {
		d := &named[i]
		s := b.stream(d.Name, d.Keys)
		if int(s) == len(byStream) {
			byStream = append(byStream, nil)
		}
		for len(byStream[s]) <= d.Index {
			byStream[s] = append(byStream[s], Decision{Stream: s, N: 1})
		}
		byStream[s][d.Index] = Decision{Stream: s, N: d.N, Value: d.Value}
	}
	for _, list := range byStream {
		b.tape.decisions = append(b.tape.decisions, list...)
	}
	return &b.tape
}

// Departure is a decision that a replay did not take as it was recorded.
type Departure struct {
	Named
	Drawn bool   // the replay came to this place, but
	N     uint64 // chose among so many
}

// String says what became of the decision.
func (d *Departure) String() string {
	if !d.Drawn {
		return fmt.Sprintf("%s was never drawn", &d.Named)
	}
	return fmt.Sprintf("%s was drawn below %s", &d.Named, bound(d.N))
}

// Departures holds a tape that a replay recorded against what it was given. It
// returns the first decision, in the order of named, that no longer applied, nil
// if all did, and how many did not.
func (t *Tape) Departures(named []Named) (first *Departure, count int) {
	type place struct {
		stream uint64
		index  int
	}
	at := make(map[place]Decision, len(t.decisions))
	drawn := make([]int, len(t.streams))
	for _, d := range t.decisions {
		at[place{t.streams[d.Stream].id, drawn[d.Stream]}] = d
		drawn[d.Stream]++
	}
	for _, n := range named {
		d, ok := at[place{identity(n.Name, n.Keys), n.Index}]
		if ok && d.N == n.N {
			continue
		}
		if count++; first == nil {
			first = &Departure{Named: n, Drawn: ok, N: d.N}
		}
	}
	return first, count
}

// String returns the decision as STREAM INDEX VALUE/N, for example
// "delay.link/3 17 41/500".
func (n *Named) String() string { return string(n.AppendText(nil)) }

// AppendText appends the decision as String returns it.
func (n *Named) AppendText(b []byte) []byte {
	b = append(appendStream(b, n.Name, n.Keys), ' ')
	b = append(strconv.AppendInt(b, int64(n.Index), 10), ' ')
	b = append(strconv.AppendUint(b, n.Value, 10), '/')
	return append(b, bound(n.N)...)
}

func bound(n uint64) string {
	if n == 0 {
		return "*"
	}
	return strconv.FormatUint(n, 10)
}

// ParseNamed reads one line as String writes it. An error comes with the column
// it is about, counted in bytes from 1.
func ParseNamed(line string) (n Named, column int, err error) {
	if line == "" {
		return n, 1, errors.New("want STREAM INDEX VALUE/N")
	}
	name, keys, at, err := parseStream(line)
	if err != nil {
		return n, at + 1, err
	}
	if at >= len(line) || line[at] != ' ' {
		return n, at + 1, errors.New("want a space and INDEX VALUE/N after the stream")
	}
	at++
	end := at
	for end < len(line) && '0' <= line[end] && line[end] <= '9' {
		end++
	}
	index, err := strconv.Atoi(line[at:end])
	if err != nil || index > MaxIndex {
		return n, at + 1, fmt.Errorf("index %q: want a number from 0 to %d", clip(line[at:]), MaxIndex)
	}
	if end >= len(line) || line[end] != ' ' {
		return n, end + 1, errors.New("want a space and VALUE/N after the index")
	}
	at = end + 1
	value, of, past, err := parseDecision(line[at:])
	if err != nil {
		return n, at + past + 1, err
	}
	return Named{name, keys, index, of, value}, 0, nil
}
