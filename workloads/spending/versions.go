package spending

import (
	"slices"

	"weir/state"
)

// The versions of a tally as it is stored. All have the same size, so that one that is read by
// the wrong codec is another tally and no error.
var tallyVersions = []state.Version[tally]{
	{Number: 1, Fields: "sum int64, number int64, reserved int64", Codec: words(
		func(t tally) [3]int64 { return [3]int64{t.sum, t.n} },
		func(w [3]int64) tally { return tally{w[0], w[1]} },
	)},
	// A field is added, by default 1: the unit that the sum is in.
	{Number: 2, Fields: "sum int64, number int64, scale int64", Codec: words(
		func(t tally) [3]int64 { return [3]int64{t.sum * hundred, t.n, hundred} },
		func(w [3]int64) tally { return tally{w[0] / max(w[2], 1), w[1]} },
	)},
	// The sum has another name and place, and the unit is gone again.
	{Number: 3, Fields: "number int64, hundredths int64, reserved int64", Codec: words(
		func(t tally) [3]int64 { return [3]int64{t.n, t.sum * hundred} },
		func(w [3]int64) tally { return tally{w[1] / hundred, w[0]} },
	)},
}

const hundred = 100

// words returns the codec of three words.
func words(of func(t tally) [3]int64, tallyOf func(w [3]int64) tally) state.Codec[tally] {
	return &state.StructCodec[tally]{
		ID: "words", Size: 24,
		Write: func(dst []byte, t tally) []byte {
			for _, w := range of(t) {
				dst = state.Int64.Append(dst, w)
			}
			return dst
		},
		Read: func(r *state.Reader) tally {
			return tallyOf([3]int64{int64(r.Uint64()), int64(r.Uint64()), int64(r.Uint64())})
		},
	}
}

// tallyCodecOf returns the codec of a version of the job; 0: tallies are stored without one.
func tallyCodecOf(version int64) state.Codec[tally] {
	if version == 0 {
		return tallyCodec
	}
	at := int(version) - 1
	return &state.Versions[tally]{ID: "sum,number", Writes: tallyVersions[at], Reads: slices.Delete(slices.Clone(tallyVersions), at, at+1)}
}
