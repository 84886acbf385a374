package main

import (
	"fmt"

	"weir/state"
)

// schemasOf returns schemas as they are shown, without the number of values.
func schemasOf(s state.Schemas) (all []shownSchema) {
	for _, x := range s.All() {
		all = append(all, shownSchema{Version: x.Version, Language: x.Language, Text: x.Text})
	}
	return all
}

// count counts a value of a version.
func count(all []shownSchema, version uint32) {
	for i := range all {
		if all[i].Version == version {
			all[i].Values++
		}
	}
}

// listSchemas returns those of lists of operator state. How many items are of which version their
// owner knows.
func listSchemas(lists []state.OperatorList) (all []shownListSchemas) {
	for _, l := range lists {
		if l.Schemas != "" {
			all = append(all, shownListSchemas{l.Name, l.Codec, len(l.Items), schemasOf(l.Schemas)})
		}
	}
	return all
}

// schemaRows has a row for each version of a state of a task.
func schemaRows(tasks []shownTask, states []shownState) (rows [][]string) {
	for i := range states {
		x := &states[i]
		for _, s := range x.Schemas {
			rows = append(rows, []string{fmt.Sprintf("%s[%d]", x.Operator, x.Instance), x.State, fmt.Sprint(s.Version), fmt.Sprint(s.Values), s.Language, s.Text})
		}
	}
	for i := range tasks {
		t := &tasks[i]
		for _, l := range t.ListSchemas {
			for _, s := range l.Schemas {
				rows = append(rows, []string{fmt.Sprintf("%s[%d]", t.Operator, t.Instance), l.List, fmt.Sprint(s.Version), "-", s.Language, s.Text})
			}
		}
	}
	return rows
}
