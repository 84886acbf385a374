package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"weir/scenario/inspect"
	"weir/state"
	"weir/state/savepoint"
)

// shownState is one state of one task.
type shownState struct {
	Operator string `json:"operator"`
	Instance int    `json:"instance"`
	State    string `json:"state"`
	Kind     string `json:"kind"`
	Codec    string `json:"codec"`
	Entries  int    `json:"entries"`
	Bytes    int64  `json:"bytes"` // of keys, fields and values
	// Groups are the key groups that have entries, in order.
	Groups []shownGroup `json:"groups"`
	// Schemas are those of the versions that values may be of; none: values have no versions.
	Schemas []shownSchema `json:"schemas,omitempty"`
}

type shownSchema struct {
	Version  uint32 `json:"version"`
	Values   int    `json:"values"` // that were written by it, each element of a list and each field of a map
	Language string `json:"language"`
	Text     string `json:"text"`
}

type shownGroup struct {
	Group   uint16 `json:"group"`
	Entries int    `json:"entries"`
	Bytes   int64  `json:"bytes"`
}

// shownTask is one task.
type shownTask struct {
	Operator  string `json:"operator"`
	Instance  int    `json:"instance"`
	Of        int    `json:"of"`
	Task      int    `json:"task"`
	Backend   string `json:"backend,omitempty"`
	Object    string `json:"object"`
	Bytes     int64  `json:"bytes"`
	Watermark int64  `json:"watermark"`
	Drained   bool   `json:"drained"`
	Splits    int    `json:"splits"`
	Lists     int    `json:"lists"`
	InFlight  int    `json:"buffers_in_flight"`
	Records   int    `json:"records_in_flight"`
	Damage    string `json:"damage,omitempty"`
	// ListSchemas are the schemas of lists of operator state, by name; those without are left out.
	ListSchemas []shownListSchemas `json:"list_schemas,omitempty"`
}

type shownListSchemas struct {
	List    string        `json:"list"`
	Codec   string        `json:"codec"`
	Items   int           `json:"items"`
	Schemas []shownSchema `json:"schemas"`
}

func newShow() *cobra.Command {
	var f common
	byGroup := false
	cmd := f.reads(&cobra.Command{
		Use:   "show PATH",
		Short: "Show the operators, their tasks, and the states with their entries and bytes",
		Example: `  go run ./cmd/state show jobdir
  go run ./cmd/state show jobdir@1.7 --by-group`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.open(args, func(s []*inspect.Snapshot) error {
				damaged, err := f.show(cmd, s[0], byGroup)
				if err == nil && damaged > 0 {
					err = fmt.Errorf("%d tasks of %s cannot be read; state verify says what is lost", damaged, args[0])
				}
				return err
			})
		},
	})
	cmd.Flags().BoolVar(&byGroup, "by-group", false, "a row for each key group that has entries (--json has them always)")
	return cmd
}

// show prints a snapshot, and returns how many tasks cannot be read.
func (f *common) show(cmd *cobra.Command, s *inspect.Snapshot, byGroup bool) (damaged int, err error) {
	var tasks []shownTask
	var states []shownState
	for _, t := range s.Tasks() {
		x := shownTask{
			Operator: t.Operator, Instance: t.Instance, Of: t.Instances, Task: int(t.ID), Backend: t.Backend, Object: t.Object, Bytes: t.Bytes,
			Watermark: t.Watermark, Drained: t.Drained, Splits: len(t.Splits), InFlight: t.InFlight, Records: t.Records,
		}
		if lists, err := t.Lists(); err == nil {
			x.Lists = len(lists)
			x.ListSchemas = listSchemas(lists)
		}
		more, err := statesOf(t)
		if err != nil {
			x.Damage = err.Error()
			damaged++
		}
		tasks, states = append(tasks, x), append(states, more...)
	}
	if f.json {
		return damaged, printShownLines(cmd, s, tasks, states)
	}
	return damaged, printShown(cmd, s, tasks, states, byGroup)
}

func printShownLines(cmd *cobra.Command, s *inspect.Snapshot, tasks []shownTask, states []shownState) error {
	all := make([]any, 0, len(tasks)+len(states))
	for _, x := range tasks {
		all = append(all, x)
	}
	for _, x := range states {
		all = append(all, x)
	}
	return lines(cmd, all, struct {
		Summary bool `json:"summary"`
		inspect.Found
		Groups    int `json:"key_groups"`
		Operators int `json:"operators"`
		States    int `json:"states"`
	}{true, s.Found, s.Groups, len(s.Operators), len(states)})
}

