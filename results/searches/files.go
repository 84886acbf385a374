package searches

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
)

// ManifestFile is the name of the manifest. It differs from that of measurements.
const ManifestFile = "campaign.json"

// localPrefix begins the names of campaigns that are not published, as of measurements.
const localPrefix = "local-"

// Published returns the directories of the campaigns of searches below root that are not
// local, sorted by name.
func Published(root string) (dirs []string, err error) {
	entries, err := os.ReadDir(root)
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if strings.HasPrefix(e.Name(), localPrefix) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, ManifestFile)); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs, err
}

// fileOf is where the searches by a policy are.
func fileOf(dir, policy string) string { return filepath.Join(dir, policy+".jsonl") }

// Read returns the campaign in a directory. An error names file and line.
func Read(dir string) (*Campaign, error) {
	name := filepath.Join(dir, ManifestFile)
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%s holds no campaign of searches: %w", dir, err)
	}
	c := new(Campaign)
	if err := strictly(data, &c.Manifest); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if c.Manifest.Schema != SchemaVersion {
		return nil, fmt.Errorf("%s: schema version %d; this build reads %d", name, c.Manifest.Schema, SchemaVersion)
	}
	for _, p := range c.Manifest.Policies {
		if err := c.read(fileOf(dir, p)); err != nil {
			return nil, err
		}
	}
	c.sort()
	return c, nil
}

// read adds the searches of a file; one that is not there has none.
func (c *Campaign) read(name string) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if !bytes.HasSuffix(text, []byte("\n")) {
			break // cut off while it was written
		}
		var s Search
		if err := strictly(text, &s); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if s.Runs < 1 || s.Runs > c.Manifest.Budget || s.Number < 1 || !s.Found && s.Runs != c.Manifest.Budget {
			return fmt.Errorf("%s:%d: search %d of %s took %d runs, found %v, with a budget of %d", name, line, s.Number, s.Mutant, s.Runs, s.Found, c.Manifest.Budget)
		}
		c.Searches = append(c.Searches, s)
	}
	return nil
}

func strictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Writer adds searches to a campaign. It is for any number of goroutines.
type Writer struct {
	dir string
	mu  sync.Mutex
	c   *Campaign
}

// ErrOther: the directory holds another campaign, or one of another build.
var ErrOther = errors.New("another campaign")

// Open begins a campaign in a directory, which is made, or goes on with the one that is
// there if it is the same: ErrOther says what differs. What a killed process left of a
// last line is cut off. dir "" keeps the campaign in memory alone.
func Open(dir string, m Manifest) (*Writer, error) {
	m.Schema = SchemaVersion
	w := &Writer{dir: dir, c: &Campaign{Manifest: m}}
	if dir == "" {
		return w, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	was, err := Read(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return w, w.write(ManifestFile, manifestText(&m))
	case err != nil:
		return nil, err
	}
	if what := differs(&was.Manifest, &m); what != "" {
		return nil, fmt.Errorf("%w is in %s: %s; give another directory, or remove it", ErrOther, dir, what)
	}
	w.c = was
	w.c.Manifest.Finished = false
	return w, w.rewrite()
}

// differs says what of two campaigns is not the same.
func differs(was, is *Manifest) string {
	for _, x := range []struct {
		what    string
		was, is any
	}{
		{"budget", was.Budget, is.Budget}, {"searches", was.Searches, is.Searches}, {"policies", was.Policies, is.Policies},
		{"mutants", was.Mutants, is.Mutants}, {"build", was.Build, is.Build},
	} {
		if !reflect.DeepEqual(x.was, x.is) {
			return fmt.Sprintf("%s %v there, %v now", x.what, x.was, x.is)
		}
	}
	return ""
}

// Campaign returns a copy of what there is so far, in order.
func (w *Writer) Campaign() *Campaign {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := &Campaign{Manifest: w.c.Manifest, Searches: append([]Search{}, w.c.Searches...)}
	c.sort()
	return c
}

// Append adds a search: it is in its file when Append returns.
func (w *Writer) Append(s Search) error {
	line, err := json.Marshal(s)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dir != "" {
		f, err := os.OpenFile(fileOf(w.dir, s.Policy), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = f.Write(append(line, '\n'))
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	w.c.Searches = append(w.c.Searches, s)
	return nil
}

// Finish puts the files in order and says in the manifest that the campaign is whole. One
// that is not stays unfinished.
func (w *Writer) Finish() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.c.Manifest.Finished = len(w.c.Missing()) == 0
	if w.dir == "" {
		return nil
	}
	return w.rewrite()
}

// rewrite writes all files anew, each whole or not at all.
func (w *Writer) rewrite() error {
	w.c.sort()
	text := map[string]*bytes.Buffer{}
	for _, p := range w.c.Manifest.Policies {
		text[p] = new(bytes.Buffer)
	}
	for _, s := range w.c.Searches {
		if err := json.NewEncoder(text[s.Policy]).Encode(s); err != nil {
			return err
		}
	}
	for _, p := range w.c.Manifest.Policies {
		if err := w.write(fileOf("", p), text[p].Bytes()); err != nil {
			return err
		}
	}
	return w.write(ManifestFile, manifestText(&w.c.Manifest))
}

func (w *Writer) write(name string, text []byte) error {
	name = filepath.Join(w.dir, name)
	if err := os.WriteFile(name+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

func manifestText(m *Manifest) []byte {
	text, _ := json.MarshalIndent(m, "", "  ") // of strings, numbers and lists of them
	return append(text, '\n')
}
