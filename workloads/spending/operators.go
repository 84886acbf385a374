package spending

import (
	"encoding/binary"
	"fmt"

	"weir/dataflow"
	"weir/dataflow/operators"
	"weir/state"
)

const (
	recordBytes = 41
	rowBytes    = 64
	keyBytes    = 8

	step   = 10 // of event time, from record to record
	jitter = 50 // how far a record may be behind that
)

// The kinds of records, and the ports that they take.
const (
	aPayment = iota
	aLimit
)

// record is what a source emits.
type record struct {
	seq, of       uint64 // of: an account, or a class
	time          int64
	amount, parts int64
}

func (r *record) append(dst []byte, kind byte) []byte {
	for _, v := range []uint64{r.seq, r.of, uint64(r.time), uint64(r.amount), uint64(r.parts)} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return append(dst, kind)
}

// open returns a split: payments and limits.
func (s *settings) open(index, of int) (operators.Partition, error) {
	var buf [recordBytes]byte
	emit := func(seq uint64, out *dataflow.Output) {
		kind := byte(aPayment)
		if s.isLimit(seq) {
			kind = aLimit
		}
		r := record{seq, s.account(seq), s.time(seq), s.amount(seq), s.parts(seq)}
		out.Emit(r.append(buf[:0], kind))
	}
	return &operators.Numbered{Index: index, Of: of, Records: s.numEvents, Emit: emit, Promise: promised}, nil
}

// promised is the watermark in front of a record.
func promised(seq uint64) int64 { return int64(seq)*step - jitter }

// accountHash is the hash of a payment's account, for the exchange.
func accountHash(rec []byte) uint64 { return state.HashBytes(rec[8 : 8+keyBytes]) }

// When a payment or limit is, in the order in which it counts.
type when struct {
	time int64
	seq  uint64
}

var whenCodec = &state.StructCodec[when]{
	ID: "time,seq/1", Size: 16,
	Write: func(dst []byte, w when) []byte {
		return binary.BigEndian.AppendUint64(state.AppendTime(dst, w.time), w.seq)
	},
	Read: func(r *state.Reader) when {
		b := r.Raw(16)
		if b == nil {
			return when{}
		}
		return when{state.TimeOf(b), binary.BigEndian.Uint64(b[8:])}
	},
}

// tally is a sum and of how many: what a payment brings, and the accumulator of an account.
type tally struct{ sum, n int64 }

var tallyCodec = &state.StructCodec[tally]{
	ID: "sum,number/1", Size: 16,
	Write: func(dst []byte, t tally) []byte { return state.Int64.Append(state.Int64.Append(dst, t.sum), t.n) },
	Read:  func(r *state.Reader) tally { return tally{int64(r.Uint64()), int64(r.Uint64())} },
}

// mean takes amounts into tallies.
var mean = state.Aggregator[int64, tally, int64]{
	Create: func() tally { return tally{} },
	Add:    func(t tally, amount int64) tally { return tally{t.sum + amount, t.n + 1} },
	Merge:  func(a, b tally) tally { return tally{a.sum + b.sum, a.n + b.n} },
	Result: func(t tally) int64 { return t.sum / t.n },
}

// rule is which limit of a class: the key of the broadcast state.
type rule struct {
	class uint64
	when
}

var ruleCodec = &state.StructCodec[rule]{
	ID: "class,time,seq/1", Size: 24,
	Write: func(dst []byte, r rule) []byte {
		return whenCodec.Append(binary.BigEndian.AppendUint64(dst, r.class), r.when)
	},
	Read: func(r *state.Reader) rule {
		class := r.Raw(8)
		w := whenCodec.Read(r)
		if class == nil {
			return rule{}
		}
		return rule{binary.BigEndian.Uint64(class), w}
	},
}

// watcher handles payments in order of event time.
type watcher struct {
	settings settings
	ctx      *dataflow.Context
	out      *dataflow.Output

	limits  *dataflow.BroadcastState[rule, int64]
	waiting *state.Map[when, tally] // of an account: its payments to come
	recent  *state.List[int64]      // amounts of its last ones
	parts   *state.Aggregating[int64, tally, int64]
	most    *state.Reducing[int64]
	told    *state.Value[int64] // the payment that it was told of
	numbers state.Items[tally]  // account and number of its payments, of this task; when it was restored, of others too
	at      map[uint64]int      // of an account in numbers; made anew when they are restored
	row     [rowBytes]byte
	due     []payment
}

// payment is one whose time has come.
type payment struct {
	when
	tally
}

// Open opens the state.
func (w *watcher) Open(ctx *dataflow.Context) (err error) {
	w.ctx, w.out = ctx, ctx.Out(0)
	s, store, tallies := &w.settings, ctx.Store(), tallyCodecOf(w.settings.version)
	within := func(d int64) state.TTL { return state.TTL{Clock: state.EventTime, Duration: d} }
	quiet := within(s.quiet)
	quiet.OnRead = true
	if w.limits, err = dataflow.OpenBroadcast(ctx, "limits", ruleCodec, state.Int64); err != nil {
		return err
	}
	if w.numbers, err = state.ItemsOf(ctx.List("numbers", state.Union), tallies); err != nil {
		return err
	}
	if w.waiting, err = state.OpenMap(store, "waiting", whenCodec, tallies); err != nil {
		return err
	}
	if w.recent, err = state.OpenList(store, "recent", state.Int64, within(s.window)); err != nil {
		return err
	}
	if w.parts, err = state.OpenAggregating(store, "parts", tallies, mean, within(s.idle)); err != nil {
		return err
	}
	if w.most, err = state.OpenReducing(store, "most", state.Int64, func(a, b int64) int64 { return max(a, b) }); err != nil {
		return err
	}
	w.told, err = state.OpenValue(store, "told", state.Int64, quiet)
	return err
}

