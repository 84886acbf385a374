// Package roster says who runs and who is connected: it is the part of a driver
// that is the same in all of them. What happens to tasks, connections and the
// coordinator goes in as calls; what the driver has to do about it comes out as
// a list of effects, which the driver carries out in order. A Roster is a pure
// state machine: it knows no algorithm and no time, and does nothing itself.
//
// # Incarnations
//
// A task is absent until a plan starts it. Every start is a new incarnation,
// numbered from 1 for each task. It is starting until the driver has built it,
// then alive, and dead when its worker crashes or it fails by itself. Its death is
// noticed later, perhaps much later: until then its peers hold on to their
// connections with it, and what it has sent still counts. Nothing is given to an
// incarnation that is not alive (Current).
//
// # Plans
//
// A plan counts if its number is above the last one's. Its effects are, in this
// order: discard what is left of every task to restart; cut their peers off from
// them; then, task by task, keep or start. A task that is kept keeps its
// incarnation, and two kept tasks their connection. One that a plan keeps before it
// was built is started as the plan before said; of those that it keeps and that are known to be
// dead, or were never started, the coordinator is told last.
//
// # Connections
//
// A connection of a channel is the sender's output queue, the wire and the
// receiver's input queue. It begins when both ends have said Ready for the newest
// plan: Connect comes out, and the driver answers with Connected as soon as, in
// its time, the connection stands. It ends when an end is replaced or its death is
// noticed: the surviving end is cut off at once. A connection that is begun but
// does not stand when a plan comes is begun again, as both ends report anew.
// Beginnings and ends of a channel are numbered; whatever carries another number
// than the channel's own (Connection) belongs to the past and is to be dropped:
// buffers, credits and replies.
//
// # Failures
//
// A death that is noticed gives one list: every survivor is cut off from every one
// of the dead, and then the coordinator is told of all of them. A connection that
// breaks by itself (Lost) has lost what was on the wire, and only a plan can bring
// that back: its receiver counts as failed.
//
// # Another graph
//
// A job that has ended can go on as another graph (Reshape): all tasks are absent, and what
// is still on its way belongs to the past by its number.
//
// # Messages
//
// A message to a task belongs to the incarnation that the task had when it was sent
// and counts while that is current. A message or report of a task belongs to the
// incarnation that sent it and to the incarnation of the coordinator that ran then,
// its term. It counts (Hears) if both are still the ones that run, if a plan of this
// coordinator started or kept the task, and if the task's death is not known yet:
// after Failed nothing comes behind it. Within that, messages may be delayed and may
// overtake each other.
package roster
