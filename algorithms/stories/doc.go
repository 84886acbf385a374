// Package stories tells protocols as numbered stories: a few tasks and
// their coordinator are stepped by hand, one buffer, message and storage
// operation at a time, and every line of output is one thing that happened.
// There is no time and no randomness: what is under way waits in queues until
// the story moves it.
//
// # Commands
//
//	graph source=2 count=2 sink=1 [edge=forward] [splits=4] [reorders]
//	    sources -> hash -> count per key -> sink; edge is the one to the sink; reorders: items
//	    may overtake each other on its wires
//	input t0=(a,b,a) t1=(a)
//	    the records of each source: a record is its key; with splits= s0=(a,b,a) ...
//	algorithm NAME [retain=2] [concurrent=2] [pause] [tolerated=1] [fallback] [credits=1] [queue=4] [batch=2] [limit=200] [draw=2]
//	    limit: bytes that an object in storage may have; draw: what the coordinator draws
//	start
//	    the coordinator starts, the first plan is carried out, all is connected
//	turn t0 [times=2]       the task handles one buffer, a source emits one batch
//	deliver c1 [times=2] [nth=2]    the wire of a channel gives up its first item, or the nth
//	trigger [t2]            the next checkpoint timer, of the coordinator or of a task
//	timeout                 the timer of the oldest round
//	message t2 [times=2] [match=abort]    the coordinator's next message reaches t2
//	report t2 [times=2] [match=(ack 1.2)] the next message of t2 reaches the coordinator
//	messages                all messages, until there are none
//	store ok|fail|lie|refuse [match=snap/t2]
//	    storage and external operations end: well; failed without effect; with
//	    their effect and yet reported as failed; refused for good. The first that
//	    matches, also one whose caller is gone; without match all end well, until
//	    there are none.
//	hold match=chk/         such operations stay under way until a match names them; release
//	crash t2 t3             tasks die; coordinator: the coordinator does, and another starts
//	late message=(ack 1.1)  a message that outlived its incarnation is handed over all the same,
//	    though a driver must drop it; item=(c0 barrier 1.1): a buffer of a cut connection
//	damage snap/t2/1.1      flips a bit of an object in storage
//	settle [full]           everything that is under way arrives and is handled; sources
//	    do not emit, no timer expires. Without full, only the protocol is told.
//	finish                  likewise, with sources and timers, until the job is done
//	state, committed, storage, wires, pending, late-messages, verdict
//	    show what stands where; verdict counts effects against the input
//
// A failed line of a story prints the difference. Look at every line before
// accepting it with -rewrite: a transcript that nobody can explain is a bug.
package stories
