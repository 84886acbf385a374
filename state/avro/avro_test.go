package avro_test

import (
	"errors"
	"strings"
	"testing"

	"weir/state"
	"weir/state/avro"
	"weir/state/heap"
	"weir/state/statetest"
)

// purse is what all versions of the job work with.
type purse struct {
	Owner string  `avro:"owner"`
	Cents int64   `avro:"cents"`
	Kind  string  `avro:"kind"`
	Rate  float64 `avro:"rate"`
	Since int64   `avro:"since"`
}

func record(fields string) string {
	return `{"type":"record","name":"Purse","fields":[` + fields + `]}`
}

const (
	owner = `{"name":"owner","type":"string"}`
	cents = `{"name":"cents","type":"int"}`
	rate  = `{"name":"rate","type":"double","default":1}`
)

// schemas are those of three versions: 2 widens a field; 3 adds one with a default, and has
// another order.
var schemas = []string{
	record(owner + "," + cents + "," + rate + `,{"name":"kind","type":"string"}`),
	record(`{"name":"owner","type":"string","aliases":["holder"],"doc":"who it belongs to"},{"name":"cents","type":"long"},{"name":"kind","type":"string","default":"plain"},` + rate),
	record(`{"name":"cents","type":"long"},` + rate + `,{"name":"kind","type":"string"},{"name":"owner","type":"string","aliases":["holder"]},{"name":"since","type":"long","default":5}`),
}

func codec(t *testing.T, version int, schema string) *avro.Codec[purse] {
	t.Helper()
	c, err := avro.New[purse]("purse", uint32(version), schema)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// old is a value as the first version wrote it, when it had two fields.
type old struct {
	Owner string `avro:"owner"`
	Cents int32  `avro:"cents"`
}

// TestResolution: what a version has written another one reads as the specification
// resolves the two schemas: defaults, aliases, promotion, fields that are skipped.
func TestResolution(t *testing.T) {
	first, err := avro.New[old]("purse", 1, record(owner+","+cents))
	if err != nil {
		t.Fatal(err)
	}
	stored := first.Append(nil, old{"ada", 7})
	for _, c := range []struct {
		schema string
		want   purse
	}{
		{record(owner + "," + cents + "," + rate + `,{"name":"kind","type":"string","default":"plain"}`), purse{"ada", 7, "plain", 1, 0}},
		{record(`{"name":"kind","type":"string","default":"new"},{"name":"cents","type":"long"},` + rate + "," + owner), purse{"ada", 7, "new", 1, 0}},
		{record(`{"name":"owner","type":"string","default":"nobody"},{"name":"rate","type":"double","aliases":["cents"]},{"name":"kind","type":"string","default":""}`), purse{"ada", 0, "", 7, 0}},
	} {
		reader := codec(t, 2, c.schema)
		read, err := reader.Reader(first.Schema())
		if err != nil {
			t.Errorf("%s: %v", c.schema, err)
			continue
		}
		if got, err := read(stored); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", c.schema, got, err, c.want)
		}
		if again, err := reader.Decode(reader.Append(nil, c.want)); err != nil || again != c.want {
			t.Errorf("%s: written and read: %+v, %v", c.schema, again, err)
		}
	}
}

