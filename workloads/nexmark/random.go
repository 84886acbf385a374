package nexmark

import "math"

// The linear congruential generator of java.util.Random, as its documentation
// specifies it: 48 bits of state, of which draws return the top ones.
const (
	randomMultiplier = 0x5DEECE66D
	randomIncrement  = 0xB
	randomMask       = 1<<48 - 1
)

// random draws the same numbers as a java.util.Random of the same seed.
type random struct {
	state uint64 // 48 bits
}

func newRandom(seed int64) random {
	return random{state: (uint64(seed) ^ randomMultiplier) & randomMask}
}

// next returns the top bits of the next state, 1 <= bits <= 32. It is negative
// only when bits is 32.
func (r *random) next(bits uint) int32 {
	r.state = (r.state*randomMultiplier + randomIncrement) & randomMask
	return int32(uint32(r.state >> (48 - bits)))
}

// Int is Java's nextInt(): all of int32's range.
func (r *random) Int() int32 { return r.next(32) }

// Intn is Java's nextInt(n): uniform in [0, n). n must be positive. A power of
// two takes the top bits of one draw; any other n takes remainders and draws
// again where the last, incomplete run of n values would favour small ones.
func (r *random) Intn(n int32) int32 {
	if n&(n-1) == 0 {
		return int32((int64(n) * int64(r.next(31))) >> 31)
	}
	for {
		drawn := r.next(31)
		value := drawn % n
		if drawn-value+(n-1) >= 0 { // int32 wraps below zero in the incomplete run
			return value
		}
	}
}

// Long is Java's nextLong(): the low half is sign-extended and added.
func (r *random) Long() int64 {
	high := int64(r.next(32)) << 32
	return high + int64(r.next(32))
}

// Double53 is Java's nextDouble() times 2^53, an integer in [0, 2^53).
func (r *random) Double53() int64 {
	high := int64(r.next(26)) << 27
	return high + int64(r.next(27))
}

// Pick is uniform in [0, n) for 64-bit bounds, as Beam draws them. n must be
// positive.
func (r *random) Pick(n int64) int64 {
	if n < math.MaxInt32 {
		return int64(r.Intn(int32(n)))
	}
	value := r.Long() % n
	if value < 0 {
		return -value
	}
	return value
}

// Price is in [100, 100000000] cents, log-uniform.
//
// math.Pow is not Java's Math.pow by contract. Over 20,000,000 draws the
// rounded prices were equal in every case, and the closest unrounded value lay
// 9e-8 from a half. The conversion keeps the product and the sum from being
// fused, which would round differently on some processors.
func (r *random) Price() int64 {
	exponent := 6 * (float64(r.Double53()) / (1 << 53))
	return int64(math.Floor(float64(math.Pow(10, exponent)*100) + 0.5))
}
