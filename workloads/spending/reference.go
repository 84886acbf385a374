package spending

import (
	"cmp"
	"fmt"
	"slices"
)

// past is what a sequential evaluation keeps of an account: all of it.
type past struct {
	times, amounts []int64
	parts          int64 // of the sum since the last rest
	sum, most      int64
	silent         int64 // nobody is told again before
	told           bool
}

// Reference goes through all records in order of event time, limits first.
func (w *Workload) Reference() ([][]byte, error) {
	s := &w.settings
	order := make([]uint64, s.numEvents)
	for i := range order {
		order[i] = uint64(i)
	}
	slices.SortFunc(order, func(a, b uint64) int {
		second := func(seq uint64) int {
			if s.isLimit(seq) {
				return 0
			}
			return 1
		}
		return cmp.Or(cmp.Compare(s.time(a), s.time(b)), second(a)-second(b), cmp.Compare(a, b))
	})
	limits, accounts := map[uint64]int64{}, map[uint64]*past{}
	var rows [][]byte
	for _, seq := range order {
		if s.isLimit(seq) {
			limits[s.account(seq)] = s.amount(seq)
			continue
		}
		account := s.account(seq)
		if accounts[account] == nil {
			accounts[account] = &past{}
		}
		rows = append(rows, accounts[account].row(s, seq, limits[account%uint64(s.classes)]))
	}
	for account, p := range accounts { //det:unordered sorted below
		rows = append(rows, fmt.Appendf(nil, `{"account":%d,"payments":%d}`, account, len(p.times)))
	}
	slices.SortFunc(rows, slices.Compare)
	return rows, nil
}

// row takes in a payment.
func (p *past) row(s *settings, seq uint64, limit int64) []byte {
	t, amount, parts := s.time(seq), s.amount(seq), s.parts(seq)
	if n := len(p.times); n > 0 && t-p.times[n-1] >= s.idle {
		p.sum, p.parts = 0, 0
	}
	p.times, p.amounts = append(p.times, t), append(p.amounts, amount)
	p.sum, p.parts, p.most = p.sum+amount, p.parts+parts, max(p.most, amount)
	n, sum := 0, int64(0)
	for i := range p.times {
		if t-p.times[i] < s.window {
			n, sum = n+1, sum+p.amounts[i]
		}
	}
	told := 0
	if sum > limit {
		told = 1
		if !p.told || t >= p.silent {
			told = 2
		}
		p.told, p.silent = true, t+s.quiet
	}
	return fmt.Appendf(nil, `{"seq":%d,"account":%d,"limit":%d,"payments":%d,"sum":%d,"mean":%d,"most":%d,"told":%d}`,
		seq, s.account(seq), limit, n, sum, p.sum/p.parts, p.most, told)
}
