package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"weir/scenario/inspect"
	"weir/state"
)

// shownDifference is how one state differs.
type shownDifference struct {
	Operator string       `json:"operator"`
	State    string       `json:"state"`
	A        int          `json:"entries_a"`
	B        int          `json:"entries_b"`
	Added    int          `json:"added"`
	Removed  int          `json:"removed"`
	Changed  int          `json:"changed"`
	Declared string       `json:"declared,omitempty"`
	First    []shownEntry `json:"first,omitempty"`
}

type shownEntry struct {
	Key string  `json:"key"`
	A   *string `json:"a"` // null: only B has it
	B   *string `json:"b"`
}

func newDiff() *cobra.Command {
	var f common
	first := 3
	cmd := f.reads(&cobra.Command{
		Use:   "diff A B",
		Short: "Compare the states of two snapshots, whatever wrote them; exit status 1 if they differ",
		Example: `  go run ./cmd/state diff jobdir@1.3 jobdir@1.7
  go run ./cmd/state diff jobdir saved --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if first < 0 {
				return fmt.Errorf("%w: --first %d; it counts keys", errUsage, first)
			}
			return f.open(args, func(s []*inspect.Snapshot) error {
				all, err := inspect.Diff(s[0], s[1], first)
				if err != nil {
					return err
				}
				return f.printDiff(cmd, args, all)
			})
		},
	})
	cmd.Flags().IntVar(&first, "first", first, "how many of the first `keys` that differ are printed of each state")
	return cmd
}

func (f *common) printDiff(cmd *cobra.Command, args []string, all []inspect.Difference) error {
	shown := make([]shownDifference, len(all))
	differ := 0
	for i := range all {
		shown[i] = shownOf(&all[i])
		if !all[i].Same() {
			differ++
		}
	}
	var err error
	if f.json {
		err = lines(cmd, shown, struct {
			Summary bool `json:"summary"`
			States  int  `json:"states"`
			Differ  int  `json:"differ"`
		}{true, len(all), differ})
	} else {
		err = printDiffTable(cmd, shown)
	}
	if err == nil && differ > 0 {
		err = fmt.Errorf("%s and %s differ in %d of %d states", args[0], args[1], differ, len(all))
	}
	return err
}

func shownOf(d *inspect.Difference) shownDifference {
	s := shownDifference{Operator: d.Operator, State: d.Name, A: d.A, B: d.B, Added: d.Added, Removed: d.Removed, Changed: d.Changed, Declared: d.Declared}
	text := func(c *inspect.Changed, value []byte, has bool) *string {
		if !has {
			return nil
		}
		t := inspect.Text(d.Descriptor, &state.KeyedEntry{Key: c.Key, Field: c.Field, Value: value})
		return &t
	}
	for i := range d.First {
		c := &d.First[i]
		s.First = append(s.First, shownEntry{inspect.KeyText(c.Key), text(c, c.A, c.InA), text(c, c.B, c.InB)})
	}
	return s
}

func printDiffTable(cmd *cobra.Command, all []shownDifference) error {
	var rows [][]string
	for i := range all {
		d := &all[i]
		rows = append(rows, []string{d.Operator, d.State, fmt.Sprint(d.A), fmt.Sprint(d.B), fmt.Sprint(d.Added), fmt.Sprint(d.Removed), fmt.Sprint(d.Changed)})
	}
	if err := table(cmd, "OPERATOR STATE A B ADDED REMOVED CHANGED", rows); err != nil {
		return err
	}
	for i := range all {
		d := &all[i]
		if d.Declared != "" {
			cmd.Printf("%s %s: %s\n", d.Operator, d.State, d.Declared)
		}
		for _, e := range d.First {
			cmd.Printf("%s %s, key %s: %s -> %s\n", d.Operator, d.State, e.Key, orNone(e.A), orNone(e.B))
		}
	}
	return nil
}

func orNone(s *string) string {
	if s == nil {
		return "none"
	}
	return *s
}
