package dataflow

// RestartStrategy says whether a job starts again after a failure, and when.
type RestartStrategy string

// The strategies. A failure is a lost worker, a task that gave up, or more failed
// rounds than are tolerated.
const (
	RestartNone        RestartStrategy = "none"              // the first failure ends the job
	RestartProgress    RestartStrategy = "progress"          // at once, as long as checkpoints complete in between; lost workers never end the job
	RestartFixedDelay  RestartStrategy = "fixed-delay"       // so many times in all, after a delay
	RestartExponential RestartStrategy = "exponential-delay" // for ever, after a delay that grows
	RestartFailureRate RestartStrategy = "failure-rate"      // after a delay, unless failures come too fast
)

func restartStrategies() []RestartStrategy {
	return []RestartStrategy{RestartNone, RestartProgress, RestartFixedDelay, RestartExponential, RestartFailureRate}
}

// FailoverStrategy says how much of a job starts again after a failure, where its algorithm
// leaves that open (ScopeRegion).
type FailoverStrategy string

// The strategies, as Flink calls them.
const (
	FailoverFull   FailoverStrategy = "full"   // every task
	FailoverRegion FailoverStrategy = "region" // those that edges connect with one that failed
)

// RestartConfig holds the settings of all strategies; each reads its own. They are those
// of Flink's restart strategies, RestartProgress apart.
type RestartConfig struct {
	Strategy RestartStrategy
	Failover FailoverStrategy
	// ProgressAttempts, of RestartProgress, is how many recoveries in a row, without a checkpoint
	// between them, a failing task may cause. One more, and the job fails.
	ProgressAttempts int
	// Of RestartFixedDelay: how often a coordinator starts the job again, and after which time.
	FixedAttempts int
	FixedDelay    Nanos
	// Of RestartExponential: the first delay, the longest, and what each is longer than the one
	// before. A job that runs for ResetThreshold begins with the first again. A delay is drawn within
	// Jitter of it, and is never above MaxBackoff.
	InitialBackoff, MaxBackoff Nanos
	Multiplier, Jitter         Hundredths
	ResetThreshold             Nanos
	// Of RestartFailureRate: how many failures within FailureInterval are answered with a restart,
	// after FailureDelay.
	MaxFailures                   int
	FailureInterval, FailureDelay Nanos
}

// LongestDelay is the longest time from a failure to the restart that answers it.
func (c *RestartConfig) LongestDelay() Nanos {
	switch c.Strategy {
	case RestartFixedDelay:
		return c.FixedDelay
	case RestartExponential:
		return c.MaxBackoff
	case RestartFailureRate:
		return c.FailureDelay
	default: // at once
		return 0
	}
}

// Allows returns how many failures are answered with a restart for sure; bounded: one more
// may end the job.
func (c *RestartConfig) Allows() (failures int, bounded bool) {
	switch c.Strategy {
	case RestartNone:
		return 0, true
	case RestartProgress:
		return c.ProgressAttempts, true
	case RestartFixedDelay:
		return c.FixedAttempts, true
	case RestartFailureRate:
		return c.MaxFailures, true
	default: // any number
		return 0, false
	}
}

// OnCancel says what becomes of the checkpoints of a job that has ended.
type OnCancel string

// The policies.
const (
	RetainOnCancel OnCancel = "retain" // those that are retained stay: a job that was stopped goes on from them
	DeleteOnCancel OnCancel = "delete" // nothing stays but a plan that says that the job is over
)
