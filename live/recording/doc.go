// Package recording keeps what every task of a run was given, and replays it.
//
// A Writer takes, for each incarnation of a task, the exact sequence of events
// that entered Task.Step with all their contents, the answers to its draws,
// clock reads and random numbers, the results of its storage operations and of
// those of its state transfers, and its chain (the running hash over events and
// effects) after every event. Replay builds each incarnation anew, feeds it its
// events and compares the chains; the state that a task restores is what the
// recording holds, byte for byte. It then matches what arrived on every
// connection with what the replayed sender put there, in order. Nothing else
// enters a task, so equal chains mean an equal run, and the first event that
// differs names the place.
//
// # Format
//
// The magic "WEIRRECO", a version (2 bytes), then entries. An entry is its
// length (4 bytes), the CRC-32C of its content (4 bytes) and its content: a kind
// (1 byte), the number of the incarnation in the recording (uvarint), and what
// the kind says. Numbers are little-endian or uvarint. Entries of different
// incarnations interleave, those of one are in order.
package recording
