package dataflow

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting is one setting of a job's coordinator. Flags, files, what is printed with every
// result, validation and docs/configuration.md are made from [Settings].
type Setting struct {
	Name    string // in files, saved runs and results
	Flag    string // on command lines, without its dashes
	Does    string // what it does, without a full stop
	Readers Readers
	// Of is the restart strategy that alone reads it; "": whatever the strategy.
	Of RestartStrategy
	// Least and Most bound the value: of a duration nanoseconds, of a share or factor hundredths.
	// Most is 0 where there is no such bound.
	Least, Most int64
	// At returns where the value is: a *Nanos, *int, *bool, *Hundredths, *RestartStrategy, *FailoverStrategy or *OnCancel.
	At func(c *Config) any
}

// Readers are the algorithms that a setting means something to.
type Readers uint8

// The readers.
const (
	AllAlgorithms Readers = iota
	WithSnapshots         // those that take any
	WithRounds            // those with job-wide checkpoints
	WithTurns             // those whose barriers wait, and then overtake
	WithRegions           // those that can restart a region
)

// String says who they are.
func (r Readers) String() string {
	return [...]string{"all algorithms", "algorithms with snapshots", "algorithms with job-wide checkpoints", "algorithms whose barriers turn", "algorithms that can restart a region"}[r]
}

// Hundredths is a share or a factor: 150 is 1.5.
type Hundredths int

// settings is the table.
var settings = []Setting{
	{"checkpoint.interval", "interval", "time from the beginning of one checkpoint to that of the next; where tasks snapshot for themselves, of their snapshots", WithSnapshots, "", 1, mostTime, func(c *Config) any { return &c.Checkpoint.Interval }},
	{"checkpoint.min-pause", "min-pause", "least time from the end of a checkpoint, good or bad, to the beginning of the next one", WithRounds, "", 0, mostTime, func(c *Config) any { return &c.Checkpoint.MinPause }},
	{"checkpoint.concurrent", "concurrent", "checkpoints under way at once, at most", WithRounds, "", 1, 0, func(c *Config) any { return &c.Checkpoint.MaxConcurrent }},
	{"checkpoint.timeout", "checkpoint-timeout", "after how long a checkpoint is given up", WithRounds, "", 1, mostTime, func(c *Config) any { return &c.Checkpoint.Timeout }},
	{"checkpoint.alignment-timeout", "alignment-timeout", "how long a barrier waits for others, and behind records, before it overtakes; 0: not at all", WithTurns, "", 0, mostTime, func(c *Config) any { return &c.Checkpoint.AlignmentTimeout }},
	{"checkpoint.tolerated", "tolerated", "failed checkpoints in a row with which a job goes on; one more counts as a failure of the job; -1: any number", WithSnapshots, "", -1, 0, func(c *Config) any { return &c.Checkpoint.Tolerated }},
	{"checkpoint.retain", "retain", "complete checkpoints that are kept", WithRounds, "", 1, 0, func(c *Config) any { return &c.Checkpoint.Retain }},
	{"checkpoint.fallback", "fallback", "go back to an older checkpoint where the newest is damaged, and commit again what was committed since", WithSnapshots, "", 0, 0, func(c *Config) any { return &c.Checkpoint.Fallback }},
	{"checkpoint.on-cancel", "on-cancel", "what a job that is stopped, or has ended, leaves in storage: retain its checkpoints, or delete all but a plan that says that it is over", WithSnapshots, "", 0, 0, func(c *Config) any { return &c.Checkpoint.OnCancel }},
	{"checkpoint.after-finished", "after-finished", "begin checkpoints when some tasks have finished already; without it only the last one, of all that are left", WithRounds, "", 0, 0, func(c *Config) any { return &c.Checkpoint.AfterFinished }},
	{"checkpoint.local-recovery", "local-recovery", "keep copies of the newest snapshot's files on the worker's disk, and restore from those that are there and whole", WithSnapshots, "", 0, 0, func(c *Config) any { return &c.Checkpoint.LocalRecovery }},
	{"checkpoint.changelog", "changelog", "write changes of keyed state to storage as they happen, so that a checkpoint has the end of them left to write", WithRounds, "", 0, 0, func(c *Config) any { return &c.Checkpoint.Changelog }},
	{"checkpoint.changelog-segment", "changelog-segment", "bytes of changes that are written at once between checkpoints", WithRounds, "", 1, 0, func(c *Config) any { return &c.Checkpoint.ChangelogSegment }},

	{"restart.strategy", "restart-strategy", "whether a job starts again after a failure, and when", AllAlgorithms, "", 0, 0, func(c *Config) any { return &c.Restart.Strategy }},
	{"restart.failover-strategy", "failover-strategy", "what starts again after a failure of tasks: full: all; region: those that edges connect with one that failed", WithRegions, "", 0, 0, func(c *Config) any { return &c.Restart.Failover }},
	{"restart.progress.attempts", "restart-progress-attempts", "recoveries in a row without a checkpoint between them; one more, for a task that gave up by itself, ends the job", AllAlgorithms, RestartProgress, 0, 0, func(c *Config) any { return &c.Restart.ProgressAttempts }},
	{"restart.fixed-delay.attempts", "restart-fixed-attempts", "restarts by one coordinator; one failure more ends the job", AllAlgorithms, RestartFixedDelay, 0, 0, func(c *Config) any { return &c.Restart.FixedAttempts }},
	{"restart.fixed-delay.delay", "restart-fixed-delay", "time from a failure to the restart", AllAlgorithms, RestartFixedDelay, 0, mostTime, func(c *Config) any { return &c.Restart.FixedDelay }},
	{"restart.exponential-delay.initial-backoff", "restart-initial-backoff", "time from the first failure to the restart", AllAlgorithms, RestartExponential, 1, mostTime, func(c *Config) any { return &c.Restart.InitialBackoff }},
	{"restart.exponential-delay.max-backoff", "restart-max-backoff", "the longest such time", AllAlgorithms, RestartExponential, 1, mostTime, func(c *Config) any { return &c.Restart.MaxBackoff }},
	{"restart.exponential-delay.backoff-multiplier", "restart-multiplier", "how many times as long each is as the one before", AllAlgorithms, RestartExponential, 100, mostFactor * 100, func(c *Config) any { return &c.Restart.Multiplier }},
	{"restart.exponential-delay.reset-backoff-threshold", "restart-reset-threshold", "a job that runs so long without a failure begins with the first time again", AllAlgorithms, RestartExponential, 1, mostTime, func(c *Config) any { return &c.Restart.ResetThreshold }},
	{"restart.exponential-delay.jitter-factor", "restart-jitter", "share of a time by which it is drawn longer or shorter, from 0 to 1", AllAlgorithms, RestartExponential, 0, 100, func(c *Config) any { return &c.Restart.Jitter }},
	{"restart.failure-rate.max-failures-per-interval", "restart-max-failures", "failures within the interval that are answered with a restart; one more ends the job", AllAlgorithms, RestartFailureRate, 0, 0, func(c *Config) any { return &c.Restart.MaxFailures }},
	{"restart.failure-rate.failure-rate-interval", "restart-failure-interval", "the interval in which failures are counted", AllAlgorithms, RestartFailureRate, 1, mostTime, func(c *Config) any { return &c.Restart.FailureInterval }},
	{"restart.failure-rate.delay", "restart-failure-delay", "time from a failure to the restart", AllAlgorithms, RestartFailureRate, 0, mostTime, func(c *Config) any { return &c.Restart.FailureDelay }},
}