// TestIncompatible: what cannot be resolved names the field and both types.
func TestIncompatible(t *testing.T) {
	first := codec(t, 1, record(owner+`,{"name":"cents","type":"long"},`+rate+`,{"name":"kind","type":"string"}`))
	for schema, want := range map[string]string{
		record(owner + "," + cents + "," + rate + `,{"name":"kind","type":"string"}`):                                                            `cents" is stored as long and read as int`,
		record(owner + `,{"name":"cents","type":"long"},` + rate + `,{"name":"kind","type":"string"},{"name":"since","type":"long"}`):            `since`,
		record(`{"name":"owner","type":"bytes"},{"name":"cents","type":"string"},` + rate + `,{"name":"kind","type":"string"}`):                  `cents" is stored as long and read as string`,
		`{"type":"record","name":"Wallet","fields":[` + owner + `,{"name":"cents","type":"long"},` + rate + `,{"name":"kind","type":"string"}]}`: `Purse`,
	} {
		c, err := avro.New[purse]("purse", 2, schema)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = c.Reader(first.Schema()); !errors.Is(err, state.ErrIncompatible) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "version 1") {
			t.Errorf("%s: %v, want one that wraps ErrIncompatible and says %s", schema, err, want)
		}
	}
	c := codec(t, 2, schemas[0])
	for _, s := range []state.Schema{{Version: 1, Language: "fields", Text: "sum int64"}, {Version: 1, Language: "avro", Text: "{"}} {
		if _, err := c.Reader(s); !errors.Is(err, state.ErrIncompatible) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// TestText: what changes no encoding changes no text; what does, does.
func TestText(t *testing.T) {
	same := codec(t, 1, record(owner+","+cents)).Schema().Text
	for schema, want := range map[string]bool{
		`{"name":"Purse", "fields":[{"type":"string","name":"owner","doc":"x","aliases":["y"]},{"default":0,"type":"int","name":"cents"}], "type":"record"}`: true,
		record(owner + `,{"name":"cents","type":"long"}`):                              false,
		record(owner + `,{"name":"cents","type":{"type":"int","logicalType":"date"}}`): false,
		record(`{"name":"cents","type":"int"},` + owner):                               false,
	} {
		if got := codec(t, 1, schema).Schema().Text == same; got != want {
			t.Errorf("%s: the same text: %v", schema, got)
		}
	}
	for schema, want := range map[string]string{
		record(`{"name":"m","type":{"type":"map","values":"int"}}`): "a map has no order",
		`{"type":"record"}`: "avro codec \"purse\", version 1",
		`{`:                 "schema",
	} {
		if _, err := avro.New[purse]("purse", 1, schema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", schema, err)
		}
	}
	if _, err := avro.New[purse]("purse", 0, record(owner)); err == nil {
		t.Error("version 0 is taken")
	}
}

// TestThreeVersionsAndBack: a state goes from version 1 to 2, 3 and back to 2, which reads
// what 3 wrote without having known it: the schema stands in the snapshot.
func TestThreeVersionsAndBack(t *testing.T) {
	mem := statetest.NewMemory()
	var h []state.Handle
	has := map[uint64]purse{}
	for step, version := range []int{1, 2, 3, 2} {
		v, s := opened(t, version, mem, h)
		for n, p := range has {
			switch { // what the schema of this version has no field for
			case version < 3:
				p.Since = 0
			case p.Since == 0:
				p.Since = 5
			}
			has[n] = p
			var b [8]byte
			if got, ok := v.Get(state.KeyOfUint64(&b, n, state.DefaultGroups)); !ok || got != p {
				t.Errorf("step %d, version %d, key %d: %+v, %v, want %+v", step, version, n, got, ok, p)
			}
		}
		for n := uint64(step); n < 40; n += uint64(step) + 1 {
			var b [8]byte
			p := purse{Owner: "ada", Cents: int64(100*version) + int64(n), Kind: "gold", Rate: float64(version)}
			if version == 3 {
				p.Since = 9
			}
			v.Set(state.KeyOfUint64(&b, n, state.DefaultGroups), p)
			has[n] = p
		}
		c, err := s.Snapshot(state.SnapshotRequest{Epoch: 1 << 20, Prefix: string(rune('a' + step))})
		if err == nil {
			err = statetest.Drive(c, mem)
		}
		if err != nil {
			t.Fatal(err)
		}
		h = []state.Handle{c.Handle()}
	}
}

// opened is a store with a state of purses, restored.
func opened(t *testing.T, version int, mem *statetest.Memory, from []state.Handle) (*state.Value[purse], state.Store) {
	t.Helper()
	s, err := heap.Backend{}.Open(state.Open{Groups: state.GroupRange{Hi: state.DefaultGroups}, Keyed: true})
	if err != nil {
		t.Fatal(err)
	}
	v, err := state.OpenValue(s, "purse", state.Codec[purse](codec(t, version, schemas[version-1])))
	if err != nil {
		t.Fatal(err)
	}
	if len(from) > 0 {
		tr, err := s.Restore(from)
		if err == nil {
			err = statetest.Drive(tr, mem)
		}
		if err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
	}
	return v, s
}

// TestSameVersion: two schemas of one version are told with both texts: what is said of lists
// of fields means nothing of JSON.
func TestSameVersion(t *testing.T) {
	first, second := codec(t, 1, record(owner+","+cents)), codec(t, 1, record(owner+`,{"name":"cents","type":"long"}`))
	_, e := state.Bind[purse](second)
	want := "stored as " + first.Schema().Text + "; read as " + second.Schema().Text
	if v, err := e.Judge(first.Schema()); v != state.Incompatible || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "the next version") {
		t.Errorf("%v, %v, want %q", v, err, want)
	}
	other := state.Schema{Version: 1, Language: "fields", Text: "owner string, cents int32"}
	if v, err := e.Judge(other); v != state.Incompatible || !strings.Contains(err.Error(), `stored in the language "fields", read in "avro"`) {
		t.Errorf("%v, %v", v, err)
	}
}
