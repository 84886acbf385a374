// Package bench measures jobs on real threads, a real disk and in real
// processes. It plans a campaign, runs every repetition of a cell in a child
// process (package [weir/bench/job]), checks what the job committed against the
// reference answer, and records the numbers through package results. What it
// knows of the machine comes from package [weir/bench/machine].
package bench
