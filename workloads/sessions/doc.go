// Package sessions is a job of windows that merge, over records that come late:
// source -> sessions -> sink, and from the side output of sessions to the sink too.
//
// # Records
//
// A source record has 24 bytes, numbers little-endian: sequence from 0, key, and
// event time. Of P splits, split p holds the records with sequence mod P = p.
// What the source of record s has promised before it is the watermark 10 x s - 50. Most
// records are of 10 x s less up to 49. Of the others, latePercent are older
// than that watermark by no more than the lateness that is allowed, and as many by
// more; these may be given up.
//
// # Sessions
//
// Records of a key belong to one session if each is less than gap behind the one
// before it. A session has a row when the watermark reaches its end, and another one
// each time that a late record changes it after that.
//
// # Rows
//
// A row of a session has 48 bytes: key, start, end, number of records, sum of their
// sequences and the highest of them. A record that was given up is a row by
// itself, as it came.
//
// # The answer
//
// Which of the records that may be given up are given up depends on how far the
// other splits are when one comes, and is nobody's to know. Which sessions there
// are follows from that, whatever else the order was. So the answer is what a
// sequential execution gives that takes all records in order of sequence, and
// gives up all that may be; and the rows of a key that some other execution
// explains count as those of the sequential one: every record is in one session or
// given up, only those are given up that may be, and sessions are those of all
// others. The canonical row of a session is its last one,
// {"key":K,"start":S,"end":E,"count":N,"sum":M}; the canonical row of a record that
// was given up is {"late":S,"key":K,"time":T}.
//
// A row is no value of a key: run again, a session may be another, and a higher count
// is no newer one.
//
// Not verified of rows that were replaced by later ones: that their records are some
// of the session's beyond their number and place.
package sessions
