package recording

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
	"sync"

	"weir/dataflow"
	"weir/id"
	"weir/state"
)

// Version is the version of the format.
const Version = 4

const magic = "WEIRRECO"

type entryKind uint8

const (
	entryIncarnation entryKind = iota + 1 // task, attempt
	entryEvent                            // connection, event
	entryChain                            // chain after the event
	entryDraw                             // choice, n, answer
	entryNow                              // time
	entryRandom                           // number
	entryFail                             // text
	entryTransfer                         // ticket, operation without data, result
)

// Writer writes a recording. Safe for concurrent use; errors are sticky and
// come out of Close.
type Writer struct {
	mu    sync.Mutex
	w     *bufio.Writer
	buf   []byte
	count uint64
	err   error
}

// NewWriter begins a recording on w. Close it when the run has ended.
func NewWriter(w io.Writer) *Writer {
	r := &Writer{w: bufio.NewWriterSize(w, 1<<16)}
	head := append([]byte(magic), Version, 0)
	_, r.err = r.w.Write(head)
	return r
}

// Close writes out what is buffered and returns the first error met. It does
// not close the underlying writer.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.w.Flush(); w.err == nil {
		w.err = err
	}
	return w.err
}

// Incarnation begins the record of a new incarnation.
func (w *Writer) Incarnation(t id.TaskID, a id.Attempt) *Track {
	w.mu.Lock()
	w.count++
	k := &Track{w: w, number: w.count}
	w.mu.Unlock()
	k.entry(entryIncarnation, func(b []byte) []byte {
		b = binary.AppendUvarint(b, uint64(t))
		return binary.AppendUvarint(b, uint64(a))
	})
	return k
}

// Track records one incarnation. All methods but TransferResult are called
// inside or around Step, in the order in which things happen.
type Track struct {
	w      *Writer
	number uint64
}

func (k *Track) entry(kind entryKind, content func([]byte) []byte) {
	w := k.w
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	b := append(w.buf[:0], 0, 0, 0, 0, 0, 0, 0, 0, byte(kind))
	b = content(binary.AppendUvarint(b, k.number))
	binary.LittleEndian.PutUint32(b, uint32(len(b)-8))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli()))
	_, w.err = w.w.Write(b)
	w.buf = b
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Event records ev before it is stepped. connection identifies the connection
// of an arrival, or the one that EvConnected begins; 0 otherwise.
func (k *Track) Event(ev *dataflow.Event, connection uint64) {
	k.entry(entryEvent, func(b []byte) []byte {
		return appendEvent(binary.AppendUvarint(b, connection), ev)
	})
}

// Chain records the chain of the task after the event.
func (k *Track) Chain(sum uint64) { k.number64(entryChain, sum) }

// Draw records an answer to Host.Draw.
func (k *Track) Draw(c dataflow.Choice, n, answer int) {
	k.entry(entryDraw, func(b []byte) []byte {
		b = append(b, byte(c))
		b = binary.AppendUvarint(b, uint64(n))
		return binary.AppendUvarint(b, uint64(answer))
	})
}

// Now records an answer to Host.Now.
func (k *Track) Now(v int64) { k.number64(entryNow, uint64(v)) }

// Random records an answer to Host.Random.
func (k *Track) Random(v uint64) { k.number64(entryRandom, v) }

// Fail records Host.Fail.
func (k *Track) Fail(err error) {
	k.entry(entryFail, func(b []byte) []byte { return state.AppendString(b, err.Error()) })
}

// TransferResult records the outcome of one operation of the transfer with
// ticket t. It may be called from any goroutine, before the transfer's EvTransfer.
func (k *Track) TransferResult(t id.Ticket, op state.Op, r state.Result) {
	k.entry(entryTransfer, func(b []byte) []byte {
		b = binary.AppendUvarint(b, uint64(t))
		b = append(b, byte(op.Kind))
		b = state.AppendString(b, op.Key)
		return appendResult(b, &r)
	})
}

func (k *Track) number64(kind entryKind, v uint64) {
	k.entry(kind, func(b []byte) []byte { return binary.LittleEndian.AppendUint64(b, v) })
}
