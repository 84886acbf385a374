package sinks

import "weir/dataflow"

// rows collects whole input buffers: rows travel in the framing of
// dataflow.AppendRecord from the last operator to the external store.
type rows struct {
	data  []byte // the open rows; what is free behind them is for those to come
	count int
	last  int // bytes taken last, as a guess for the next
}

// blockBytes is the least that is allocated at a time: small transactions stand
// in one block, one behind the other.
const blockBytes = 2048

func (r *rows) add(b *dataflow.Buffer) {
	if need := len(r.data) + len(b.Data); need > cap(r.data) {
		r.data = append(make([]byte, 0, max(need+need/4, r.last, blockBytes)), r.data...)
	}
	r.data = append(r.data, b.Data...)
	r.count += int(b.Records)
}

// take hands the rows over: the bytes are immutable from now on.
func (r *rows) take() (data []byte, count int) {
	n := len(r.data)
	if n == 0 {
		return nil, 0
	}
	data, count = r.data[:n:n], r.count
	r.data, r.count, r.last = r.data[n:], 0, n
	return data, count
}