func printShown(cmd *cobra.Command, s *inspect.Snapshot, tasks []shownTask, states []shownState, byGroup bool) error {
	cmd.Printf("%s %v of job %q, %d tasks, %d key groups\n\n", s.Kind, s.Epoch, s.Job, len(tasks), s.Groups)
	if err := table(cmd, "OPERATOR BACKEND BYTES WATERMARK DRAINED SPLITS LISTS IN-FLIGHT OBJECT", taskRows(tasks)); err != nil {
		return err
	}
	for i := range tasks {
		if tasks[i].Damage != "" {
			cmd.PrintErrf("state: %s[%d] cannot be read: %s\n", tasks[i].Operator, tasks[i].Instance, tasks[i].Damage)
		}
	}
	if len(states) == 0 {
		return nil
	}
	cmd.Println()
	if byGroup {
		return table(cmd, "OPERATOR STATE GROUP ENTRIES BYTES", groupRows(states))
	}
	if err := table(cmd, "OPERATOR STATE KIND CODEC GROUPS ENTRIES BYTES", stateRows(states)); err != nil {
		return err
	}
	rows := schemaRows(tasks, states)
	if len(rows) == 0 {
		return nil
	}
	cmd.Println()
	return table(cmd, "OPERATOR STATE VERSION VALUES LANGUAGE SCHEMA", rows)
}

// statesOf reads the states of a task.
func statesOf(t *inspect.Task) (all []shownState, err error) {
	c, closed, err := t.Open()
	if err != nil {
		return nil, err
	}
	for _, d := range c.States() {
		x := shownState{Operator: t.Operator, Instance: t.Instance, State: d.Name, Kind: d.Kind.String(), Codec: d.Codec, Groups: []shownGroup{}, Schemas: schemasOf(d.Schemas)}
		c.Entries(d.Name, func(e state.KeyedEntry) bool {
			inspect.Versions(d, &e, func(version uint32) { count(x.Schemas, version) })
			if n := len(x.Groups); n == 0 || x.Groups[n-1].Group != e.Group {
				x.Groups = append(x.Groups, shownGroup{Group: e.Group})
			}
			g, size := &x.Groups[len(x.Groups)-1], int64(len(e.Key)+len(e.Field)+len(e.Value))
			g.Entries++
			g.Bytes += size
			x.Entries++
			x.Bytes += size
			return true
		})
		all = append(all, x)
	}
	if err := c.Err(); err != nil {
		_ = closed()
		return nil, err
	}
	return all, closed()
}

func taskRows(tasks []shownTask) [][]string {
	var rows [][]string
	for i := range tasks {
		t := &tasks[i]
		backend, watermark := t.Backend, fmt.Sprint(t.Watermark)
		if backend == "" {
			backend = "-"
		}
		switch t.Watermark {
		case -1 << 63:
			watermark = "-"
		case 1<<63 - 1:
			watermark = "end"
		}
		rows = append(rows, []string{
			fmt.Sprintf("%s[%d]", t.Operator, t.Instance), backend, fmt.Sprint(t.Bytes), watermark, fmt.Sprint(t.Drained),
			fmt.Sprint(t.Splits), fmt.Sprint(t.Lists), fmt.Sprint(t.InFlight), t.Object,
		})
	}
	return rows
}

func stateRows(states []shownState) [][]string {
	var rows [][]string
	for i := range states {
		x := &states[i]
		var groups savepoint.Groups
		for _, g := range x.Groups {
			groups.Add(g.Group)
		}
		which := fmt.Sprint(len(groups))
		if n := len(groups); n > 0 {
			which = fmt.Sprintf("%d of %d-%d", n, groups[0], groups[n-1])
		}
		rows = append(rows, []string{fmt.Sprintf("%s[%d]", x.Operator, x.Instance), x.State, x.Kind, x.Codec, which, fmt.Sprint(x.Entries), fmt.Sprint(x.Bytes)})
	}
	return rows
}

func groupRows(states []shownState) [][]string {
	var rows [][]string
	for i := range states {
		for _, g := range states[i].Groups {
			rows = append(rows, []string{fmt.Sprintf("%s[%d]", states[i].Operator, states[i].Instance), states[i].State, fmt.Sprint(g.Group), fmt.Sprint(g.Entries), fmt.Sprint(g.Bytes)})
		}
	}
	return rows
}
