// Package machine tells what measuring needs to know of the machine: its parts
// and who else strains it, how fast its disk and processors are just now, and
// what the kernel counts of this process. It knows nothing of jobs.
package machine
