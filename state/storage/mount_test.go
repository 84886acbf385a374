package storage

import (
	"testing"

	"weir/state"
)

// TestMounted: what another storage shows is read below a prefix, and nothing of it is changed.
func TestMounted(t *testing.T) {
	own, other := NewMemory(0), NewMemory(0)
	other.Do(state.Op{Kind: state.OpPut, Key: "saved/1/t0", Data: []byte("x")})
	m := &Mounted{Storage: own, At: "from", Below: other, Root: "saved/1"}
	if r := m.Do(state.Op{Kind: state.OpGet, Key: "from/t0"}); r.Status != state.OK || string(r.Data) != "x" {
		t.Errorf("get: %v %q", r.Status, r.Data)
	}
	if r := m.Do(state.Op{Kind: state.OpList, Key: "from/"}); len(r.List) != 1 || r.List[0].Key != "from/t0" || r.List[0].Size != 1 {
		t.Errorf("list: %v", r.List)
	}
	for _, k := range []state.OpKind{state.OpPut, state.OpCreate, state.OpDelete, state.OpAppend, state.OpTrim, state.OpFence} {
		if r := m.Do(state.Op{Kind: k, Key: "from/t0", Data: []byte("y")}); r.Status != state.Refused {
			t.Errorf("%s: %v", k, r.Status)
		}
	}
	if r := m.Do(state.Op{Kind: state.OpPut, Key: "fromage", Data: []byte("y")}); r.Status != state.OK {
		t.Errorf("put beside it: %v", r.Status)
	}
	if r := own.Do(state.Op{Kind: state.OpList}); len(r.List) != 1 || r.List[0].Key != "fromage" {
		t.Errorf("own storage: %v", r.List)
	}
	m.Deletes = true
	if r := m.Do(state.Op{Kind: state.OpDelete, Key: "from/t0"}); r.Status != state.OK || len(other.Do(state.Op{Kind: state.OpList}).List) != 0 {
		t.Errorf("delete of what is the job's own: %v", r.Status)
	}
}