// Settings returns all settings in the order in which they are written.
func Settings() []Setting { return slices.Clone(settings) }

// SettingNames returns their names.
func SettingNames() []string {
	names := make([]string, len(settings))
	for i := range settings {
		names[i] = settings[i].Name
	}
	return names
}

// LookupSetting returns the setting called name; the error lists the known ones.
func LookupSetting(name string) (*Setting, error) {
	i := slices.IndexFunc(settings, func(s Setting) bool { return s.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("unknown setting %q; known: %s", name, strings.Join(SettingNames(), ", "))
	}
	s := settings[i]
	return &s, nil
}

// Means reports whether the setting means something to an algorithm with these properties;
// turns: its barriers wait, and then overtake.
func (s *Setting) Means(p *Properties, turns bool) bool {
	switch s.Readers {
	case WithSnapshots:
		return p.Snapshots != NoSnapshots
	case WithRounds:
		return p.HasRounds()
	case WithTurns:
		return turns
	case WithRegions:
		return p.Rollback == ScopeRegion
	default:
		return true
	}
}

// Choices returns what the setting can be, nil if it is no choice of names.
func (s *Setting) Choices() []string {
	switch s.At(new(Config)).(type) {
	case *RestartStrategy:
		var names []string
		for _, r := range restartStrategies() {
			names = append(names, string(r))
		}
		return names
	case *FailoverStrategy:
		return []string{string(FailoverFull), string(FailoverRegion)}
	case *OnCancel:
		return []string{string(RetainOnCancel), string(DeleteOnCancel)}
	}
	return nil
}

// Type says what its values are called.
func (s *Setting) Type() string {
	switch s.At(new(Config)).(type) {
	case *Nanos:
		return "duration"
	case *bool:
		return "bool"
	case *Hundredths:
		return "decimal"
	case *int:
		return "int"
	}
	return strings.Join(s.Choices(), "|")
}

// Value returns its value in c as a file has it: a string, an int, a bool or a float64.
func (s *Setting) Value(c *Config) any {
	switch v := s.At(c).(type) {
	case *Nanos:
		return time.Duration(*v).String()
	case *int:
		return *v
	case *bool:
		return *v
	case *Hundredths:
		return float64(*v) / 100
	case *RestartStrategy:
		return string(*v)
	case *FailoverStrategy:
		return string(*v)
	case *OnCancel:
		return string(*v)
	}
	panic("setting " + s.Name + " has no type")
}

// Text returns its value in c as Set takes it.
func (s *Setting) Text(c *Config) string { return fmt.Sprint(s.Value(c)) }

// Set gives it a value in c: a duration such as 3ms, a number, true or false, a decimal with two
// digits at most, or one of its names.
func (s *Setting) Set(c *Config, text string) error {
	switch v := s.At(c).(type) {
	case *Nanos:
		d, err := time.ParseDuration(text)
		if err != nil || int64(d) < s.Least || s.above(int64(d)) {
			return s.refuse(text, fmt.Sprintf("is no duration from %s up to %s; write for example 3ms", time.Duration(s.Least), time.Duration(s.Most)))
		}
		*v = Nanos(d)
	case *int:
		n, err := strconv.Atoi(text)
		if err != nil || int64(n) < s.Least {
			return s.refuse(text, fmt.Sprintf("is no number from %d up", s.Least))
		}
		*v = n
	case *bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return s.refuse(text, "is neither true nor false")
		}
		*v = b
	case *Hundredths:
		f, err := strconv.ParseFloat(text, 64)
		n := Hundredths(f*100 + 0.5)
		if err != nil || math.IsNaN(f) || f < 0 || f > mostFactor || int64(n) < s.Least || s.above(int64(n)) || Hundredths(f*100*10+0.5) != 10*n {
			return s.refuse(text, fmt.Sprintf("is no decimal from %g up to %g with two digits at most", float64(s.Least)/100, float64(s.Most)/100))
		}
		*v = n
	default:
		return s.choose(v, text)
	}
	return nil
}

