package dataflow

// Mutant names a deliberate mistake, carried by configuration, that the checkers
// must catch in every test run; "" is none. The mistake stands in the production
// code behind one comparison and is free when off. The core knows its own
// mistakes only: every other package declares those that it makes, and
// scenario/mutants lists them all.
type Mutant string

// The mistakes of the kernel.
const (
	MutantQueryWrongGroup     Mutant = "query-wrong-group"     // a key that somebody outside asks for is looked for where its hash says, whatever the key groups
	MutantReuseTableName      Mutant = "reuse-table-name"      // table files are named without the epoch
	MutantSkipOutputQueue     Mutant = "skip-output-queue"     // overtaken output is not captured
	MutantSkipInputQueue      Mutant = "skip-input-queue"      // overtaken input is not captured
	MutantLiftTakesNothing    Mutant = "lift-takes-nothing"    // a barrier that is made to overtake in an output queue leaves out what it overtakes
	MutantReleaseBeforeStored Mutant = "release-before-stored" // output is committed as soon as it is pre-committed
	MutantDrainedCommitsAll   Mutant = "drained-commits-all"   // a sink restored as drained commits all that its snapshot holds
	MutantForgetWatermark     Mutant = "forget-watermark"      // watermarks do not come back from the snapshot
	MutantForgetTimers        Mutant = "forget-timers"         // timers do not come back from the snapshot
	MutantForgetClock         Mutant = "forget-clock-timers"   // timers of processing time do not come back from the snapshot
	MutantSilentClock         Mutant = "silent-clock"          // restored timers of processing time do not fire until another one is set
	MutantForgetMoved         Mutant = "forget-moved"          // a head of a loop forgets that a record came round
	MutantSilentPastTimer     Mutant = "silent-past-timer"     // a timer set at or behind the watermark never fires
	MutantIgnoreSilentSplit   Mutant = "ignore-silent-split"   // a split that has said nothing yet does not hold the watermark back
	MutantSwapSplitOffsets    Mutant = "swap-split-offsets"    // a restored source goes on in each split where another one stood
	MutantFireTwice           Mutant = "fire-twice"            // the last timer of a slice stays in the state until the next one
	MutantAbandonedTakesFiles Mutant = "abandoned-takes-files" // a snapshot that is given up deletes the files it refers to, those of others among them
	MutantOlderBarrierEnds    Mutant = "older-barrier-ends"    // the barrier of an older round ends the recording of an input
	MutantCapturedOutOfOrder  Mutant = "captured-out-of-order" // what was queued on an input is captured behind what came later
	MutantOvertakesForbidden  Mutant = "overtakes-forbidden"   // a barrier overtakes on an edge where nothing can be captured
	MutantReplacedLogsTaken   Mutant = "replaced-logs-taken"   // what was read of message logs for a plan that is replaced counts as read for the newer one
	MutantLastRowsUnsealed    Mutant = "last-rows-unsealed"    // what a sink got after its last barrier is in no transaction
	MutantEndCommits          Mutant = "end-commits"           // a sink commits all it has when its input ends, whatever may be rolled back
	MutantBackEdgeHolds       Mutant = "back-edge-holds"       // a back-edge holds the watermark back
	MutantBackEdgeTells       Mutant = "back-edge-tells"       // a back-edge carries watermarks
	MutantSentToOldPlace      Mutant = "sent-to-old-place"     // a job of another shape sends records that were under way to the instance that had them, whoever owns their keys
	MutantVanishedForgotten   Mutant = "vanished-forgotten"    // a job of another shape forgets what sinks that are no more had sealed
	MutantExpiryBehind        Mutant = "expiry-behind"         // while a timer fires, state expires by the watermark before it
	MutantForgetExpiry        Mutant = "forget-expiry"         // in what comes back from a snapshot nothing expires any more
	MutantForgetBroadcast     Mutant = "forget-broadcast"      // broadcast state does not come back from the snapshot
	MutantOrderForgotten      Mutant = "order-forgotten"       // a receiver takes what new senders send before what others of them send again
	MutantAheadForgotten      Mutant = "ahead-forgotten"       // a job of another shape takes records that the former owner of their keys would have given up
	MutantLocalStale          Mutant = "local-stale"           // a local copy of another snapshot's file is taken, which has the same number
	MutantChangelogGap        Mutant = "changelog-gap"         // a log of changes is cut at the materialisation that was begun last, not at the one that the snapshot refers to
	MutantChangelogLate       Mutant = "changelog-late"        // the change noted last before a snapshot is in the segment behind it
	MutantChangelogForgets    Mutant = "changelog-forgets"     // segments that a materialisation has overtaken are listed by no snapshot any more
	MutantChangelogGroup      Mutant = "changelog-timer-group" // the removal of a timer that fires is logged under the key group of the one before
	MutantUnmigrated          Mutant = "evolve-unmigrated"     // a value that another version has written is read as if this one had
	MutantLeftOnce            Mutant = "left-once"             // a task that has left does not say so again to a coordinator that takes over
	MutantEndedSplitHolds     Mutant = "ended-split-holds"     // a split without records left holds the watermark back
)
