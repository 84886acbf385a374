package dataflow

import (
	"fmt"
	"strings"
)

// Given are settings that somebody has given, by name, as text that [Setting.Set] takes. Those
// that are not given stay as they are.
type Given map[string]string

// Put adds a setting; the error says why it cannot be.
func (g Given) Put(name, text string) error {
	s, err := LookupSetting(name)
	if err != nil {
		return err
	}
	var c Config
	if err := s.Set(&c, text); err != nil {
		return err
	}
	g[name] = s.Text(&c)
	return nil
}

// Into sets what is given.
func (g Given) Into(c *Config) error {
	for i := range settings {
		if text, ok := g[settings[i].Name]; ok {
			if err := settings[i].Set(c, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// Has reports whether a setting is given.
func (g Given) Has(name string) bool {
	_, ok := g[name]
	return ok
}

// Flags are those of a command that give the same, each behind a space.
func (g Given) Flags() string {
	var b strings.Builder
	for i := range settings {
		s := &settings[i]
		if text, ok := g[s.Name]; ok {
			fmt.Fprintf(&b, " --%s=%s", s.Flag, text)
		}
	}
	return b.String()
}

// For returns what means something to an algorithm with these properties; turns: its barriers
// wait, and then overtake.
func (g Given) For(p *Properties, turns bool) Given {
	own := Given{}
	for i := range settings {
		s := &settings[i]
		if text, ok := g[s.Name]; ok && s.Means(p, turns) {
			own[s.Name] = text
		}
	}
	return own
}

// Agree returns an error that names two settings that contradict each other, in a job of
// an algorithm with these properties to which nothing else is given than g; nil: none do.
func (g Given) Agree(p *Properties) error {
	c := DefaultConfig()
	if err := g.Into(&c); err != nil {
		return err
	}
	for i := range settings {
		if s := &settings[i]; s.Of != "" && g.Has(s.Name) && s.Of != c.Restart.Strategy {
			return fmt.Errorf("setting %s is of restart.strategy %s, and restart.strategy is %s: give one of the two", s.Name, s.Of, c.Restart.Strategy)
		}
	}
	if c.Checkpoint.Fallback && c.Checkpoint.Retain < 2 && p.HasRounds() {
		return fmt.Errorf("checkpoint.fallback goes back to an older checkpoint, and with checkpoint.retain %d there is none: retain 2 or more", c.Checkpoint.Retain)
	}
	return c.Restart.agree()
}

// agree returns an error that names two settings of a strategy that contradict each other.
func (c *RestartConfig) agree() error {
	if c.InitialBackoff > c.MaxBackoff {
		return fmt.Errorf("restart.exponential-delay.initial-backoff is above restart.exponential-delay.max-backoff: the first delay must not be longer than the longest")
	}
	return nil
}
