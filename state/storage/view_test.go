package storage_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/state"
	"weir/state/storage"
)

// filesOf returns all files below a directory with their contents.
func filesOf(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			all[path] = "directory"
			return nil
		}
		data, err := os.ReadFile(path)
		all[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestView: what a Dir has written can be read, also after damage, and nothing changes.
func TestView(t *testing.T) {
	root := t.TempDir() + "/job"
	if _, err := storage.OpenView(vfs.Default, root); err == nil || !strings.Contains(err.Error(), root) {
		t.Errorf("a directory that is not there: %v", err)
	}
	if storage.IsStorage(vfs.Default, root) {
		t.Error("a directory that is not there is storage")
	}
	d, err := storage.OpenDir(vfs.Default, root, storage.DirConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"chk/1.2", "snap/t0/1.2", "a b/c"} {
		if r := d.Do(state.Op{Kind: state.OpPut, Key: key, Data: []byte("content of " + key)}); r.Status != state.OK {
			t.Fatal(r.Err)
		}
	}
	before := filesOf(t, root)
	v, err := storage.OpenView(vfs.Default, root) // while the other has it
	if err != nil {
		t.Fatal(err)
	}
	if !storage.IsStorage(vfs.Default, root) {
		t.Error("the directory is no storage")
	}
	r := v.Do(state.Op{Kind: state.OpList})
	if r.Status != state.OK || len(r.List) != 3 || r.List[0].Key != "a b/c" {
		t.Errorf("list: %+v", r)
	}
	if r := v.Do(state.Op{Kind: state.OpGet, Key: "a b/c"}); string(r.Data) != "content of a b/c" {
		t.Errorf("get: %+v", r)
	}
	for _, op := range []state.Op{
		{Kind: state.OpPut, Key: "x"},
		{Kind: state.OpCreate, Key: "x"},
		{Kind: state.OpDelete, Key: "chk/1.2"},
		{Kind: state.OpFence, Key: "log/"},
		{Kind: state.OpAppend, Key: "log/c0"},
		{Kind: state.OpTrim, Key: "log/c0"},
	} {
		if r := v.Do(op); r.Status != state.Refused {
			t.Errorf("%s: %s, want refused", op.Kind, r.Status)
		}
	}
	if after := filesOf(t, root); len(after) != len(before) {
		t.Errorf("%d files and directories after looking, %d before", len(after), len(before))
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}

	path := filepath.Join(root, "chk", "1.2.obj")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("content"))
	data[at] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	r = v.Do(state.Op{Kind: state.OpGet, Key: "chk/1.2"})
	if r.Status != state.Corrupt || string(r.Data) != "bontent of chk/1.2" || !strings.Contains(r.Err.Error(), path) {
		t.Errorf("a damaged object: %s, %q, %v", r.Status, r.Data, r.Err)
	}
}
