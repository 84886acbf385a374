// Package sampling is a job that is not deterministic: source -> sample -> sink. Each
// record falls into a window by the clock, may replace the window's sample by
// chance, and is looked up in a table outside the job whose answers change. A timer
// of processing time closes each window at its end.
//
// # Records
//
// A source record has 16 bytes, numbers little-endian: sequence from 0, and key. Of P
// partitions, partition p holds the records with sequence mod P = p.
//
// # Rows
//
// Every record makes one row of ten numbers, 80 bytes: key; the place of the record in
// the key's history, from 1; sequence; the clock as it was read; the number that was
// drawn; the window, which is the clock by its length, but not before that of the
// record before, nor one that is closed; the place in the window, from 1; the sample of the window, which the
// record becomes if the drawn number is a multiple of that place (a reservoir of
// one); the answer of the table for the key at that time; and a hash over the history.
//
// A window that closes makes one of the same width, place 0: key, the clock as it was
// read, the window, its records, its sample, and the hash of its last record; the other
// numbers are 0. Windows that are open when the input ends make none.
//
// # Reference
//
// No two runs need agree on anything but which records there are: a canonical row is
// {"seq":S,"key":K}. Beside that each key's rows must be those of one execution that
// takes its records in some order, reads that clock and draws those numbers. Timers fire
// in order: if a window is closed, so is each before it, once, with all its records. Rows of two
// histories, as a recovery that lets one of them out leaves them, contradict each other.
package sampling
