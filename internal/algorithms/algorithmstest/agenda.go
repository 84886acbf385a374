package algorithmstest

import "container/heap"

// Agenda is virtual time for the processes of a test: what is to happen, in order of time
// and then of asking. The zero Agenda is empty, at time 0. It is for one goroutine.
type Agenda struct {
	Now   int64 // nanoseconds
	seq   int
	queue queue
}

// After has something happen when so many nanoseconds have passed.
func (a *Agenda) After(by int64, do func()) { heap.Push(&a.queue, due{a.Now + by, a.Moment(), do}) }

// Moment numbers what happens, from 1.
func (a *Agenda) Moment() int {
	a.seq++
	return a.seq
}

// Run lets everything happen up to a time: what is due then is the last.
func (a *Agenda) Run(until int64) {
	for a.queue.Len() > 0 && a.Now < until {
		d := heap.Pop(&a.queue).(due)
		a.Now = d.at
		d.do()
	}
}

// due is something that happens at a time.
type due struct {
	at  int64
	seq int
	do  func()
}

type queue []due

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)   { *q = append(*q, x.(due)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
