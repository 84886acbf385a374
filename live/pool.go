package live

import "sync"

// pool runs jobs on at most limit goroutines, in the order of their submission.
// Goroutines are started when needed and stay until close.
type pool struct {
	mu      sync.Mutex
	work    sync.Cond
	jobs    []func()
	limit   int
	workers int
	idle    int
	closed  bool
	ended   sync.WaitGroup
}

func newPool(limit int) *pool {
	p := &pool{limit: limit}
	p.work.L = &p.mu
	return p
}

// submit queues f; after close it drops it.
func (p *pool) submit(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.jobs = append(p.jobs, f)
	switch {
	case p.idle >= len(p.jobs):
		p.work.Signal()
	case p.workers < p.limit:
		p.workers++
		p.ended.Add(1)
		go p.run()
	default:
		p.work.Signal()
	}
}

func (p *pool) run() {
	defer p.ended.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.jobs) == 0 && !p.closed {
			p.idle++
			p.work.Wait()
			p.idle--
		}
		if p.closed {
			return
		}
		f := p.jobs[0]
		p.jobs[0] = nil
		p.jobs = p.jobs[1:]
		p.mu.Unlock()
		f()
		p.mu.Lock()
	}
}

// close drops what is queued and waits for what runs.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.jobs = nil
	p.work.Broadcast()
	p.mu.Unlock()
	p.ended.Wait()
}
