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
