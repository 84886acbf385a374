package settings

import (
	"strings"

	"weir/dataflow"
)

// Effective returns the value of every setting of a job by name, as a file has it: a text, a
// number, or true or false.
func Effective(c *dataflow.Config) map[string]any {
	all := map[string]any{}
	for _, s := range dataflow.Settings() {
		all[s.Name] = s.Value(c)
	}
	return all
}

// Line returns the same in a line, in the order of the table.
func Line(c *dataflow.Config) string {
	var all []string
	for _, s := range dataflow.Settings() {
		all = append(all, s.Name+"="+s.Text(c))
	}
	return strings.Join(all, " ")
}
