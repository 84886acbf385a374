package job

import (
	"testing"

	"weir/live"
	"weir/trace/cost"
)

func TestPartsOfACheckpointDoNotOverlap(t *testing.T) {
	fs := newMeasuredFS(func() int64 { return 0 }, nil, nil)
	fs.syncs = []interval{{55, 70}, {60, 75}, {5, 12}, {90, 200}} // the first two side by side, the others outside
	w := &watcher{r: &run{storageFS: fs}}
	c := live.Checkpoint{Triggered: 0, Completed: 100}
	c.Cost.Set(cost.Total, 100).Set(cost.Travel, 10).Set(cost.Alignment, 5).Set(cost.Sync, 5).Set(cost.Async, 90).Set(cost.Put, 60).
		Set(cost.Ack, 5).Set(cost.Metadata, 10)
	c = w.split(c)
	if syncs, writing := c.Cost.Get(cost.Fsync), c.Cost.Get(cost.Async); syncs != 20 || writing != 45 {
		t.Errorf("syncs %d, writing %d of the 65 that the other parts leave, want 20 and 45", syncs, writing)
	}
}

func TestQuotaIsADiskThatFillsUp(t *testing.T) {
	q := newQuota(10)
	if q.take(10) != nil || q.take(1) == nil {
		t.Error("ten bytes and no more were to fit")
	}
	if newQuota(0).take(1<<40) != nil {
		t.Error("without a limit something did not fit")
	}
}

func TestSteadyThroughput(t *testing.T) {
	for _, c := range []struct {
		rates []float64
		want  bool
	}{{[]float64{1, 1}, false}, {[]float64{5, 100, 95, 91}, true}, {[]float64{100, 100, 89}, false}, {[]float64{0, 0, 0}, false}} {
		if got := isSteady(c.rates, steadySlices); got != c.want {
			t.Errorf("%v: steady %v", c.rates, got)
		}
	}
}
