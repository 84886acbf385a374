package nexmark

import (
	"encoding/json"
	"math"
	"strconv"
	"testing"
)

// TestRandomVectors compares with outputs of the JDK. Each kind of draw starts
// again from the seed.
func TestRandomVectors(t *testing.T) {
	type vectors struct {
		Seed         int64
		NextInt      []int32
		Bounded      [][2]int32 // bound, value
		NextLong     []string
		NextDouble53 []int64
		Price        []int64
	}
	lines := readLines(t, "java-random.jsonl")
	if len(lines) == 0 {
		t.Fatal("no vectors")
	}
	for _, line := range lines {
		var v vectors
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		t.Run(strconv.FormatInt(v.Seed, 10), func(t *testing.T) {
			r := newRandom(v.Seed)
			for i, want := range v.NextInt {
				expect(t, "nextInt", i, int64(r.Int()), int64(want))
			}
			r = newRandom(v.Seed)
			for i, pair := range v.Bounded {
				expect(t, "bounded", i, int64(r.Intn(pair[0])), int64(pair[1]))
			}
			r = newRandom(v.Seed)
			for i, text := range v.NextLong {
				want, err := strconv.ParseInt(text, 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				expect(t, "nextLong", i, r.Long(), want)
			}
			r = newRandom(v.Seed)
			for i, want := range v.NextDouble53 {
				expect(t, "nextDouble53", i, r.Double53(), want)
			}
			r = newRandom(v.Seed)
			for i, want := range v.Price {
				expect(t, "price", i, r.Price(), want)
			}
		})
	}
}

func expect(t *testing.T, draw string, i int, got, want int64) {
	t.Helper()
	if got != want {
		t.Errorf("%s %d = %d, want %d", draw, i, got, want)
	}
}

// TestPickBounds covers both of Pick's branches and the bound between them.
func TestPickBounds(t *testing.T) {
	for _, n := range []int64{1, 2, 13, math.MaxInt32 - 1, math.MaxInt32, 1 << 40, math.MaxInt64} {
		for seed := range int64(200) {
			r := newRandom(seed)
			if v := r.Pick(n); v < 0 || v >= n {
				t.Errorf("seed %d: Pick(%d) = %d", seed, n, v)
			}
		}
	}
}
