package heap

import "sync/atomic"

// versions counts snapshots and knows which captures still read pages. It
// belongs to the owner of the store; captures only ever set their pin's flag.
type versions struct {
	// gen is the number of snapshots taken. What is made now is of this
	// generation, and is seen by later captures only.
	gen uint32
	// shared: what is of a generation below it may be read by a capture, and
	// must be copied before it is written to. 0 when no capture lives. It may
	// be too high until the next poll, never too low.
	shared uint32
	live   []*pin // oldest first
}

// pin keeps pages older than gen from being written to or used again.
type pin struct {
	gen      uint32
	released atomic.Bool // set by the capture, on its goroutine
}

// pin begins a new generation and puts p on everything older.
func (v *versions) pin(p *pin) {
	v.poll()
	v.gen++
	p.gen = v.gen
	v.live = append(v.live, p)
	v.shared = v.gen
}

// poll forgets released pins.
func (v *versions) poll() {
	kept := v.live[:0]
	for _, p := range v.live {
		if !p.released.Load() {
			kept = append(kept, p)
		}
	}
	clear(v.live[len(kept):])
	v.live, v.shared = kept, 0
	if len(kept) > 0 {
		v.shared = kept[len(kept)-1].gen
	}
}

// frozen says whether something made in generation gen may be read by a
// capture. It is the slow path: first compare gen with shared.
func (v *versions) frozen(gen uint32) bool {
	v.poll()
	return gen < v.shared
}

// pages hands out the pages of one table and takes them back when no capture
// reads them any more.
type pages struct {
	v       *versions
	size    int // bytes
	free    [][]byte
	retired []retired // in order of generation
	chunk   []byte    // not handed out yet
	grow    int       // pages in the next chunk
}

// retired is a page that captures up to generation at may still read.
type retired struct {
	buf []byte
	at  uint32
}

const maxChunkBytes = 512 << 10

// get returns a page; its content is arbitrary.
func (p *pages) get() []byte {
	if len(p.free) == 0 && len(p.retired) > 0 {
		p.reclaim()
	}
	if n := len(p.free); n > 0 {
		buf := p.free[n-1]
		p.free[n-1] = nil
		p.free = p.free[:n-1]
		return buf
	}
	if len(p.chunk) == 0 {
		p.grow = min(max(1, 2*p.grow), max(1, maxChunkBytes/p.size))
		p.chunk = make([]byte, p.grow*p.size)
	}
	buf := p.chunk[:p.size:p.size]
	p.chunk = p.chunk[p.size:]
	return buf
}

// put takes back a page of the given generation.
func (p *pages) put(buf []byte, gen uint32) {
	if gen < p.v.shared {
		p.retired = append(p.retired, retired{buf: buf, at: p.v.gen})
		return
	}
	p.free = append(p.free, buf)
}

// reclaim frees the retired pages that only dead captures have seen.
func (p *pages) reclaim() {
	p.v.poll()
	n := len(p.retired)
	if len(p.v.live) > 0 {
		oldest := p.v.live[0].gen
		for n = 0; n < len(p.retired) && p.retired[n].at < oldest; n++ {
		}
	}
	if n == 0 {
		return
	}
	for _, r := range p.retired[:n] {
		p.free = append(p.free, r.buf)
	}
	rest := copy(p.retired, p.retired[n:])
	clear(p.retired[rest:])
	p.retired = p.retired[:rest]
}
