package workloads

import (
	"fmt"
	"strconv"
	"strings"
)

// Setting is one setting of a workload as text: how to show it, and how to set it.
type Setting struct {
	Name string
	Get  func() string
	Set  func(value string) error
}

// Integer returns the setting of a whole number between low and high, both included.
func Integer(name string, v *int64, low, high int64) Setting {
	return Setting{
		Name: name,
		Get:  func() string { return strconv.FormatInt(*v, 10) },
		Set: func(value string) error {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < low || n > high {
				return fmt.Errorf("%q is not a whole number in %d..%d", value, low, high)
			}
			*v = n
			return nil
		},
	}
}

// Set sets one of the settings of a workload.
func Set(workload string, settings []Setting, name, value string) error {
	for _, s := range settings {
		if s.Name == name {
			if err := s.Set(value); err != nil {
				return fmt.Errorf("%s: setting %s: %w", workload, name, err)
			}
			return nil
		}
	}
	return fmt.Errorf("%s: no setting is named %q; known are %s", workload, name, strings.Join(Names(settings), ", "))
}

// Names returns the settings' names in their order.
func Names(settings []Setting) []string {
	names := make([]string, len(settings))
	for i, s := range settings {
		names[i] = s.Name
	}
	return names
}

// Changes returns "name=value" for the settings that differ from defaults,
// which are the same settings of an untouched workload.
func Changes(settings, defaults []Setting) []string {
	var changes []string
	for i, s := range settings {
		if v := s.Get(); v != defaults[i].Get() {
			changes = append(changes, s.Name+"="+v)
		}
	}
	return changes
}

// Named is the name of a workload and its settings by name, with all that follows
// from them: a workload whose settings are plain embeds one.
type Named struct {
	name     string
	settings []Setting
	defaults []string // in text form
	events   *int64
}

// NewNamed returns the name of a workload and its settings as they are, which are its
// defaults.
// events is where the setting numEvents has its value.
func NewNamed(name string, settings []Setting, events *int64) Named {
	n := Named{name: name, settings: settings, events: events}
	for _, s := range settings {
		n.defaults = append(n.defaults, s.Get())
	}
	return n
}

// Name returns the name of the workload.
func (n *Named) Name() string { return n.name }

// Set sets one setting by name.
func (n *Named) Set(name, value string) error { return Set(n.name, n.settings, name, value) }

// SettingNames returns the names that Set knows.
func (n *Named) SettingNames() []string { return Names(n.settings) }

// Settings returns what differs from the defaults.
func (n *Named) Settings() []string {
	var changes []string
	for i, s := range n.settings {
		if v := s.Get(); v != n.defaults[i] {
			changes = append(changes, s.Name+"="+v)
		}
	}
	return changes
}

// Events returns the number of records over all splits.
func (n *Named) Events() int { return int(*n.events) }

// SetEvents sets it.
func (n *Named) SetEvents(events int) error { return n.Set("numEvents", strconv.Itoa(events)) }

// Validate reports nothing: all settings go together.
func (n *Named) Validate() error { return nil }
