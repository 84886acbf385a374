package pebblestate

import (
	"bytes"

	"weir/state"
)

// narrow leaves out of each source the tables that hold nothing of what is wanted of
// it, and sources of which nothing is left.
func (t *restore) narrow() {
	sources := t.sources
	t.sources = nil
	for _, src := range sources {
		tables, files := src.m.tables, src.files
		src.m.tables, src.files = nil, nil
		for i := range tables {
			if tables[i].mayHold(src.m.schema, src.wanted) {
				src.m.tables, src.files = append(src.m.tables, tables[i]), append(src.files, files[i])
			}
		}
		if len(src.files) > 0 {
			t.sources = append(t.sources, src)
		}
	}
}

// mayHold tells by its bounds whether a table can hold keys of some key groups.
func (t *table) mayHold(schema []schemaTable, groups state.GroupRange) bool {
	smallest, largest := t.smallest[:len(t.smallest)-internalTrailer], t.largest[:len(t.largest)-internalTrailer]
	var lower, upper []byte
	for _, s := range schema {
		lower, upper = appendKeyHeader(lower[:0], s.num, groups.Lo), appendKeyHeader(upper[:0], s.num, groups.Hi)
		if bytes.Compare(smallest, upper) < 0 && bytes.Compare(largest, lower) >= 0 {
			return true
		}
	}
	return false
}
