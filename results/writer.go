package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Writer records a campaign. Every append is on stable storage when it returns.
// A Writer belongs to one goroutine. After an error of Append or
// AppendHistogram it takes nothing more: what was recorded before is intact and
// Resume continues from it.
type Writer struct {
	dir      string
	manifest Manifest
	samples  *os.File
	recorded map[string]bool
	failed   error
}

// Create starts a campaign in dir, which is made if it does not exist, and
// records the manifest with the current schema version. A directory that already
// holds a campaign is an error.
func Create(dir string, m Manifest) (*Writer, error) {
	if err := Vacant(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create results: %w", err)
	}
	m.Schema = SchemaVersion
	w := &Writer{dir: dir, manifest: m, recorded: map[string]bool{}}
	if err := w.openSamples(); err != nil {
		return nil, err
	}
	if err := w.writeManifest(); err != nil {
		return nil, errors.Join(err, w.samples.Close())
	}
	return w, nil
}

// Resume continues the campaign in dir. What an interruption left of a last
// line is cut off, and the manifest says so in a warning. The plan and
// environment recorded by Create stay; compare them by Manifest before going on.
func Resume(dir string) (*Writer, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, SamplesFile)
	data, err := readFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("resume: %w", err)
	}
	complete := completeLines(data)
	if complete < len(data) {
		if err := os.Truncate(path, int64(complete)); err != nil {
			return nil, fmt.Errorf("resume: cut off the incomplete last line: %w", err)
		}
		line := bytes.Count(data, newline) + 1
		m.Warnings = append(m.Warnings, Warning{Text: fmt.Sprintf("interrupted while writing line %d of %s; that repetition was measured again", line, SamplesFile)})
	}
	samples, err := parseSamples(path, data[:complete])
	if err != nil {
		return nil, err
	}
	m.Finished = nil
	w := &Writer{dir: dir, manifest: m, recorded: map[string]bool{}}
	for _, s := range samples {
		w.recorded[sampleKey(s.Cell, s.Repetition)] = true
	}
	if err := w.openSamples(); err != nil {
		return nil, err
	}
	if err := w.writeManifest(); err != nil {
		return nil, errors.Join(err, w.samples.Close())
	}
	return w, nil
}

func (w *Writer) openSamples() error {
	f, err := os.OpenFile(filepath.Join(w.dir, SamplesFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open samples: %w", err)
	}
	w.samples = f
	return nil
}

// Dir is the campaign's directory.
func (w *Writer) Dir() string { return w.dir }

// Manifest returns the manifest as recorded.
func (w *Writer) Manifest() Manifest { return w.manifest }

// Has tells whether that repetition of the cell is recorded.
func (w *Writer) Has(c Cell, repetition int) bool { return w.recorded[sampleKey(c, repetition)] }

// Append records one repetition durably. It refuses a sample that Validate
// refuses and one that is recorded already, both without harm to the Writer.
func (w *Writer) Append(s Sample) error {
	if w.failed != nil {
		return w.failed
	}
	if err := s.Validate(); err != nil {
		return err
	}
	key := sampleKey(s.Cell, s.Repetition)
	if w.recorded[key] {
		return fmt.Errorf("%s: %w: %s; ask Has before measuring", filepath.Join(w.dir, SamplesFile), ErrDuplicate, key)
	}
	line, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	if err := appendDurably(w.samples, append(line, '\n')); err != nil {
		return w.fail(err)
	}
	w.recorded[key] = true
	return nil
}

func (w *Writer) fail(err error) error {
	w.failed = fmt.Errorf("%w; the repetitions recorded before are kept: make room and continue with --resume", err)
	return w.failed
}

// Warn adds a warning to the manifest; it is recorded by Finish or Close.
func (w *Writer) Warn(warning Warning) { w.manifest.Warnings = append(w.manifest.Warnings, warning) }

// Amend changes the manifest and records it at once, for what is only known
// later: the environment after the runs, the verdict, the time of the end. The
// schema version cannot be changed.
func (w *Writer) Amend(change func(*Manifest)) error {
	change(&w.manifest)
	w.manifest.Schema = SchemaVersion
	return w.writeManifest()
}

// Close writes summary.txt from the samples recorded, the manifest, and closes
// the files. The campaign counts as finished only if the manifest was amended
// with a time of Finished.
func (w *Writer) Close() error {
	if err := errors.Join(w.writeManifest(), w.samples.Close()); err != nil {
		return fmt.Errorf("close results: %w", err)
	}
	if w.failed != nil {
		return w.failed
	}
	r, err := Read(w.dir)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := r.WriteBenchmarks(&b); err != nil {
		return err
	}
	return replaceFile(filepath.Join(w.dir, SummaryFile), b.Bytes())
}

func (w *Writer) writeManifest() error {
	data, err := json.MarshalIndent(w.manifest, "", "  ")
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	return replaceFile(filepath.Join(w.dir, ManifestFile), append(data, '\n'))
}

// replaceFile puts data in place of path, all or nothing, durably.
func replaceFile(path string, data []byte) error {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if err := errors.Join(appendDurably(f, data), f.Close()); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

func appendDurably(f *os.File, data []byte) error {
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
