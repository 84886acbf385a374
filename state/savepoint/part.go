package savepoint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cespare/xxhash/v2"

	"weir/state"
)

// Damage says that a part of a savepoint cannot be used, and what stood in it. It
// unwraps to its cause, which wraps state.ErrCorrupt unless the part is missing.
type Damage struct {
	File string // the storage key
	// Holds says what stood there: states with their key groups.
	Holds string
	Err   error
}

// Error names the file, the states and the key groups.
func (d *Damage) Error() string { return fmt.Sprintf("savepoint: %q (%s): %v", d.File, d.Holds, d.Err) }

// Unwrap returns the cause.
func (d *Damage) Unwrap() error { return d.Err }

// ReadIndex decodes the index that a manifest names as part i of one of its operators. An error
// is a *Damage.
func ReadIndex(root string, m *Manifest, o *Operator, i int, data []byte) (*Index, error) {
	ref := o.Parts[i]
	x, err := checkedIndex(m, o, i, data)
	if err != nil {
		return nil, &Damage{File: IndexKey(root, ref.Task), Holds: everythingOf(o, i), Err: err}
	}
	return x, nil
}

func checkedIndex(m *Manifest, o *Operator, i int, data []byte) (*Index, error) {
	x, err := DecodeIndex(data)
	if err != nil {
		return nil, err
	}
	ref := o.Parts[i]
	if sum := xxhash.Sum64(data); int64(len(data)) != ref.Size || sum != ref.Sum {
		return nil, fmt.Errorf("%w: %d bytes with checksum %016x, the manifest says %d and %016x", state.ErrCorrupt, len(data), sum, ref.Size, ref.Sum)
	}
	if x.Job != m.Job || x.Epoch != m.Epoch || x.Operator != o.Name || x.Instance != i || x.Instances != len(o.Parts) || x.ID != ref.Task || int(x.Groups.Hi) > m.Groups {
		return nil, fmt.Errorf("%w: it is that of %s[%d] of %d, job %q, epoch %v; the manifest says %s[%d] of %d, job %q, epoch %v",
			state.ErrCorrupt, x.Operator, x.Instance, x.Instances, x.Job, x.Epoch, o.Name, i, len(o.Parts), m.Job, m.Epoch)
	}
	return x, nil
}

func everythingOf(o *Operator, i int) string {
	return fmt.Sprintf("all states and key groups of %s[%d]", o.Name, i)
}

// Holds says what stands in a data object of the index: states with their groups.
func (x *Index) Holds(file int) string {
	var all []string
	for i := range x.States {
		var groups Groups
		for _, c := range x.States[i].Sections {
			if c.File == file {
				groups.Add(c.Group)
			}
		}
		if len(groups) > 0 {
			all = append(all, fmt.Sprintf("state %q, key groups %s", x.States[i].Name, groups))
		}
	}
	return strings.Join(all, "; ")
}

// section returns the bytes of a section in the data object that it stands in.
func (x *Index) section(root string, s *State, c *Section, data []byte) ([]byte, error) {
	damage := func(err error) error {
		return &Damage{File: DataKey(root, x.ID, c.File), Holds: fmt.Sprintf("state %q, key group %d", s.Name, c.Group), Err: err}
	}
	if err := checkData(data); err != nil {
		return nil, damage(err)
	}
	if c.Offset+c.Length > int64(len(data)) {
		return nil, damage(fmt.Errorf("%w: %d bytes, the index says %d: it was cut off", state.ErrCorrupt, len(data), x.Files[c.File].Size))
	}
	b := data[c.Offset : c.Offset+c.Length : c.Offset+c.Length]
	if sum := xxhash.Sum64(b); sum != c.Sum {
		return nil, damage(fmt.Errorf("%w: checksum %016x of bytes [%d, %d), the index says %016x", state.ErrCorrupt, sum, c.Offset, c.Offset+c.Length, c.Sum))
	}
	return b, nil
}

// Savepoint is a savepoint opened for reading on the spot. Not safe for concurrent use.
type Savepoint struct {
	Manifest
	Root    string
	storage state.Storage
}

