package endpoint_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"

	algorithmcatalog "weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external"
	"weir/id"
	"weir/live"
	"weir/scenario"
	"weir/scenario/endpoint"
	"weir/scenario/endpoint/client"
	"weir/scenario/inspect"
	"weir/state"
	"weir/state/storage"
	"weir/workloads/keyedcount"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(status int) { http.DefaultTransport.(*http.Transport).CloseIdleConnections() }))
}

// patience is how long a test waits for what will come: a busy machine is no failure.
const patience = 2 * time.Minute

// gate lets each split emit so many records, and when it is opened the rest.
type gate struct {
	mu     sync.Mutex
	upTo   id.Offset
	isOpen bool
}

func (g *gate) Allow(_ *dataflow.TaskInfo, _ int, o id.Offset, now int64) (n int, next int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.isOpen:
		return 1 << 30, 0
	case o < g.upTo:
		return int(g.upTo - o), 0
	}
	return 0, now + int64(5*time.Millisecond)
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.isOpen = true
}

// jammed is a storage in which no plan is made while it is jammed, and which may come to have no room for
// savepoints.
type jammed struct {
	state.Storage
	mu   sync.Mutex
	full atomic.Bool
}

func (j *jammed) Do(op state.Op) state.Result {
	if j.full.Load() && strings.HasPrefix(op.Key, "save/") {
		return state.Result{Status: state.Refused, Err: errors.New("no room")}
	}
	if op.Kind == state.OpCreate && strings.HasPrefix(op.Key, "plan/") {
		j.mu.Lock()
		defer j.mu.Unlock()
	}
	return j.Storage.Do(op)
}

const (
	keys    = 20
	events  = 2000 // of which half come before the gate is opened
	perGate = 500  // records of each of two splits
)

// rig is a job that counts, with its endpoint.
type rig struct {
	*testing.T
	job     *live.Job
	gate    *gate
	storage *jammed
	disk    vfs.FS
	address string
	client  *client.Client
}

