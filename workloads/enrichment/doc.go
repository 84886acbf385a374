// Package enrichment is a stream that is joined, in event time, with a table of
// rules that every instance knows. It has every kind of edge:
//
//	source --forward--> split --hash, by key------> enrich --rebalance--> sink
//	                          --broadcast, rules-->
//
// The tasks of enrich have inputs that a barrier may overtake beside some that it may
// not, those of split only such.
//
// # Records
//
// A source record has 25 bytes, numbers little-endian: sequence from 0, key or class,
// event time, and its kind. Every ruleEvery-th record is a rule for a class of keys,
// the others are events of a key, whose class is key mod classes. Event time is 10 x
// sequence less up to 49. Of P partitions, partition p holds the records with
// sequence mod P = p; its watermark is what that allows.
//
// # Rows
//
// An event waits in keyed state until event time has reached it: then every instance has
// all rules up to it, whatever came first. It makes one row, 24 bytes:
// sequence, key, and the sequence of the newest rule of its class at its time, of
// those at one time the one with the highest sequence; -1 if there is none. A timer
// that finds no event makes a row too, of sequence -1, which the answer does not
// have. A canonical row is {"seq":S,"key":K,"rule":R}.
package enrichment
