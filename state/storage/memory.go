package storage

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/cespare/xxhash/v2"

	"weir/id"
	"weir/state"
)

// DefaultMemoryLimit is the largest object, in bytes, that Memory takes unless
// it is told otherwise.
const DefaultMemoryLimit = 5 << 20

// Memory is storage in the coordinator's memory. It lasts as long as the
// object, keeps the bytes it is given without copying them, and refuses objects
// above its limit. A run of operations has the same outcome every time; it is
// the substance under the simulated storage too. Safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	limit   int
	objects []object // by key
	logs    []memoryLog
	fences  []fence
	scratch []logEntry
	size    int64
}

type object struct {
	key  string
	data []byte
	sum  uint64
}

type memoryLog struct {
	key string
	logIndex
}

type fence struct {
	prefix  string
	attempt id.Attempt
}

// NewMemory returns an empty storage. limit is the largest object, and the
// largest single append to a log, in bytes; 0 means DefaultMemoryLimit, a
// negative one no limit.
func NewMemory(limit int) *Memory {
	m := &Memory{}
	m.Reset(limit)
	return m
}

// Reset empties the storage, keeping what it has allocated for itself.
func (m *Memory) Reset(limit int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if limit == 0 {
		limit = DefaultMemoryLimit
	}
	clear(m.objects)
	clear(m.logs)
	clear(m.fences)
	clear(m.scratch[:cap(m.scratch)])
	m.objects, m.logs, m.fences, m.scratch = m.objects[:0], m.logs[:0], m.fences[:0], m.scratch[:0]
	m.limit, m.size = limit, 0
}

// Do carries one operation out. It never fails with an unknown outcome.
func (m *Memory) Do(op state.Op) state.Result {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := checkKey(op); err != nil {
		return refuse(op, "%w", err)
	}
	switch op.Kind {
	case state.OpPut, state.OpCreate:
		return m.put(op)
	case state.OpGet:
		return m.get(op)
	case state.OpList:
		return m.list(op.Key)
	case state.OpDelete:
		return m.remove(op.Key)
	case state.OpAppend:
		return m.appendLog(op)
	case state.OpReadLog:
		return m.readLog(op)
	case state.OpTrim:
		if i, found := m.findLog(op.Key); found {
			m.logs[i].trim(op.To)
		}
		return ok()
	case state.OpFence:
		return m.fence(op)
	}
	return refuse(op, "%w", errNoKind)
}

// find returns where the object key stands, or would stand.
func (m *Memory) find(key string) (int, bool) {
	from, to := 0, len(m.objects)
	for from < to {
		if half := (from + to) / 2; m.objects[half].key < key {
			from = half + 1
		} else {
			to = half
		}
	}
	return from, from < len(m.objects) && m.objects[from].key == key
}

func (m *Memory) put(op state.Op) state.Result {
	if m.limit > 0 && len(op.Data) > m.limit {
		return refuse(op, "%d bytes are more than the %d bytes that an object in coordinator memory may have; use a directory as checkpoint storage, or raise the limit", len(op.Data), m.limit)
	}
	i, found := m.find(op.Key)
	if !found {
		m.size += int64(len(op.Data))
		m.objects = slices.Insert(m.objects, i, object{op.Key, op.Data, xxhash.Sum64(op.Data)})
		return ok()
	}
	o := &m.objects[i]
	if op.Kind == state.OpCreate {
		if bad := o.verify(op); bad.Status != 0 {
			return bad
		}
		if !bytes.Equal(o.data, op.Data) {
			return state.Result{Status: state.Lost, Data: o.data}
		}
		return ok()
	}
	m.size += int64(len(op.Data) - len(o.data))
	o.data, o.sum = op.Data, xxhash.Sum64(op.Data)
	return ok()
}

// verify returns a result of Status 0 if the object is as it was written.
func (o *object) verify(op state.Op) state.Result {
	if got := xxhash.Sum64(o.data); got != o.sum {
		return corrupt(op, "checksum of the object in memory is %016x, it was written with %016x; use an earlier checkpoint", got, o.sum)
	}
	return state.Result{}
}

