// Package keyedcount is the workload that measures the substrate: count and sum
// per key over records of a fixed size, with the number of keys, their
// distribution and the size of a key's state free.
//
// # Records
//
// A source record is recordBytes long (34 by default), numbers little-endian:
//
//	offset  bytes  field
//	0       8      key, below keys
//	8       8      value, below 65536
//	16      8      intended time, ns: startNanos + sequence/rate seconds
//	24      8      sequence, from 0; split p of P holds sequence mod P = p
//	32      2...   padding
//
// Everything in a record is a function of the settings and of its sequence, so
// that any record can be made at any time. Keys are uniform, or follow Zipf's
// law: key k has a probability proportional to 1/(k+1)^exponent, at all times.
//
// A row at the sink has 32 bytes: key, count, sum, and the intended time of the
// record that caused it, 0 in a row caused by the end of the input. The state of
// a key is valueSize bytes: count, sum, and bytes that do not compress and
// depend on the key alone.
//
// A canonical row is {"key":K,"count":C,"sum":S} with the final values of a key.
package keyedcount
