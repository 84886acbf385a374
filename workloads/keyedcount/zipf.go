package keyedcount

import (
	"math"
	"math/bits"
)

// aliasTable draws from a fixed distribution with one look-up (Walker 1977,
// in the form of Vose, "A linear algorithm for generating random numbers with a
// given distribution", 1991). Its entries are integers: a draw decides by no
// floating-point number.
type aliasTable struct{ entries []aliasEntry }

// aliasEntry gives its own index with probability (own+1)/2^32, otherwise the other's.
type aliasEntry struct{ own, other uint32 }

// draw maps 64 random bits to an index: the upper ones choose an entry, those
// that are left within it decide.
func (t *aliasTable) draw(x uint64) uint64 {
	n := uint64(len(t.entries))
	// x*n/2^64 without its fraction is the entry; the fraction is uniform again.
	i, fraction := bits.Mul64(x, n)
	e := t.entries[i]
	if uint32(fraction>>32) <= e.own {
		return i
	}
	return uint64(e.other)
}

// newZipf returns the table of n keys whose k-th (from 0) has a weight of
// 1/(k+1)^exponent.
func newZipf(n int, exponent float64) *aliasTable {
	weights := make([]float64, n)
	total := 0.0
	for k := range weights {
		weights[k] = inversePower(float64(k+1), exponent)
		total += weights[k]
	}
	const one = 1 << 32
	shares := make([]uint64, n) // of n*2^32
	scale := float64(float64(one)*float64(n)) / total
	sum := uint64(0)
	for k, w := range weights {
		shares[k] = uint64(float64(w * scale))
		sum += shares[k]
	}
	shares[0] += uint64(n)*one - sum // what rounding has taken
	t := &aliasTable{entries: make([]aliasEntry, n)}
	t.fill(shares)
	return t
}

func (t *aliasTable) fill(shares []uint64) {
	const one = 1 << 32
	var small, large []uint32
	for k, s := range shares {
		if s < one {
			small = append(small, uint32(k))
		} else {
			large = append(large, uint32(k))
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		if shares[s] == 0 {
			shares[s] = 1 // own = -1 cannot be said; the error is 2^-32
		}
		t.entries[s] = aliasEntry{uint32(shares[s] - 1), l}
		shares[l] -= one - shares[s]
		if shares[l] < one {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	for _, k := range append(small, large...) {
		t.entries[k] = aliasEntry{math.MaxUint32, k}
	}
}

// inversePower returns x to the power of -s for x >= 1, s >= 0, the same on
// every machine: products are rounded before they are added, which forbids
// fusing them, and no library function with an assembly twin is used.
func inversePower(x, s float64) float64 {
	if s == 0 || x == 1 {
		return 1
	}
	mantissa, exponent := math.Frexp(x) // x = mantissa * 2^exponent, exact
	y := (mantissa - 1) / (mantissa + 1)
	square := float64(y * y)
	log := 0.0 // of the mantissa: 2*(y + y^3/3 + y^5/5 + ...)
	for k := 41; k >= 1; k -= 2 {
		log = float64(log*square) + 1/float64(k)
	}
	log = float64(2 * float64(y*log))
	power := -float64(s * (log + float64(float64(exponent)*math.Ln2)))
	halvings := 0
	for power < -0.5 {
		power += math.Ln2
		halvings++
	}
	result := 1.0
	for k := 20; k >= 1; k-- {
		result = 1 + float64(power*result)/float64(k)
	}
	return math.Ldexp(result, -halvings)
}