func (m *Memory) get(op state.Op) state.Result {
	i, found := m.find(op.Key)
	if !found {
		return state.Result{Status: state.NotFound}
	}
	o := &m.objects[i]
	if bad := o.verify(op); bad.Status != 0 {
		return bad
	}
	return state.Result{Status: state.OK, Data: o.data}
}

func (m *Memory) list(prefix string) state.Result {
	r := ok()
	i, _ := m.find(prefix)
	end := i
	for end < len(m.objects) && strings.HasPrefix(m.objects[end].key, prefix) {
		end++
	}
	r.List = slices.Grow(r.List, end-i)
	for ; i < end; i++ {
		r.List = append(r.List, state.Entry{Key: m.objects[i].key, Size: int64(len(m.objects[i].data))})
	}
	return r
}

func (m *Memory) remove(key string) state.Result {
	if i, found := m.find(key); found {
		m.size -= int64(len(m.objects[i].data))
		m.objects = slices.Delete(m.objects, i, i+1)
	}
	return ok()
}

func (m *Memory) findLog(key string) (int, bool) {
	return slices.BinarySearchFunc(m.logs, key, func(l memoryLog, key string) int { return strings.Compare(l.key, key) })
}

// fenced reports whether an attempt may no longer append to a log.
func (m *Memory) fenced(key string, a id.Attempt) bool {
	for i := range m.fences {
		if a < m.fences[i].attempt && strings.HasPrefix(key, m.fences[i].prefix) {
			return true
		}
	}
	return false
}

func (m *Memory) fence(op state.Op) state.Result {
	i, found := slices.BinarySearchFunc(m.fences, op.Key, func(f fence, key string) int { return strings.Compare(f.prefix, key) })
	if !found {
		m.fences = slices.Insert(m.fences, i, fence{prefix: op.Key})
	}
	m.fences[i].attempt = max(m.fences[i].attempt, op.Attempt)
	return ok()
}

func (m *Memory) appendLog(op state.Op) state.Result {
	i, found := m.findLog(op.Key)
	if m.fenced(op.Key, op.Attempt) || found && op.Attempt < m.logs[i].attempt {
		return state.Result{Status: state.Lost}
	}
	if m.limit > 0 && len(op.Data) > m.limit {
		return refuse(op, "an append of %d bytes is more than the %d bytes that coordinator memory takes at once; use a directory as checkpoint storage, or raise the limit", len(op.Data), m.limit)
	}
	run, err := parseRun(m.scratch[:0], op.Data, op.From, op.To, op.Attempt)
	m.scratch = run
	if err != nil {
		return refuse(op, "%w", err)
	}
	if !found {
		m.logs = slices.Insert(m.logs, i, memoryLog{key: op.Key})
	}
	l := &m.logs[i]
	if err := l.cut(op.Attempt, op.From); err != nil {
		return refuse(op, "%w", err)
	}
	for k := range run {
		missing, err := l.missing(&run[k])
		if err != nil {
			return refuse(op, "%w", err)
		}
		if missing {
			l.add(run[k])
		}
	}
	return ok()
}

func (m *Memory) readLog(op state.Op) state.Result {
	i, found := m.findLog(op.Key)
	if !found {
		if op.From >= op.To {
			return ok()
		}
		return state.Result{Status: state.NotFound}
	}
	entries, whole := m.logs[i].covering(op.From, op.To)
	if !whole {
		return state.Result{Status: state.NotFound}
	}
	for k := range entries {
		if e := &entries[k]; e.damaged {
			return corrupt(op, "the entry of positions %d to %d has another checksum than it was written with; use an earlier checkpoint", e.first, e.last)
		}
	}
	size := 0
	for k := range entries {
		size += entries[k].size
	}
	r := state.Result{Status: state.OK, Data: make([]byte, 0, size)}
	for k := range entries {
		r.Data = append(r.Data, entries[k].frame...)
	}
	return r
}
