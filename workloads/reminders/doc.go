// Package reminders is a job that is all timers: source -> remind -> sink. Every
// record asks to be reminded, often at a time that has passed, and every reminder
// but the last asks for another one.
//
// # Records
//
// A source record has 24 bytes, numbers little-endian: sequence from 0, key, and
// event time, which is 10 x sequence less up to 49. Of P splits, split p
// holds the records with sequence mod P = p; its watermark is what that allows.
//
// # Reminders
//
// A record is due hops times. The first time is its event time less up to 199,
// so that most timers are set behind the watermark; each later one is the last
// one less 30 up to plus 99: set by a timer, in the past or not. All of them are
// hashes of sequence, hop and seed.
//
// # Rows
//
// Every reminder makes one row, 32 bytes: sequence, hop, key and time. Which rows
// there are does not depend on the order of anything. A timer that fires and
// finds nothing due, as one does that fires twice, makes a row too, of sequence
// -1, which the answer does not have. A canonical row is
// {"seq":S,"hop":H,"key":K,"at":T}.
package reminders
