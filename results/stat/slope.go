package stat

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Slope is a Theil-Sen estimate with its 95 % interval, in units of y per unit
// of x.
type Slope struct {
	Slope float64 `json:"slope"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
	N     int     `json:"n"`
}

// TheilSen returns the median of the slopes between all pairs of points, which
// a minority of outliers cannot move, with the interval of Sen (1968) from the
// normal approximation of Kendall's statistic. Pairs with equal x are left out.
// It is an error if x and y differ in length, hold a value that is not finite,
// or give no pair.
func TheilSen(x, y []float64) (Slope, error) {
	if len(x) != len(y) {
		return Slope{}, fmt.Errorf("slope of %d x and %d y values: they must be as many", len(x), len(y))
	}
	if err := errors.Join(check(x), check(y)); err != nil {
		return Slope{}, err
	}
	var slopes []float64
	for i := range x {
		for j := i + 1; j < len(x); j++ {
			if dx := x[j] - x[i]; dx != 0 {
				slopes = append(slopes, (y[j]-y[i])/dx)
			}
		}
	}
	if len(slopes) == 0 {
		return Slope{}, errors.New("slope: needs two points with different x")
	}
	slices.Sort(slopes)
	s := Slope{Slope: medianSorted(slopes), N: len(x)}
	s.Lo, s.Hi = senInterval(slopes, len(x))
	return s, nil
}

// senInterval returns the bounds among the sorted slopes of n points.
func senInterval(slopes []float64, n int) (lo, hi float64) {
	f := float64(n)
	z := distuv.UnitNormal.Quantile(1 - (1-Level)/2)
	half := z * math.Sqrt(f*(f-1)*(2*f+5)/18)
	m := float64(len(slopes))
	first := max(int(math.Floor((m-half)/2))-1, 0)
	last := min(int(math.Ceil((m+half)/2)), len(slopes)-1)
	return slopes[first], slopes[last]
}
