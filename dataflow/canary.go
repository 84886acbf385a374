package dataflow

import "fmt"

// Canary is a deliberate mistake, carried by configuration, that the checkers
// must catch in every test run. It stands in the production code behind one
// comparison and is free when off.
type Canary uint8

const (
	NoCanary            Canary = iota
	AckBeforeDurable           // a task acknowledges a snapshot as it begins, not when it is stored
	ForgetChannel              // alignment is one input short
	CommitBeforeRecord         // completion is announced before the checkpoint's record is durable
	ReuseTableName             // table files are named without the attempt
	KeepForeignTxn             // recovery of the sink keeps the transactions it should abort
	SkipOutputQueue            // unaligned: overtaken output is not captured
	SkipInputQueue             // unaligned: overtaken input is not captured
	ReleaseBeforeStored        // output is committed as soon as it is pre-committed
	SnapshotBeforeLog          // uncoordinated: a snapshot becomes visible before its message log
	LateRecordCounts           // a checkpoint record that landed after the recovery that missed it is believed
	NoFence                    // the sink store does not fence older attempts
	ForgetTimers               // timers are not part of the snapshot
	Canaries                   // number of values
)

var canaryNames = [Canaries]string{
	"none", "ack-before-durable", "forget-channel", "commit-before-record", "reuse-table-name",
	"keep-foreign-transaction", "skip-output-queue", "skip-input-queue", "release-before-stored",
	"snapshot-before-log", "late-record-counts", "no-fence", "forget-timers",
}

// String returns the name used on the command line.
func (c Canary) String() string {
	if c < Canaries {
		return canaryNames[c]
	}
	return fmt.Sprintf("canary(%d)", uint8(c))
}

// ParseCanary is the inverse of String; the error lists the known names.
func ParseCanary(s string) (Canary, error) {
	for c, n := range canaryNames {
		if n == s {
			return Canary(c), nil
		}
	}
	return 0, fmt.Errorf("unknown canary %q; known: %v", s, canaryNames[1:])
}
