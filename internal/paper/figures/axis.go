package figures

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// ErrNotOnLog is returned for a log axis that would have to show a value that
// is not above zero.
var ErrNotOnLog = errors.New("a log axis shows values above zero only: draw it from zero instead")

// linearAxis sets an axis from zero to a little above the largest value.
func linearAxis(a *plot.Axis, values []float64) {
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	if top <= 0 {
		top = 1
	}
	a.Min, a.Max = 0, top*1.05
	a.Tick.Marker = plot.ConstantTicks(linearTicks(a.Max))
}

// linearTicks returns about five ticks at round numbers from zero to at most
// top, which must be above zero.
func linearTicks(top float64) []plot.Tick {
	step := roundStep(top / 5)
	digits := 0
	for scaled := step; digits < 12 && math.Abs(scaled-math.Round(scaled)) > 1e-6*scaled; scaled *= 10 {
		digits++
	}
	var ticks []plot.Tick
	for i := 0; float64(i)*step <= top; i++ {
		v := float64(i) * step
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'f', digits, 64)})
	}
	return ticks
}

// roundStep returns the least of 1, 2, 2.5 and 5 times a power of ten that is
// at least v.
func roundStep(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 2.5, 5} {
		if m*power >= v*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// logAxis sets a log axis around values, with ticks at powers of ten, and at 2
// and 5 between them where it is short. It returns ErrNotOnLog with the value
// that cannot be shown.
func logAxis(a *plot.Axis, values []float64) error {
	if len(values) == 0 {
		return fmt.Errorf("%w; it has no values at all", ErrNotOnLog)
	}
	low, high := slices.Min(values), slices.Max(values)
	if !(low > 0) || math.IsInf(high, 1) {
		return fmt.Errorf("%w; got %g", ErrNotOnLog, low)
	}
	a.Min, a.Max = logBound(low*0.98, false), logBound(high*1.02, true)
	a.Scale = plot.LogScale{}
	a.Tick.Marker = plot.ConstantTicks(logTicks(a.Min, a.Max))
	return nil
}

// logBound moves v outwards to a multiple of a power of ten: 1, 2 or 5.
func logBound(v float64, up bool) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	steps := []float64{1, 2, 5, 10}
	if up {
		for _, m := range steps {
			if m*power >= v {
				return m * power
			}
		}
	}
	bound := power
	for _, m := range steps {
		if m*power <= v {
			bound = m * power
		}
	}
	return bound
}

func logTicks(low, high float64) []plot.Tick {
	decades := math.Log10(high / low)
	var ticks []plot.Tick
	for exp := math.Floor(math.Log10(low) + 1e-9); math.Pow(10, exp) <= high*(1+1e-9); exp++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, exp)
			if v < low*(1-1e-9) || v > high*(1+1e-9) {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 || decades < 2.5 && (m == 2 || m == 5) {
				t.Label = strconv.FormatFloat(v, 'f', max(0, -int(exp)), 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// spansDecades tells whether values are better shown on a log axis: all above
// zero, the largest more than thirty times the smallest.
func spansDecades(values []float64) bool {
	return len(values) > 0 && slices.Min(values) > 0 && slices.Max(values) > 30*slices.Min(values)
}

// names sets an axis to one tick per name at 0, 1, 2, ...
func names(a *plot.Axis, labels []string) {
	ticks := make([]plot.Tick, len(labels))
	for i, l := range labels {
		ticks[i] = plot.Tick{Value: float64(i), Label: l}
	}
	a.Min, a.Max = -0.5, float64(len(labels))-0.5
	a.Tick.Marker = plot.ConstantTicks(ticks)
	a.Tick.Length = 0
}

// bare removes the labels of an axis, for a panel that shares it with the next.
// Call it after grid, which draws its lines at labelled ticks.
func bare(a *plot.Axis) {
	ticks := slices.Clone([]plot.Tick(a.Tick.Marker.(plot.ConstantTicks)))
	for i := range ticks {
		ticks[i].Label = ""
	}
	a.Tick.Marker = plot.ConstantTicks(ticks)
}

// gridLines are faint lines at places of either axis.
type gridLines struct{ x, y []float64 }

// Plot draws the lines over the whole plot.
func (g gridLines) Plot(c draw.Canvas, p *plot.Plot) {
	trX, trY := p.Transforms(&c)
	faint := draw.LineStyle{Color: grey(0xdd), Width: 0.4}
	for _, x := range g.x {
		c.StrokeLine2(faint, trX(x), c.Min.Y, trX(x), c.Max.Y)
	}
	for _, y := range g.y {
		c.StrokeLine2(faint, c.Min.X, trY(y), c.Max.X, trY(y))
	}
}

// grid adds faint lines at the labelled ticks of x, of y, or both.
func grid(p *plot.Plot, x, y bool) {
	var g gridLines
	if x {
		g.x = labelled(p.X)
	}
	if y {
		g.y = labelled(p.Y)
	}
	p.Add(g)
}

func labelled(a plot.Axis) []float64 {
	var values []float64
	for _, t := range a.Tick.Marker.Ticks(a.Min, a.Max) {
		if !t.IsMinor() {
			values = append(values, t.Value)
		}
	}
	return values
}
