package sinks

import "weir/dataflow"

// rows collects whole input buffers: rows travel in the framing of
// dataflow.AppendRecord from the last operator to the external store.
type rows struct {
	data  []byte
	count int
	last  int // bytes taken last, as a guess for the next
}

func (r *rows) add(b *dataflow.Buffer) {
	if r.data == nil {
		r.data = make([]byte, 0, max(len(b.Data), r.last))
	}
	r.data = append(r.data, b.Data...)
	r.count += int(b.Records)
}

// take hands the rows over: the bytes are immutable from now on.
func (r *rows) take() (data []byte, count int) {
	data, count = r.data, r.count
	r.last = len(data)
	r.data, r.count = nil, 0
	return data, count
}
