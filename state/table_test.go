package state_test

import (
	"reflect"
	"slices"
	"testing"

	"weir/state"
)

// TestKindsAreApart: a table has what its kind can do and nothing else, so that
// misuse does not compile.
func TestKindsAreApart(t *testing.T) {
	for _, c := range []struct {
		table reflect.Type
		has   []string
	}{
		{reflect.TypeFor[state.Table](), []string{"Delete", "Len", "Range"}},
		{reflect.TypeFor[state.ValueTable](), []string{"Delete", "Get", "Len", "Put", "Range"}},
		{reflect.TypeFor[state.FixedTable](), []string{"Delete", "Get", "Len", "Put", "Range", "Update"}},
		{reflect.TypeFor[state.ListTable](), []string{"Append", "Delete", "Get", "Len", "Put", "Range"}},
		{reflect.TypeFor[state.MapTable](), []string{"Delete", "Len", "MapDelete", "MapGet", "MapPut", "MapRange", "Range"}},
		{reflect.TypeFor[*state.Value[int64]](), []string{"Delete", "Get", "Set", "Table"}},
		{reflect.TypeFor[*state.Reducing[int64]](), []string{"Add", "Delete", "Get", "Table"}},
		{reflect.TypeFor[*state.Aggregating[int64, int64, int64]](), []string{"Add", "Delete", "Get", "Merge", "Table"}},
		{reflect.TypeFor[*state.List[int64]](), []string{"Append", "Clear", "Each", "Table"}},
		{reflect.TypeFor[*state.Map[int64, int64]](), []string{"Clear", "Delete", "Each", "Get", "Put", "Table"}},
	} {
		var has []string
		for m := range c.table.Methods() {
			has = append(has, m.Name)
		}
		if !slices.Equal(has, c.has) {
			t.Errorf("%v has %q, want %q", c.table, has, c.has)
		}
	}
}
