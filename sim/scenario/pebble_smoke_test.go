package scenario

import (
	"testing"

	"weir/algorithms/catalog"
	wc "weir/workloads/catalog"
)

func TestSmoke(t *testing.T) {
	for _, st := range StateNames() {
		for _, a := range catalog.All() {
			w, _ := wc.New("nexmark-q5")
			w.Small()
			r, err := New(Config{Algorithm: a, State: st, Workload: w})
			if err != nil {
				t.Fatal(err)
			}
			for s := uint64(1); s <= 60; s++ {
				if o := r.Run(s); o.Kind != Fine {
					t.Errorf("%s: %s %s\n%s", o.Config.Command(s), o.Kind, o.Why(), o.Result.Stack)
				}
			}
			r.Close()
		}
	}
}
