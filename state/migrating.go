package state

// A state whose values have versions converts them when they are read. So that what nobody
// reads does not stay of an old version for ever, writes take it along: behind every
// migrateEvery writes twice as many entries are looked at, and those of another version stored anew.
// When all have been, the older schemas are gone. It is on the way of the task, as a
// write of its own would be, so that what a snapshot holds is what the state was at the instant.

// Migrator is implemented by tables that hold values of several versions until somebody looks.
type Migrator interface {
	// Migrate looks at the next most entries, in an order of its own, and stores in their place
	// what convert returns for those that it changes, given the entries as they are stored. When
	// none is left that was there at the first call, the state has the schemas to, and it says
	// that it is done.
	Migrate(most int, to Schemas, convert func(dst []byte, e KeyedEntry) (converted []byte, changed bool)) (done bool)
}

const migrateEvery = 16

// migration is that of one table.
type migration struct {
	t       Migrator
	d       Descriptor
	writes  int
	done    bool
	element []byte // scratch
}

// newMigration returns that of a table opened as d, nil if its values have no versions.
func newMigration(d Descriptor, t Table) *migration {
	m, ok := t.(Migrator)
	if !ok || d.Evolution == nil {
		return nil
	}
	return &migration{t: m, d: d}
}

// writing comes before a write.
func (m *migration) writing() {
	if m.done {
		return
	}
	if m.writes++; m.writes == migrateEvery {
		m.writes = 0
		m.done = m.t.Migrate(2*migrateEvery, m.d.Evolution.Schemas(), m.convert)
	}
}

// convert converts what is stored of an entry.
func (m *migration) convert(dst []byte, e KeyedEntry) (converted []byte, changed bool) {
	stored := e.Value
	if m.d.Kind != KindList {
		return m.one(dst, stored)
	}
	for len(stored) > 0 {
		elem, rest, err := NextElement(stored)
		if err != nil {
			panic("state: a list with versions: " + err.Error())
		}
		var new bool
		m.element, new = m.one(m.element[:0], elem)
		dst, stored, changed = AppendElement(dst, m.element), rest, changed || new
	}
	return dst, changed
}

// one converts a value, or an element, behind the time at which it expires.
func (m *migration) one(dst, stored []byte) ([]byte, bool) {
	if m.d.TTL.Clock != 0 {
		dst, stored = append(dst, stored[:deadlineBytes]...), stored[deadlineBytes:]
	}
	return m.d.Evolution.Rewrite(dst, stored)
}

type migratingValues struct {
	ValueTable
	m *migration
}

func (t *migratingValues) Put(k Key, value []byte) {
	t.m.writing()
	t.ValueTable.Put(k, value)
}

// migrateValues returns a table as it is used.
func migrateValues(d Descriptor, t ValueTable) ValueTable {
	if m := newMigration(d, t); m != nil {
		return &migratingValues{t, m}
	}
	return t
}

type migratingList struct {
	ListTable
	m *migration
}

func (t *migratingList) Put(k Key, elements []byte) {
	t.m.writing()
	t.ListTable.Put(k, elements)
}

func (t *migratingList) Append(k Key, element []byte) {
	t.m.writing()
	t.ListTable.Append(k, element)
}

func migrateList(d Descriptor, t ListTable) ListTable {
	if m := newMigration(d, t); m != nil {
		return &migratingList{t, m}
	}
	return t
}

type migratingMap struct {
	MapTable
	m *migration
}

func (t *migratingMap) MapPut(k Key, field, value []byte) {
	t.m.writing()
	t.MapTable.MapPut(k, field, value)
}

func migrateMap(d Descriptor, t MapTable) MapTable {
	if m := newMigration(d, t); m != nil {
		return &migratingMap{t, m}
	}
	return t
}
