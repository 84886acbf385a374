package coordinator

import (
	"errors"
	"fmt"
	"time"

	"weir/dataflow"
	"weir/id"
)

// ErrGaveUp is wrapped by the error of a job whose restart strategy has given up.
var ErrGaveUp = errors.New("the restart strategy gives up")

// errLost is the cause of a failure for which a task gave none: its worker is gone.
var errLost = errors.New("a worker was lost")

// Restarts is a restart strategy at work: it counts failures, and says whether and after which
// delay the job starts again. It knows what one coordinator has seen: another one begins anew.
//
// Failures that come while a delay runs are part of the one that it answers, and are not
// told to it.
type Restarts struct {
	cfg    *dataflow.RestartConfig
	client *Client

	failures int            // progress: since the last checkpoint; fixed-delay: all; failure-rate: within the interval
	backoff  dataflow.Nanos // of exponential-delay: the next one
	calm     id.Ticket      // of exponential-delay: ends a time without failures
	delay    id.Ticket
	waiting  bool
	waited   dataflow.Nanos // before the newest restart
}

// NewRestarts returns the strategy of c; its timers are those of client.
func NewRestarts(c *dataflow.RestartConfig, client *Client) *Restarts {
	return &Restarts{cfg: c, client: client, backoff: c.InitialBackoff}
}

// Failed counts a failure with its cause, nil for a lost worker. The job is to start again
// after the delay; an error, which wraps ErrGaveUp and the cause, says why it is not.
func (r *Restarts) Failed(cause error) (delay dataflow.Nanos, err error) {
	lost := cause == nil
	if lost {
		cause = errLost
	}
	r.failures++
	switch r.cfg.Strategy {
	case dataflow.RestartNone:
		return 0, r.giveUp(cause, "it answers no failure with a restart")
	case dataflow.RestartProgress:
		if most := r.cfg.ProgressAttempts; r.failures > most && !lost {
			return 0, r.giveUp(cause, "%d recoveries in a row without a checkpoint between them; restart.progress.attempts is %d", r.failures, most)
		}
		return 0, nil
	case dataflow.RestartFixedDelay:
		if most := r.cfg.FixedAttempts; r.failures > most {
			return 0, r.giveUp(cause, "failure %d; restart.fixed-delay.attempts is %d", r.failures, most)
		}
		return r.cfg.FixedDelay, nil
	case dataflow.RestartExponential:
		return r.grow(), nil
	case dataflow.RestartFailureRate:
		r.client.After(r.cfg.FailureInterval, func() { r.failures-- })
		if most := r.cfg.MaxFailures; r.failures > most {
			return 0, r.giveUp(cause, "%d failures within the interval; restart.failure-rate.max-failures-per-interval is %d", r.failures, most)
		}
		return r.cfg.FailureDelay, nil
	}
	panic(fmt.Sprintf("restart strategy %q: Config.Validate refuses it", r.cfg.Strategy))
}

func (r *Restarts) giveUp(cause error, format string, args ...any) error {
	return fmt.Errorf("%w: restart.strategy %s: %s; the last cause: %w", ErrGaveUp, r.cfg.Strategy, fmt.Sprintf(format, args...), cause)
}

// jitterSteps are the steps in which a delay is drawn on either side.
const jitterSteps = 100

// grow returns the next delay, drawn about its length, and makes the one after it longer.
func (r *Restarts) grow() dataflow.Nanos {
	c := r.cfg
	r.client.Cancel(r.calm)
	d := r.backoff
	r.backoff = min(c.MaxBackoff, times(d, c.Multiplier))
	step := r.client.host.Draw(2*jitterSteps + 1) // 0 is the quiet choice: none
	if step > jitterSteps {
		step = jitterSteps - step
	}
	return min(c.MaxBackoff, d+times(d, c.Jitter)*dataflow.Nanos(step)/jitterSteps)
}

// times multiplies a time, which is below a year.
func times(d dataflow.Nanos, by dataflow.Hundredths) dataflow.Nanos {
	return d/100*dataflow.Nanos(by) + d%100*dataflow.Nanos(by)/100
}

// Progress notes that a checkpoint has completed.
func (r *Restarts) Progress() {
	if r.cfg.Strategy == dataflow.RestartProgress {
		r.failures = 0
	}
}

// After calls restart after the delay, at once if it is 0, and reports whether that is still to
// come. A delay that runs is replaced.
func (r *Restarts) After(d dataflow.Nanos, restart func()) (waits bool) {
	r.client.Cancel(r.delay)
	r.waited = d
	if r.waiting = d > 0; !r.waiting {
		r.begin(restart)
		return false
	}
	r.delay = r.client.After(d, func() {
		r.waiting = false
		r.begin(restart)
	})
	return true
}

// begin starts the job again, and from then on the time without a failure.
func (r *Restarts) begin(restart func()) {
	if r.cfg.Strategy == dataflow.RestartExponential {
		r.calm = r.client.After(r.cfg.ResetThreshold, func() { r.backoff = r.cfg.InitialBackoff })
	}
	restart()
}

// Waiting reports whether a delay runs.
func (r *Restarts) Waiting() bool { return r.waiting }

// Stop forgets the restart that a delay holds back: the job has ended.
func (r *Restarts) Stop() {
	r.client.Cancel(r.delay)
	r.waiting = false
}

// Waited says for how long the newest restart was held back, "" for not at all.
func (r *Restarts) Waited() string {
	if r.waited == 0 {
		return ""
	}
	return ", after a delay of " + time.Duration(r.waited).String()
}