// mostTime bounds durations, a year in nanoseconds: a longer one is a mistake, and the sum of a few has
// room in 64 bits.
const mostTime = 365 * 24 * 3600 * 1_000_000_000

// mostFactor bounds decimals: a factor above it is a mistake.
const mostFactor = 1000

func (s *Setting) choose(at any, text string) error {
	names := s.Choices()
	if !slices.Contains(names, text) {
		return s.refuse(text, "is none of "+strings.Join(names, ", "))
	}
	switch v := at.(type) {
	case *RestartStrategy:
		*v = RestartStrategy(text)
	case *FailoverStrategy:
		*v = FailoverStrategy(text)
	case *OnCancel:
		*v = OnCancel(text)
	}
	return nil
}

func (s *Setting) refuse(text, why string) error {
	return fmt.Errorf("setting %s: %q %s", s.Name, text, why)
}

// above reports whether a value is above the bound, if there is one.
func (s *Setting) above(v int64) bool { return s.Most != 0 && v > s.Most }

// check returns an error for a value that cannot be, whoever set it.
func (s *Setting) check(c *Config) error {
	switch v := s.At(c).(type) {
	case *Nanos:
		switch {
		case int64(*v) < s.Least:
			return fmt.Errorf("%s: %s; it must be at least %s", s.Name, time.Duration(*v), time.Duration(s.Least))
		case s.above(int64(*v)):
			return fmt.Errorf("%s: %s; it must be at most %s", s.Name, time.Duration(*v), time.Duration(s.Most))
		}
	case *int:
		if int64(*v) < s.Least {
			return fmt.Errorf("%s: %d; it must be at least %d", s.Name, *v, s.Least)
		}
	case *Hundredths:
		switch {
		case int64(*v) < s.Least:
			return fmt.Errorf("%s: %s; it must be at least %g", s.Name, s.Text(c), float64(s.Least)/100)
		case s.above(int64(*v)):
			return fmt.Errorf("%s: %s; it must be at most %g", s.Name, s.Text(c), float64(s.Most)/100)
		}
	case *RestartStrategy, *FailoverStrategy, *OnCancel:
		if text := s.Text(c); !slices.Contains(s.Choices(), text) {
			return fmt.Errorf("%s: %q; it must be one of %s", s.Name, text, strings.Join(s.Choices(), ", "))
		}
	}
	return nil
}
