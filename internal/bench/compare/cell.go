package compare

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cell is a cell of the campaign in the bench commands of both builds.
type cell struct {
	builds   *Builds
	name     string
	words    []string
	binaries [2]string
	records  int
	runs     int
}

// firstRecords is the input of the run from which the size of the others is
// taken: a tenth of a second or more on a slow machine.
const firstRecords = 200_000

// cell builds cmd/bench for both arms and finds out how many records make a
// repetition. A repetition is a closed loop over a finite input, measured by the
// build's own command, twice: as the cell and its twin.
func (b *Builds) cell(ctx context.Context, name string) (*Subject, error) {
	parts := strings.Split(name, "/")
	c := &cell{builds: b, name: name, words: []string{"--algorithm", parts[0], "--state", parts[1], "--workload", parts[2]}, records: firstRecords}
	for _, arm := range []Arm{A, B} {
		var err error
		if c.binaries[arm], err = b.binary(ctx, arm, "cmd/bench", "build"); err != nil {
			return nil, err
		}
	}
	r, err := c.repeat(ctx, A)
	if err != nil {
		return nil, err
	}
	c.records = max(firstRecords, int(float64(b.aimed.Nanoseconds())/r.Wall))
	return &Subject{Name: name, Operations: c.records, Repeat: c.repeat, Measured: "the job's process, per record, closed loop (" + throughputPerCPU + ")"}, nil
}

// The metrics of a line of `bench run --json` that are read.
const (
	throughputPerCPU = "throughput_per_cpu"
	throughput       = "throughput"
)

func (c *cell) repeat(ctx context.Context, arm Arm) (Reading, error) {
	c.runs++
	id := "run-" + strconv.Itoa(c.runs)
	results := filepath.Join(c.builds.dir, "results")
	argv := append([]string{
		c.binaries[arm], "run", "--quick", "--repetitions", "1", "--events", strconv.Itoa(c.records), "--interval", "200ms", "--json", "--results", results, "--id", id,
	}, c.words...)
	f, err := run(ctx, c.builds.Builds[arm].dir, c.builds.env, argv...)
	if reason := refused(err); reason != "" {
		return Reading{}, unknown("%s in %s of %s: %s", c.name, arm, c.builds.Builds[arm], reason)
	}
	if err != nil {
		return Reading{}, fmt.Errorf("%s in %s of %s: %w", c.name, arm, c.builds.Builds[arm], err)
	}
	r, err := readCells(f.stdout)
	if err != nil {
		return Reading{}, fmt.Errorf("%s in %s of %s: %w; it wrote:\n%s", c.name, arm, c.builds.Builds[arm], err, f.stdout)
	}
	return r, os.RemoveAll(filepath.Join(results, id))
}

// readCells returns the mean of the cells that `bench run --json` has written.
func readCells(text string) (Reading, error) {
	var r Reading
	cells := 0
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return r, fmt.Errorf("a line that is not JSON: %w", err)
		}
		if line["summary"] != nil {
			continue
		}
		processor, err := rate(line, throughputPerCPU)
		if err != nil {
			return r, err
		}
		clock, err := rate(line, throughput)
		if err != nil {
			return r, err
		}
		cells++
		r.CPU += 1e9 / processor
		r.Wall += 1e9 / clock
	}
	if cells == 0 {
		return r, errors.New("no cell was measured")
	}
	r.CPU, r.Wall = r.CPU/float64(cells), r.Wall/float64(cells)
	return r, lines.Err()
}

// rate returns the median of a metric that must be above zero.
func rate(line map[string]json.RawMessage, metric string) (float64, error) {
	var v struct {
		Median float64 `json:"median"`
	}
	if err := json.Unmarshal(line[metric], &v); err != nil || v.Median <= 0 {
		return 0, fmt.Errorf("no %s in a cell: %s", metric, line[metric])
	}
	return v.Median, nil
}
