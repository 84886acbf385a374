package counterexample

import "slices"

// ddmin makes a list smaller as long as test accepts what is kept, until no
// element can be left out alone: delta debugging (Zeller and Hildebrandt, Simplifying
// and isolating failure-inducing input, IEEE TSE 28(2), 2002, section 3). test returns
// the list to go on with, which may be even shorter than what it was given, and
// whether it accepts. over ends the search; what is returned was accepted all the
// same. A sweep goes on behind a part that could be left out, instead of beginning anew:
// the result is as minimal, and parts that stay are asked about less often.
func ddmin[E any](list []E, over func() bool, test func(kept []E) (now []E, ok bool)) []E {
	if len(list) == 0 {
		return list
	}
	if now, ok := test(nil); ok {
		return now
	}
	size := (len(list) + 1) / 2
	for len(list) > 0 && !over() {
		before := len(list)
		if size < before && before <= mostParts*size {
			if now, ok := onePart(list, size, over, test); ok {
				list, size = now, (len(now)+1)/2
				continue
			}
		}
		list = withoutParts(list, size, over, test)
		switch {
		case len(list) < before:
			size = max(1, min(size, len(list)/2))
		case size == 1:
			return list
		default:
			size = (size + 1) / 2
		}
	}
	return list
}

// mostParts is the number of parts up to which each is tried alone; of more it
// hardly ever does.
const mostParts = 8

// onePart keeps the first part that will do alone.
func onePart[E any](list []E, size int, over func() bool, test func(kept []E) ([]E, bool)) ([]E, bool) {
	for at := 0; at < len(list) && !over(); at += size {
		if now, ok := test(slices.Clone(list[at:min(at+size, len(list))])); ok {
			return now, true
		}
	}
	return nil, false
}

// withoutParts leaves out every part that is not needed beside the others.
func withoutParts[E any](list []E, size int, over func() bool, test func(kept []E) ([]E, bool)) []E {
	for at := 0; at < len(list) && !over(); {
		if now, ok := test(slices.Delete(slices.Clone(list), at, min(at+size, len(list)))); ok {
			list = now
			continue
		}
		at += size
	}
	return list
}
