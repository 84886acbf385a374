// Package sim is the driver that runs a job in virtual time: a discrete-event
// simulator with one event queue, a model of links, storage and the outside
// world, workers and a coordinator that crash, and every choice drawn from named
// seeded streams (package sim/seed).
//
// # A run
//
// [New] makes a simulator and [Sim.Run] runs one experiment; a Sim is used for
// many runs one after the other and keeps its memory. The same [Config] gives the
// same run, event by event, and the same [Result.Hash], on any machine.
//
// # Order
//
// Events are ordered by (virtual time, class, sequence). Virtual time is in
// nanoseconds. The classes of one instant are, in order: the coordinator,
// completions of storage, what travels between tasks, timers and starts of tasks,
// and turns. Faults strike between two events.
//
// # Time
//
// A turn of a task takes Model.StepBase plus Model.StepRecord for every record that
// it takes in or sends out, times the slowness of its worker. Its effects on the
// task are at the start of the turn; what it sends leaves when that much of it is
// done, and the next turn begins when it is over. All other events of a task take
// no time.
//
// # Faults
//
// A worker holds several tasks and one local disk. When it crashes, tasks, timers
// and connections are gone, the disk keeps what was durable, and survivors
// notice after Model.Detection. Operations on storage and on the external
// store that were under way may still take effect, also much later.
//
// # Operations
//
// A plan may have the job go on as another one (Config.Reshape). One run then has several
// legs, each with a graph of its own, over the same storage and in the same time.
package sim
