// Package nexmark is the NEXMark workload: an online auction's stream of
// people, auctions and bids, and queries over it.
//
// NEXMark is by Tucker, Tufte, Papadimos and Maier, "NEXMark: A Benchmark for
// Queries over Data Streams". The variant here is Apache Beam's
// (beam-sdks-java-nexmark 2.76.0), because it is the one that is reproducible:
// every event is a pure function of the settings and of its number. Events,
// their JSON lines and the results of the queries are equal to Beam's byte for
// byte; the tests compare them with golden data made by Beam's generator and by
// DuckDB.
//
// Deviations from Beam: the wall clock's base time is pinned to baseTime;
// numEvents=0 means no events where Beam means "no end"; settings whose
// arithmetic would overflow or divide by zero are refused by
// [Settings.Validate]; late data are not modelled.
//
// All times are integer milliseconds since the Unix epoch, in event time unless
// said otherwise. All prices are integer cents.
package nexmark
