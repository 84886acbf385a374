package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"weir/internal/paper/figures"
	"weir/internal/paper/report"
	"weir/results"
)

// summary is the last line of --json.
type summary struct {
	Summary       bool                  `json:"summary"`
	ID            string                `json:"id"`
	Dir           string                `json:"dir"`
	Cells         int                   `json:"cells"`
	Repetitions   int                   `json:"repetitions"`
	OutputsWrong  int                   `json:"outputs_wrong"`
	OutputDigests []string              `json:"output_digests"` // of exact outputs, distinct
	Quick         bool                  `json:"quick"`
	Validity      results.ValidityState `json:"validity"`
	Reasons       []string              `json:"reasons,omitempty"`
	Warnings      int                   `json:"warnings"`
	Finished      bool                  `json:"finished"`
}

// writeLines writes a line per cell and the summary.
func writeLines(w io.Writer, r *results.Results) error {
	m := r.Manifest
	s := summary{
		Summary: true, ID: m.ID, Dir: r.Dir, Repetitions: len(r.Samples), Quick: m.Plan.Quick, Validity: m.Validity.State,
		Reasons: m.Validity.Reasons, Warnings: len(m.Warnings), Finished: m.Finished != nil,
	}
	for _, l := range r.Lines() {
		data, err := json.Marshal(l)
		if err != nil {
			return err
		}
		if err := writeAll(w, append(data, '\n')); err != nil {
			return err
		}
		s.Cells++
	}
	for i := range r.Samples {
		x := &r.Samples[i]
		switch {
		case x.Output == results.OutputWrong:
			s.OutputsWrong++
		case x.Output == results.OutputExact && !slices.Contains(s.OutputDigests, x.OutputDigest):
			s.OutputDigests = append(s.OutputDigests, x.OutputDigest)
		}
	}
	if m.Plan.Cells != nil && len(s.OutputDigests) > 8 {
		s.OutputDigests = s.OutputDigests[:8] // timed runs differ in length, and so in output
	}
	data, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return writeAll(w, append(data, '\n'))
}

// writeFigures draws every figure as SVG with its data.
func writeFigures(dir string, r *results.Results) error {
	drawn, err := figures.Render(r)
	if err != nil {
		return err
	}
	out := filepath.Join(dir, "figures")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	for _, f := range drawn {
		files, err := f.Files()
		if err != nil {
			return err
		}
		for _, part := range files {
			if filepath.Ext(part.Name) == ".pdf" {
				continue
			}
			if err := os.WriteFile(filepath.Join(out, part.Name), part.Data, 0o644); err != nil {
				return fmt.Errorf("figures: %w", err)
			}
		}
	}
	return nil
}

func writeReport(dir string, r *results.Results) (path string, err error) {
	var page bytes.Buffer
	if err := report.Write(&page, r); err != nil {
		return "", err
	}
	path = filepath.Join(dir, "report.html")
	return path, os.WriteFile(path, page.Bytes(), 0o644)
}
