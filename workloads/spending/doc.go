// Package spending watches payments under limits that are broadcast. It has state of
// every kind, and state that expires by event time:
//
//	source --forward--> split --hash, by account--> watch --rebalance--> sink
//	                          --broadcast, limits->
//
// # Records
//
// A source record has 41 bytes, numbers little-endian: sequence from 0, account or
// class, event time, amount or limit, parts, and its kind. Every limitEvery-th record
// is a limit for a class of accounts, the others are payments of an account, whose
// class is account mod classes. A payment has one part or two or three, whose amounts
// it brings as their sum. Event time is 10 x sequence less up to 49. Of P
// splits, split p holds the records with sequence mod P = p; its watermark is what
// that allows.
//
// # State
//
// A payment waits in a map until event time is beyond its own: then every instance
// has all limits up to it, in a broadcast state, and all payments of the account
// before it are done. It is handled by a timer, and what expires in state does so by
// the time of that timer. Of an account are kept
//
//	a list of the amounts of its last payments, each for window
//	an aggregate of sum and number of its parts, as long as it does not rest for idle
//	the greatest amount of a payment, for ever
//	that it was told of: for quiet, from when somebody last looked
//
// and of a task how many payments each of its accounts has had, in a union list: when
// the number of tasks changes everybody has all of it and goes on with what is its own.
//
// # Versions
//
// By default what is stored has no schema. From version 1 on tallies (payments that wait,
// sums of accounts, numbers of payments) begin with the version that wrote them: version
// 2 has one field more, with a default, and 3 another name and place for the sum. Each reads
// the others, and has the same answer.
//
// # Rows
//
// A payment makes one row: the limit in force before it and at its time (0: none), the number and sum
// of the payments of the last window, itself included, the mean of the parts so far,
// the greatest amount, and whether the sum is beyond the limit (told 1), for the first
// time in a while (told 2). At the end of the input each account makes one, of its number
// of payments. Rows have 64 bytes. Canonical rows are
//
//	{"seq":S,"account":A,"limit":L,"payments":N,"sum":X,"mean":M,"most":G,"told":T}
//	{"account":A,"payments":N}
package spending
