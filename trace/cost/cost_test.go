package cost

import (
	"slices"
	"testing"
)

func TestEveryPartIsDefined(t *testing.T) {
	names, metrics, stages := map[string]bool{}, map[string]bool{}, map[int]bool{}
	for _, p := range Parts() {
		d := p.Definition()
		if d.Name == "" || d.Legend == "" || d.Meaning == "" || names[d.Name] || metrics[d.Metric] && d.Metric != "" || stages[d.Stage] && d.Stage > 0 {
			t.Errorf("part %d is defined badly, or as another: %+v", p, d)
		}
		names[d.Name], metrics[d.Metric], stages[d.Stage] = true, true, true
		if got, ok := OfMetric(d.Metric); ok != (d.Metric != "") || ok && got != p {
			t.Errorf("%s is the metric of %s, %v", d.Metric, got, ok)
		}
	}
	if got, want := Stages(), []Part{Travel, Alignment, Sync, Async, Fsync, Ack, Metadata}; !slices.Equal(got, want) {
		t.Errorf("stages %v, want %v", got, want)
	}
}

func TestFold(t *testing.T) {
	var a, b Vector[int64]
	a.Set(Sync, 5).Set(Uploaded, 10).Set(Changed, 1).Set(Travel, 4)
	b.Set(Sync, 7).Set(Uploaded, 20)
	c := Fold([]Vector[int64]{a, b})
	if c.Get(Sync) != 7 || c.Get(Uploaded) != 30 || c.Get(Travel) != 4 || !c.Has(Travel) {
		t.Errorf("%+v", c)
	}
	if c.Has(Changed) || c.Get(Changed) != 0 || c.Has(Ack) {
		t.Errorf("what one task does not know is known of both: %+v", c)
	}
	if none := Fold[int64](nil); none.Known != 0 {
		t.Errorf("of no task %+v", none)
	}
	a.Merge(&b)
	if a.Get(Sync) != 12 || a.Get(Travel) != 4 || a.Has(Ack) {
		t.Errorf("%+v", a)
	}
	if r := InResults(new(Vector[int64]).Set(Sync, 1_500_000).Set(Inflight, 3)); r.Get(Sync) != 1.5 || r.Get(Inflight) != 3 || !r.Has(Sync) || r.Has(Ack) {
		t.Errorf("%+v", r)
	}
}
