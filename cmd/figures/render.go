package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"weir/internal/paper/figures"
	"weir/results"
	"weir/results/searches"
)

// logger writes a line for people.
type logger func(format string, args ...any)

// render writes every figure and removes those that no results give any more.
func render(c config, log logger) error {
	files, err := drawAll(c, log)
	if err != nil {
		return err
	}
	if len(files) == 0 { // a mistyped --results must not empty --out
		return fmt.Errorf("nothing was drawn: %s", unpublished(c))
	}
	stale, err := staleFiles(c, files)
	if err != nil {
		return err
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove a figure that is no more: %w", err)
		}
		log("removed %s\n", path)
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write figures: %w", err)
		}
		if err := os.WriteFile(path, files[path], 0o644); err != nil {
			return fmt.Errorf("write figures: %w", err)
		}
	}
	log("%d files written below %s\n", len(files), c.out)
	return nil
}

// check renders into memory and compares with what is there.
func check(c config, log logger) error {
	files, err := drawAll(c, log)
	if err != nil {
		return err
	}
	var changed []string
	for _, path := range slices.Sorted(maps.Keys(files)) {
		have, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			changed = append(changed, path+" is missing")
		case err != nil:
			return fmt.Errorf("check figures: %w", err)
		case !bytes.Equal(have, files[path]):
			changed = append(changed, path+" would change")
		}
	}
	stale, err := staleFiles(c, files)
	if err != nil {
		return err
	}
	for _, path := range stale {
		changed = append(changed, path+" has no results")
	}
	if len(changed) > 0 {
		remedy := fmt.Sprintf("render them with: go run ./cmd/figures --results %s --out %s", c.results, c.out)
		if len(files) == 0 {
			remedy = "delete them: " + unpublished(c)
		}
		return fmt.Errorf("figures are not up to date:\n  %s\n%s", strings.Join(changed, "\n  "), remedy)
	}
	if len(files) == 0 {
		return fmt.Errorf("nothing was checked: %s", unpublished(c))
	}
	log("%d files are up to date\n", len(files))
	return nil
}

// unpublished tells that there are no campaigns to draw, and where they were
// looked for.
func unpublished(c config) string {
	return fmt.Sprintf("no published results in %s (a directory with a %s whose name does not begin with %s)", c.results, results.ManifestFile, results.LocalPrefix)
}

// drawAll returns the files of every published campaign by path.
func drawAll(c config, log logger) (map[string][]byte, error) {
	dirs, err := results.Published(c.results)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, dir := range dirs {
		r, err := results.Read(dir)
		if err != nil {
			return nil, err
		}
		drawn, err := figures.Render(r)
		if err != nil {
			return nil, err
		}
		log("%s: %d figures of %d repetitions, results %s\n", filepath.Base(dir), len(drawn), len(r.Samples), cmp.Or(r.Manifest.Validity.State, results.Unjudged))
		for _, f := range drawn {
			parts, err := f.Files()
			if err != nil {
				return nil, err
			}
			for _, part := range parts {
				files[filepath.Join(c.out, filepath.Base(dir), part.Name)] = part.Data
			}
		}
	}
	return files, drawSearches(c, files, log)
}

// drawSearches adds the files of every published campaign of searches.
func drawSearches(c config, files map[string][]byte, log logger) error {
	dirs, err := searches.Published(c.results)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		campaign, err := searches.Read(dir)
		if err != nil {
			return err
		}
		drawn, err := figures.Detection(campaign)
		if err != nil {
			return err
		}
		log("%s: %d files of %d searches\n", filepath.Base(dir), len(drawn), len(campaign.Searches))
		for _, f := range drawn {
			files[filepath.Join(c.out, filepath.Base(dir), f.Name)] = f.Data
		}
	}
	return nil
}

// staleFiles returns the figure files below out that are not among files,
// sorted. Other kinds of files are nobody's business here.
func staleFiles(c config, files map[string][]byte) ([]string, error) {
	var stale []string
	err := filepath.WalkDir(c.out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind := filepath.Ext(path)
		if _, drawn := files[path]; !drawn && (kind == ".svg" || kind == ".pdf" || kind == ".csv") {
			stale = append(stale, path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look for old figures: %w", err)
	}
	return stale, nil
}
