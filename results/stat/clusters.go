package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Resampled returns a statistic of n clusters with its 95 % percentile bootstrap
// interval over clusters: of gets the numbers of those that are drawn, first each
// once. A statistic may be +Inf. n must be at least 1.
func Resampled(n int, seed uint64, of func(drawn []int) float64) Estimate {
	drawn := make([]int, n)
	for i := range drawn {
		drawn[i] = i
	}
	e := Estimate{Value: of(drawn)}
	values := make([]float64, clusterResamples)
	rng := rand.New(rand.NewPCG(seed, 3))
	for k := range values {
		for i := range drawn {
			drawn[i] = rng.IntN(n)
		}
		values[k] = of(drawn)
	}
	slices.Sort(values)
	tail := (1 - Level) / 2
	e.Lo = values[int(math.Floor(tail*float64(len(values))))]
	e.Hi = values[int(math.Ceil((1-tail)*float64(len(values))))-1]
	return e
}

// clusterResamples is fewer than Resamples: a statistic of clusters costs more than a median.
const clusterResamples = 2_000