// Open reads the manifest of the savepoint below root.
func Open(st state.Storage, root string) (*Savepoint, error) {
	data, err := get(st, ManifestKey(root))
	if err != nil {
		return nil, &Damage{File: ManifestKey(root), Holds: "the whole savepoint", Err: err}
	}
	m, err := DecodeManifest(data)
	if err != nil {
		return nil, &Damage{File: ManifestKey(root), Holds: "the whole savepoint", Err: err}
	}
	return &Savepoint{Manifest: *m, Root: root, storage: st}, nil
}

// get reads an object. What failed is asked for a few times.
func get(st state.Storage, key string) ([]byte, error) {
	r := state.Result{Status: state.Failed}
	for try := 0; try < 3 && r.Status == state.Failed; try++ {
		r = st.Do(state.Op{Kind: state.OpGet, Key: key})
	}
	if r.Status != state.OK {
		return r.Data, &state.OpError{Kind: state.OpGet, Key: key, Status: r.Status, Err: r.Err}
	}
	return r.Data, nil
}

// Part opens the share of instance i of an operator of the manifest.
func (s *Savepoint) Part(o *Operator, i int) (*Part, error) {
	file := IndexKey(s.Root, o.Parts[i].Task)
	data, err := get(s.storage, file)
	if err != nil {
		return nil, &Damage{File: file, Holds: everythingOf(o, i), Err: err}
	}
	x, err := ReadIndex(s.Root, &s.Manifest, o, i, data)
	if err != nil {
		return nil, err
	}
	return &Part{Index: *x, root: s.Root, storage: s.storage, at: -1}, nil
}

// Part is the share of one task, opened for reading. It is a state.Content; an
// error ends it there. Not safe for concurrent use.
type Part struct {
	Index
	root    string
	storage state.Storage
	at      int    // the data object in data; -1: none
	data    []byte // as far as it can be read
	lost    error  // why it cannot be
	err     error
}

var _ state.Content = (*partContent)(nil)

// Content returns the states of the share.
func (p *Part) Content() state.Content { return (*partContent)(p) }

// Section reads and checks one section of a state of the index, entry by entry. An error is a *Damage.
func (p *Part) Section(s *State, c *Section, f func(e state.KeyedEntry) bool) error {
	code := newCoder(s.Descriptor)
	return p.section(&code, s, c, f)
}

func (p *Part) section(code *coder, s *State, c *Section, f func(e state.KeyedEntry) bool) error {
	p.load(c.File)
	data, err := p.Index.section(p.root, s, c, p.data)
	if err == nil {
		if err = code.read(c, data, f); err == nil {
			return nil
		}
	}
	if p.lost != nil {
		err = p.lost
	}
	var d *Damage
	if errors.As(err, &d) {
		return d
	}
	return &Damage{File: DataKey(p.root, p.ID, c.File), Holds: fmt.Sprintf("state %q, key group %d", s.Name, c.Group), Err: err}
}

// load reads a data object. One that the storage says is damaged may have sections
// that are not.
func (p *Part) load(file int) {
	if p.at != file {
		p.at = file
		p.data, p.lost = get(p.storage, DataKey(p.root, p.ID, file))
	}
}

// partContent is Part as a state.Content: its index has a field called States.
type partContent Part

func (p *partContent) States() []state.Descriptor {
	all := make([]state.Descriptor, len(p.Index.States))
	for i := range p.Index.States {
		all[i] = p.Index.States[i].Descriptor
	}
	return all
}

func (p *partContent) Entries(name string, f func(e state.KeyedEntry) bool) {
	for i := range p.Index.States {
		s := &p.Index.States[i]
		if s.Name != name || p.err != nil {
			continue
		}
		code, more := newCoder(s.Descriptor), true
		for k := 0; k < len(s.Sections) && more && p.err == nil; k++ {
			p.err = (*Part)(p).section(&code, s, &s.Sections[k], func(e state.KeyedEntry) bool {
				more = f(e)
				return more
			})
		}
	}
}

func (p *partContent) Err() error { return p.err }
