package command

import "weir/scenario"

// mostWhole is the number of combinations up to which a sweep over all sinks
// makes every one of them.
const mostWhole = 200

// pairwise returns combinations in which every two coordinates that stand
// together in some combination of all stand together in one: a mistake mostly
// needs two things to meet, and the product of four lists is too large to run.
// It always takes the one that has the most pairs not seen yet, the first of
// equals.
func pairwise(all []scenario.Config) []scenario.Config {
	missing := map[[3]string]bool{}
	for i := range all {
		for _, p := range pairs(&all[i]) {
			missing[p] = true
		}
	}
	var out []scenario.Config
	for len(missing) > 0 {
		best, most := 0, 0
		for i := range all {
			n := 0
			for _, p := range pairs(&all[i]) {
				if missing[p] {
					n++
				}
			}
			if n > most {
				best, most = i, n
			}
		}
		for _, p := range pairs(&all[best]) {
			delete(missing, p)
		}
		out = append(out, all[best])
	}
	return out
}

// pairs returns the pairs of coordinates of a combination: which two, and their
// values.
func pairs(c *scenario.Config) [6][3]string {
	at := [...]string{c.Algorithm.Name, c.State, c.SinkName(), c.Workload.Name()}
	var out [6][3]string
	k := 0
	for i := range at {
		for j := i + 1; j < len(at); j++ {
			out[k] = [3]string{string(rune('0'+i)) + string(rune('0'+j)), at[i], at[j]}
			k++
		}
	}
	return out
}
