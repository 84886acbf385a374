package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"weir/results/stat"
)

// Names of the files in a campaign's directory.
const (
	ManifestFile = "manifest.json"
	SamplesFile  = "samples.jsonl"
	SummaryFile  = "summary.txt"
)

// LocalPrefix begins the names of campaigns that are kept on one machine and
// not published.
const LocalPrefix = "local-"

// Errors that callers tell apart; each comes wrapped with the file and the way out.
var (
	ErrSchema    = errors.New("another schema version")
	ErrTruncated = errors.New("last line is incomplete")
	ErrDuplicate = errors.New("repetition recorded twice")
)

// Results is a campaign read from its directory. Its fields may be changed only
// before the first method is called; from then on any number of goroutines may
// ask.
type Results struct {
	Dir      string
	Manifest Manifest
	// Samples in the order of the file.
	Samples []Sample

	index index
}

// Read reads the campaign in dir and checks every sample. Errors name the file
// and line and say what to do; they wrap ErrSchema, ErrTruncated or
// ErrDuplicate where one of these is the cause.
func Read(dir string) (*Results, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, SamplesFile)
	data, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read samples: %w", err)
	}
	if i := completeLines(data); i < len(data) {
		return nil, fmt.Errorf("%s:%d: %w: the campaign was interrupted while writing it; continue with --resume, which measures that repetition again", path, bytes.Count(data, newline)+1, ErrTruncated)
	}
	samples, err := parseSamples(path, data)
	if err != nil {
		return nil, err
	}
	return &Results{Dir: dir, Manifest: m, Samples: samples}, nil
}

var newline = []byte{'\n'}

// completeLines returns the length of data up to its last line end.
func completeLines(data []byte) int { return bytes.LastIndexByte(data, '\n') + 1 }

// ReadManifest reads the manifest of the campaign in dir, whatever its samples
// are like. Its errors are those of Read.
func ReadManifest(dir string) (Manifest, error) {
	path := filepath.Join(dir, ManifestFile)
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fmt.Errorf("%s holds no results: %w; name a directory that has a %s", dir, err, ManifestFile)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("read manifest: %w", err)
	}
	var version struct {
		Schema      int `json:"schema"`
		Environment struct {
			Commit string `json:"commit"`
		} `json:"environment"`
	}
	if err := json.Unmarshal(data, &version); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w; restore the file or measure again", path, err)
	}
	if version.Schema != SchemaVersion {
		return Manifest{}, fmt.Errorf("%s: %w: %d, this build reads %d; use the program of commit %q, or measure again into another directory", path, ErrSchema, version.Schema, SchemaVersion, version.Environment.Commit)
	}
	var m Manifest
	if err := decodeStrictly(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("%s: %w; restore the file or measure again", path, err)
	}
	return m, nil
}

func parseSamples(path string, data []byte) ([]Sample, error) {
	var samples []Sample
	lineOf := map[string]int{}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		var s Sample
		if err := decodeStrictly(text, &s); err != nil {
			return nil, fmt.Errorf("%s:%d: %w; restore the line, or delete it to measure that repetition again", path, line, err)
		}
		if err := s.Validate(); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		key := sampleKey(s.Cell, s.Repetition)
		if first, ok := lineOf[key]; ok {
			return nil, fmt.Errorf("%s:%d: %w: %s is also on line %d; delete one of the two lines", path, line, ErrDuplicate, key, first)
		}
		lineOf[key] = line
		samples = append(samples, s)
	}
	return samples, nil
}

func sampleKey(c Cell, repetition int) string {
	return fmt.Sprintf("%s, repetition %d", c.Key(), repetition)
}

func decodeStrictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Published returns the directories of the campaigns below root that are not
// local, sorted by name. A root that is no directory is an error.
func Published(root string) ([]string, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("list results: %w; name the directory of campaigns with --results", err)
	}
	var dirs []string
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if !e.IsDir() || strings.HasPrefix(e.Name(), LocalPrefix) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, ManifestFile)); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

// Ratio returns the median of a metric in cell c over that in base with its
// interval; false when either has none or the base is not above zero.
func (r *Results) Ratio(c, base Cell, metric string) (stat.Summary, bool) {
	s, err := stat.Ratio(r.Values(c, metric), r.Values(base, metric), c.Seed(metric))
	return s, err == nil
}