func start(t *testing.T, algorithm, backend string, interval time.Duration) *rig {
	t.Helper()
	a, err := algorithmcatalog.Lookup(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	w := keyedcount.New()
	for name, v := range map[string]int{"keys": keys, "numEvents": events} {
		if err := w.Set(name, strconv.Itoa(v)); err != nil {
			t.Fatal(err)
		}
	}
	cfg := scenario.Config{Algorithm: a, State: backend, Workload: w, Parallelism: 2}
	job, _, err := scenario.LiveJob(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	job.Config.Checkpoint.Interval = dataflow.Nanos(interval)
	disk := vfs.NewMem()
	dir, err := storage.OpenDir(disk, "/checkpoints", storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.NewMem(), Dir: "sink"})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{T: t, disk: disk, gate: &gate{upTo: perGate}, storage: &jammed{Storage: dir}}
	l, err := endpoint.Listen("0")
	if err != nil {
		t.Fatal(err)
	}
	r.job, err = live.Start(context.Background(), live.Config{Job: job, Storage: r.storage, External: ext, FS: disk, Dir: "/local", Pacer: r.gate, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	e := endpoint.New(endpoint.Config{
		Job: r.job, Storage: r.storage, Dir: "/checkpoints", Read: inspect.Config{FS: disk, Scratch: "/read", Groups: job.Config.Groups},
		Rescaled: func(now *dataflow.Job, operator string, to int) (*dataflow.Job, error) {
			return scenario.LiveRescaled(&cfg, now, operator, to)
		},
	})
	e.Serve(l)
	r.address = l.Addr().String()
	r.client = client.New(r.address)
	t.Cleanup(func() {
		r.gate.open()
		_, err := r.job.Wait()
		if err := errors.Join(err, e.Close(), dir.Close(), ext.Close()); err != nil {
			t.Error(err)
		}
		closeBackend(job.Backend)
		if names, err := disk.List("/read"); err == nil && len(names) > 0 {
			t.Errorf("reading has left %q behind", names)
		}
	})
	return r
}

// closeBackend lets go of what the stores of a backend have shared.
func closeBackend(b state.Backend) {
	if c, ok := b.(interface{ Close() }); ok {
		c.Close()
	}
}

// all are the keys of the job, as users write them.
func all() (texts []string) {
	for k := range keys {
		texts = append(texts, strconv.Itoa(k))
	}
	return texts
}

// count adds up what an answer says that was counted.
func (r *rig) count(a *client.Answer) (total uint64) {
	r.Helper()
	for i, k := range a.Keys {
		if k.Key != strconv.Itoa(i) || len(k.Entries) > 1 {
			r.Fatalf("key %d is answered by %+v", i, k)
		}
		for _, e := range k.Entries {
			b, err := hex.DecodeString(e.Bytes)
			if err != nil || len(b) != 16 || e.Key != k.Key || e.Value != "0x"+e.Bytes {
				r.Fatalf("entry %+v: %v", e, err)
			}
			total += binary.LittleEndian.Uint64(b)
		}
	}
	return total
}

// until asks until an answer satisfies; what may be asked again is.
func (r *rig) until(level client.Level, ok func(a *client.Answer) bool) *client.Answer {
	r.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		a, err := r.client.Lookup(context.Background(), "count", "counts", level, all()...)
		var refused *client.Error
		switch {
		case err == nil && ok(a):
			return a
		case err != nil && (!errors.As(err, &refused) || refused.RetryAfter == 0):
			r.Fatal(err)
		case time.Now().After(deadline):
			r.Fatalf("after %v: %+v, %v", patience, a, err)
		}
	}
}

// TestLevels: a job stands still in the middle. What its tasks have is all that they were
// given; the newest checkpoint comes to have the same, and never less than an older one; a failure
// takes nothing of that back.
func TestLevels(t *testing.T) {
	for _, x := range []struct{ algorithm, backend string }{{"aligned", "heap"}, {"unaligned", "pebble"}, {"at-least-once", "pebble-full"}, {"uncoordinated", "heap"}} {
		t.Run(x.algorithm+" "+x.backend, func(t *testing.T) {
			r := start(t, x.algorithm, x.backend, 20*time.Millisecond)
			all, err := r.client.States(context.Background())
			for deadline := time.Now().Add(patience); err != nil && time.Now().Before(deadline); { // it is starting
				time.Sleep(5 * time.Millisecond)
				all, err = r.client.States(context.Background())
			}
			if err != nil || len(all.Operators) != 1 || all.Operators[0].Operator != "count" || all.Operators[0].Parallelism != 2 ||
				!slices.Equal(all.Operators[0].States, []client.State{{State: "counts", Kind: "value", Codec: "count-sum/1"}}) {
				t.Fatalf("there is %+v, %v", all, err)
			}
			a := r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
			if !a.MayBeRolledBack || a.Checkpoint != "" || len(a.Tasks) != 2 || a.Tasks[0].Attempt == 0 {
				t.Errorf("the answer is %+v", a)
			}
			before := uint64(0)
			a = r.until(client.Committed, func(a *client.Answer) bool {
				now := r.count(a)
				if now < before {
					t.Errorf("%d are committed, and %d were", now, before)
				}
				before = now
				return now == 2*perGate
			})
			if a.MayBeRolledBack || a.Checkpoint == "" || len(a.Tasks) != 2 || a.Tasks[0].Attempt != 0 {
				t.Errorf("the answer is %+v", a)
			}
			if err := r.job.KillWorker(1); err != nil {
				t.Fatal(err)
			}
			if a := r.until(client.Committed, func(*client.Answer) bool { return true }); r.count(a) != 2*perGate {
				t.Errorf("after a failure %d are committed", r.count(a))
			}
			r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
			r.gate.open()
			if _, err := r.job.Wait(); err != nil {
				t.Fatal(err)
			}
			var refused *client.Error
			if _, err = r.client.Lookup(context.Background(), "count", "counts", client.Live, "1"); !errors.As(err, &refused) || refused.Status != http.StatusGone {
				t.Errorf("when the job has ended: %v", err)
			}
		})
	}
}

// get returns status, body and Retry-After.
func (r *rig) get(method, path string) (status int, body, again string) {
	r.Helper()
	q, err := http.NewRequestWithContext(context.Background(), method, "http://"+r.address+path, nil)
	if err != nil {
		r.Fatal(err)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		r.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		r.Fatal(err)
	}
	return a.StatusCode, string(b), a.Header.Get("Retry-After")
}

// TestRefusals: each says what was wrong, and what there is.
func TestRefusals(t *testing.T) {
	r := start(t, "aligned", "heap", time.Hour)
	r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
	for _, c := range []struct {
		path   string
		status int
		says   string
		again  string
	}{
		{"/state/counter/counts?key=1", 404, `no operator with keyed state is called \"counter\"; known: count`, ""},
		{"/state/sink/counts?key=1", 404, `known: count`, ""},
		{"/state/count/count?key=1", 404, `operator \"count\" has no keyed state \"count\"; known: counts`, ""},
		{"/state/count/counts", 400, "no key; give at least one", ""},
		{"/state/count/counts?key=0xabc", 400, `key \"0xabc\"`, ""},
		{"/state/count/counts?key=1&level=stable", 400, `unknown level \"stable\"; known: live, committed`, ""},
		{"/state/count/counts?key=1&keys=2", 400, `unknown parameter \"keys\"; known: key, by, level`, ""},
		{"/state/count/counts?key=1&key=2&by=1", 400, "1 times by= for 2 keys", ""},
		{"/state/count/counts?key=1&level=committed", 503, "no checkpoint is complete yet", "1"},
		{"/state/count/counts?key=77777", 200, `"entries":[]`, ""},
	} {
		status, body, again := r.get(http.MethodGet, c.path)
		if status != c.status || !strings.Contains(body, c.says) || again != c.again || c.status != 200 && !strings.HasPrefix(body, `{"error":"`) {
			t.Errorf("%s: %d %s, retry after %q", c.path, status, body, again)
		}
	}
	if status, _, _ := r.get(http.MethodPost, "/state/count/counts?key=1"); status != http.StatusMethodNotAllowed {
		t.Errorf("a POST has status %d", status)
	}
}

// TestRecovering: while the job has no plan to go on by, who asks is told to ask again, and
// what is committed is there all the same.
func TestRecovering(t *testing.T) {
	r := start(t, "aligned", "heap", 20*time.Millisecond)
	r.until(client.Committed, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
	r.storage.mu.Lock()
	err := r.job.KillWorker(1)
	status, body, again := r.get(http.MethodGet, "/state/count/counts?key="+strings.Join(all(), "&key="))
	a, committedErr := r.client.Lookup(context.Background(), "count", "counts", client.Committed, all()...)
	r.storage.mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if status != 503 || again != "1" || !strings.Contains(body, "the job is recovering: count[1] does not run") {
		t.Errorf("%d %s, retry after %q", status, body, again)
	}
	if committedErr != nil || r.count(a) != 2*perGate {
		t.Errorf("what is committed: %+v, %v", a, committedErr)
	}
	r.until(client.Live, func(a *client.Answer) bool { return r.count(a) == 2*perGate })
}

// TestManyAtOnce: whoever asks hinders nobody, and each answer is of one moment.
func TestManyAtOnce(t *testing.T) {
	r := start(t, "aligned", "heap", 10*time.Millisecond)
	r.until(client.Committed, func(*client.Answer) bool { return true })
	var asking sync.WaitGroup
	for n := range 8 {
		level := client.Live
		if n%4 == 0 {
			level = client.Committed
		}
		asking.Add(1)
		go func() {
			defer asking.Done()
			before := uint64(0)
			for range 50 {
				a, err := r.client.Lookup(context.Background(), "count", "counts", level, all()...)
				var refused *client.Error
				if err != nil {
					if !errors.As(err, &refused) || refused.Status != 503 && refused.Status != http.StatusGone {
						t.Error(err)
					}
					return
				}
				if now := r.count(a); now < before || now > events {
					t.Errorf("%s: %d after %d", level, now, before)
				} else {
					before = now
				}
			}
		}()
	}
	r.gate.open()
	asking.Wait()
}

// TestAddress: a port is one of this machine alone.
func TestAddress(t *testing.T) {
	for _, address := range []string{"0", ":0", "127.0.0.1:0"} {
		l, err := endpoint.Listen(address)
		if err != nil {
			t.Fatal(err)
		}
		if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
			t.Errorf("%q listens at %v", address, ip)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, address := range []string{"", "no port", "127.0.0.1:port", "1:2:3"} {
		if l, err := endpoint.Listen(address); err == nil {
			t.Errorf("%q listens at %v", address, l.Addr())
		}
	}
}
