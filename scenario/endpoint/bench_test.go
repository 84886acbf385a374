package endpoint_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	algorithmcatalog "weir/algorithms/catalog"
	"weir/dataflow"
	"weir/external"
	"weir/live"
	"weir/scenario"
	"weir/scenario/endpoint"
	"weir/scenario/inspect"
	"weir/state/storage"
	"weir/workloads/keyedcount"
)

// The load, and for how long it is put on each arm before the other has its turn.
const (
	perRequest = 100
	perSecond  = 100 // requests: 10,000 keys
	clients    = 8
	window     = 2 * time.Second
	settling   = 200 * time.Millisecond // at the beginning of a window, not counted
	pairs      = 15
	benchKeys  = 100_000
)

// BenchmarkQueries measures what queries cost a job that runs as fast as it can: 10,000 keys a second, 100
// in a request, against the same load on an endpoint that does nothing but say what the job's has said
// once. The arms take turns in one run of one job. loss-% is the median of what the job is slower by in a pair,
// in percent; the pairs in which it was faster count as they are. Run it alone:
//
//	go test ./scenario/endpoint -run '^$' -bench Queries -benchtime 1x
func BenchmarkQueries(b *testing.B) {
	for _, backend := range []string{"heap", "pebble"} {
		b.Run(backend, func(b *testing.B) {
			for range b.N {
				measure(b, backend)
			}
		})
	}
}

func measure(b *testing.B, backend string) {
	job, handler, end := endless(b, backend)
	defer end()
	defer transport.CloseIdleConnections()
	real := httptest.NewServer(handler)
	defer real.Close()
	path := request(real.URL)
	canned := ask(b, path)
	for deadline := time.Now().Add(patience); canned == nil || bytes.Contains(canned, []byte(`"entries":[]`)); canned = ask(b, path) {
		if time.Now().After(deadline) {
			b.Fatal("the job has not seen every key")
		}
	}
	nothing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(canned)
	}))
	defer nothing.Close()
	var losses, rates []float64
	for n := range pairs {
		order := []string{nothing.URL, real.URL}
		if n%2 == 1 {
			slices.Reverse(order)
		}
		rate := map[string]float64{}
		for _, url := range order {
			rate[url] = under(b, job, request(url))
		}
		losses = append(losses, 100*(1-rate[real.URL]/rate[nothing.URL]))
		rates = append(rates, rate[nothing.URL])
	}
	slices.Sort(losses)
	slices.Sort(rates)
	b.ReportMetric(losses[pairs/2], "loss-%")
	b.ReportMetric(losses[pairs/4], "loss-q1-%")
	b.ReportMetric(losses[pairs-1-pairs/4], "loss-q3-%")
	b.ReportMetric(rates[pairs/2], "records/s")
	b.ReportMetric(0, "ns/op")
}

// request is one that asks for keys all over the state.
func request(url string) string {
	var q strings.Builder
	for k := range perRequest {
		fmt.Fprintf(&q, "&key=0x%02x%02x%02x0000000000", k*997%256, k*997/256%256, k*997/65536)
	}
	return url + "/state/count/counts?" + q.String()[1:]
}

// transport keeps a connection for each client.
var transport = &http.Transport{MaxIdleConnsPerHost: clients}

// ask returns what an endpoint says, nil if it refuses.
func ask(b *testing.B, url string) []byte {
	q, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		b.Error(err)
		return nil
	}
	a, err := transport.RoundTrip(q)
	if err != nil {
		b.Error(err)
		return nil
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		b.Error(err)
		return nil
	}
	if a.StatusCode != http.StatusOK {
		return nil
	}
	return body
}

// under returns the records that the job processes a second while the load is on: requests that are
// due at their times, from several clients, so that one that waits holds up no other.
func under(b *testing.B, job *live.Job, url string) float64 {
	const requests = int(window * perSecond / time.Second)
	start := time.Now()
	var asking sync.WaitGroup
	for c := range clients {
		asking.Add(1)
		go func() {
			defer asking.Done()
			for n := c; n < requests; n += clients {
				time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / perSecond)))
				if ask(b, url) == nil {
					b.Error("a request was refused")
				}
			}
		}()
	}
	time.Sleep(settling)
	from, since := processed(job), time.Now()
	time.Sleep(time.Until(start.Add(window)))
	rate := float64(processed(job)-from) / time.Since(since).Seconds()
	asking.Wait()
	if took := time.Since(start); took > window*11/10 {
		b.Fatalf("%d requests took %v, not %v: the endpoint does not keep up", requests, took, window)
	}
	return rate
}

// processed counts the records that keyed operators have taken.
func processed(job *live.Job) (n int64) {
	for _, t := range job.Stats() {
		if t.Task.Name == "count" {
			n += int64(t.RecordsIn)
		}
	}
	return n
}

// endless starts a job that does not end by itself.
func endless(b *testing.B, backend string) (*live.Job, http.Handler, func()) {
	a, err := algorithmcatalog.Lookup("aligned")
	if err != nil {
		b.Fatal(err)
	}
	w := keyedcount.New()
	for name, v := range map[string]int{"keys": benchKeys, "numEvents": 1 << 40, "emitEvery": 0} {
		if err := w.Set(name, fmt.Sprint(v)); err != nil {
			b.Fatal(err)
		}
	}
	job, _, err := scenario.LiveJob(&scenario.Config{Algorithm: a, State: backend, Workload: w, Parallelism: 2})
	if err != nil {
		b.Fatal(err)
	}
	usual := dataflow.DefaultConfig()
	job.Config.BatchRecords, job.Config.SourceBatch, job.Config.Checkpoint.Interval = usual.BatchRecords, usual.SourceBatch, 1e9
	dir := b.TempDir()
	st, err := storage.OpenDir(vfs.Default, dir+"/checkpoints", storage.DirConfig{})
	if err != nil {
		b.Fatal(err)
	}
	ext, err := external.OpenStore(external.StoreConfig{FS: vfs.NewMem(), Dir: "sink"})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	j, err := live.Start(ctx, live.Config{Job: job, Storage: st, External: ext, FS: vfs.Default, Dir: dir + "/local"})
	if err != nil {
		b.Fatal(err)
	}
	e := endpoint.New(endpoint.Config{Job: j, Storage: st, Read: inspect.Config{FS: vfs.Default, Scratch: dir + "/read", Groups: job.Config.Groups}})
	return j, e, func() {
		cancel()
		_, _ = j.Wait() // it was cancelled
		if err := e.Close(); err != nil {
			b.Error(err)
		}
		_, _ = st.Close(), ext.Close()
		closeBackend(job.Backend)
	}
}