// Process takes payments on one port and limits on the other.
func (w *watcher) Process(port int, b *dataflow.Buffer) error {
	for rec, rest := dataflow.NextRecord(b.Data); rec != nil; rec, rest = dataflow.NextRecord(rest) {
		if len(rec) != recordBytes || int(rec[recordBytes-1]) != port {
			return fmt.Errorf("spending: a record of %d bytes on port %d; they have %d and their kind at the end", len(rec), port, recordBytes)
		}
		word := func(i int) uint64 { return binary.LittleEndian.Uint64(rec[8*i:]) }
		at := when{int64(word(2)), word(0)}
		if port == aLimit {
			w.limits.Put(rule{word(1), at}, int64(word(3)))
			continue
		}
		account := rec[8 : 8+keyBytes]
		w.waiting.Put(w.ctx.Key(account), at, tally{int64(word(3)), int64(word(4))})
		w.ctx.Timer(at.time+1, account)
	}
	return nil
}

// OnTimer handles the payments of an account that were made just before.
func (w *watcher) OnTimer(at int64, account []byte) error {
	k := w.ctx.Key(account)
	w.due = w.due[:0]
	w.waiting.Each(k, func(when when, amount tally) bool {
		if when.time < at {
			w.due = append(w.due, payment{when, amount})
		}
		return when.time < at
	})
	for _, p := range w.due {
		w.waiting.Delete(k, p.when)
		w.handle(k, binary.LittleEndian.Uint64(account), p)
	}
	return nil
}

// handle makes the row of a payment.
func (w *watcher) handle(k state.Key, account uint64, p payment) {
	w.recent.Append(k, p.sum)
	var last tally
	w.recent.Each(k, func(amount int64) bool {
		last.sum, last.n = last.sum+amount, last.n+1
		return true
	})
	if p.n == 1 {
		w.parts.Add(k, p.sum)
	} else {
		w.parts.Merge(k, p.tally)
	}
	w.most.Add(k, p.sum)
	w.count(account)
	mean, _ := w.parts.Get(k)
	most, _ := w.most.Get(k)
	limit, told := w.limitOf(account%uint64(w.settings.classes), p.when), int64(0)
	if last.sum > limit {
		told = 1
		if _, lately := w.told.Get(k); !lately {
			told = 2
			w.told.Set(k, int64(p.seq))
		}
	}
	w.emit(int64(p.seq), int64(account), limit, last.n, last.sum, mean, most, told)
}

// limitOf returns the newest limit of a class at a time, 0 if there is none.
func (w *watcher) limitOf(class uint64, at when) (limit int64) {
	w.limits.Each(func(r rule, v int64) bool {
		if r.class == class && r.time <= at.time {
			limit = v
		}
		return r.class <= class
	})
	return limit
}

// count counts a payment of an account. Of others, and of the past of this one, there
// may be items in the list, which the number of tasks has brought here.
func (w *watcher) count(account uint64) {
	if w.at == nil {
		w.index()
	}
	at, known := w.at[account]
	if !known {
		at = w.numbers.Len()
		w.at[account] = at
		w.numbers.Add(tally{int64(account), 0})
	}
	t := w.numbers.At(at)
	w.numbers.Set(at, tally{t.sum, t.n + 1})
}

// index finds out which item is of which account. Tasks that are no more have left
// items of the same account: the greatest number is the newest.
func (w *watcher) index() {
	w.at = map[uint64]int{}
	for i := range w.numbers.Len() {
		t := w.numbers.At(i)
		if at, twice := w.at[uint64(t.sum)]; !twice || t.n > w.numbers.At(at).n {
			w.at[uint64(t.sum)] = i
		}
	}
}

func (w *watcher) emit(words ...int64) {
	for i, v := range words {
		binary.LittleEndian.PutUint64(w.row[8*i:], uint64(v))
	}
	w.out.Emit(w.row[:])
}

// Finish makes the rows of this task's accounts that have not had theirs.
func (w *watcher) Finish() error {
	w.index()
	mine := w.ctx.Info().Groups
	var key [keyBytes]byte
	for i := range w.numbers.Len() {
		t := w.numbers.At(i)
		if w.at[uint64(t.sum)] != i {
			continue
		}
		if g := state.KeyOfUint64(&key, uint64(t.sum), w.ctx.Info().NumGroups).Group; g >= mine.Lo && g < mine.Hi && !w.ctx.Finished(g) {
			w.emit(-1, t.sum, 0, t.n, 0, 0, 0, 0)
		}
	}
	return nil
}
