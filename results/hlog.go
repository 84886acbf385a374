package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// LatencyKind says up to which moment a latency counts.
type LatencyKind string

const (
	// Processing latency ends when the effect leaves the last operator.
	Processing LatencyKind = "processing"
	// Visible latency ends when the output is committed.
	Visible LatencyKind = "visible"
)

// HistogramFile is the name of the file that holds a cell's histograms.
func HistogramFile(c Cell) string { return c.FileName("hlog") }

func histogramTag(kind LatencyKind, repetition int) string {
	return fmt.Sprintf("%s-%d", kind, repetition)
}

// AppendHistogram records the latencies of one repetition durably, values in
// nanoseconds. Call it before Append of the same repetition: when a campaign is
// interrupted between the two, the repetition is measured again and its later
// histogram counts. The histogram's start and end times, milliseconds since the
// epoch, go into the log; the histogram itself is not changed.
func (w *Writer) AppendHistogram(c Cell, repetition int, kind LatencyKind, h *hdrhistogram.Histogram) error {
	if w.failed != nil {
		return w.failed
	}
	path := filepath.Join(w.dir, HistogramFile(c))
	text, err := histogramLine(h, histogramTag(kind, repetition))
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		header, err := histogramHeader(c)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := replaceFile(path, append(header, text...)); err != nil {
			return w.fail(err)
		}
		return nil
	}
	if err != nil {
		return w.fail(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return w.fail(err)
	}
	if err := errors.Join(f.Truncate(int64(completeLines(data))), appendDurably(f, text), f.Close()); err != nil {
		return w.fail(err)
	}
	return nil
}

func histogramHeader(c Cell) ([]byte, error) {
	var b bytes.Buffer
	log := hdrhistogram.NewHistogramLogWriter(&b)
	err := errors.Join(
		log.OutputComment("Latencies in nanoseconds, one histogram per repetition."),
		log.OutputComment(c.Key()),
		log.OutputLogFormatVersion(), log.OutputLegend())
	return b.Bytes(), err
}

func histogramLine(h *hdrhistogram.Histogram, tag string) ([]byte, error) {
	tagged := h.Clone()
	tagged.SetTag(tag)
	tagged.SetStartTimeMs(h.StartTimeMs())
	tagged.SetEndTimeMs(h.EndTimeMs())
	var b bytes.Buffer
	err := hdrhistogram.NewHistogramLogWriter(&b).OutputIntervalHistogram(tagged)
	return b.Bytes(), err
}

// Histograms returns the latency histograms of a cell by repetition, values in
// nanoseconds; none when the cell has no file. Only recorded repetitions count.
func (r *Results) Histograms(c Cell, kind LatencyKind) (map[int]*hdrhistogram.Histogram, error) {
	path := filepath.Join(r.Dir, HistogramFile(c))
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read histograms: %w", err)
	}
	byTag := map[string]*hdrhistogram.Histogram{}
	log := hdrhistogram.NewHistogramLogReader(bytes.NewReader(data[:completeLines(data)]))
	for {
		h, err := log.NextIntervalHistogram()
		if h == nil && (err == nil || errors.Is(err, io.EOF)) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: histogram %d: %w; restore the file, or delete it to do without its percentiles", path, len(byTag)+1, err)
		}
		byTag[h.Tag()] = h
	}
	found := map[int]*hdrhistogram.Histogram{}
	for _, s := range r.SamplesOf(c) {
		if h := byTag[histogramTag(kind, s.Repetition)]; h != nil {
			found[s.Repetition] = h
		}
	}
	return found, nil
}
