package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"weir/internal/bench/compare"
	"weir/results"
)

// comparing are the flags of compare.
type comparing struct {
	builds []string
	rule   compare.Rule
	gate   float64
	json   bool
}

func newCompare() *cobra.Command {
	f := comparing{rule: compare.DefaultRule()}
	command := &cobra.Command{
		Use:   "compare --build A --build B BENCH|CELL...",
		Short: "Tell whether one build is slower than another",
		Long: `Compare the processor time per operation of two builds. BENCH is a Go benchmark
with its sub-benchmark, and where several packages have one of that name, the end
of the package's path in front: heap.BenchmarkSmall. It may be in another package
in each build. CELL is algorithm/state/workload, which each build's own bench
command measures in a closed loop over a finite input, a checkpoint every 200 ms.

A build is a revision, as git understands it, or a work tree, named by a path
that begins with . or /, with its uncommitted changes. A revision gets a work tree
in a temporary directory; its test binary is built once.

Repetitions of half a second are measured in blocks A B B A and B A A B in turn.
A block gives one ratio, B over A; the result is their median with a 95 %
bootstrap interval over blocks. It ends when half of the interval is as narrow as
--width, or when it has cost too much, and says which. What is measured is the
benchmark's loop where it reports a rate that ends in /cpu-s, else its whole
process less that of one that does two operations.

With --gate the exit status is 1 when the upper end of an interval is above it.`,
		Example: `  bench compare --build HEAD~1 --build HEAD BenchmarkSimEvents/fifo
  bench compare --build main --build . --gate 1.05 BenchmarkSimEvents/fifo BenchmarkScenarioHeap/aligned
  bench compare --build HEAD --build HEAD --width 0.01 BenchmarkQueue   # A/A: what this machine can tell
  bench compare --build HEAD~1 --build HEAD aligned/heap/keyedcount`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%w: compare needs a benchmark or a cell", errUsage)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	s := command.Flags()
	s.StringArrayVar(&f.builds, "build", nil, "a revision or a work tree; given twice, first A, then B")
	s.Float64Var(&f.rule.Width, "width", f.rule.Width, "half-width of the interval that is narrow enough, as a share of the ratio")
	s.IntVar(&f.rule.MinBlocks, "min-blocks", f.rule.MinBlocks, "blocks of four repetitions at least")
	s.IntVar(&f.rule.MaxBlocks, "max-blocks", f.rule.MaxBlocks, "blocks at most")
	s.DurationVar(&f.rule.Budget, "budget", f.rule.Budget, "time for the blocks of one benchmark at most")
	s.Float64Var(&f.gate, "gate", 0, "fail if the upper end of an interval is above this; 0: no gate")
	s.BoolVar(&f.json, "json", false, "one JSON object per block on standard output, and a summary after each benchmark's")
	command.SetFlagErrorFunc(usageError)
	return command
}

func (f *comparing) check() error {
	switch {
	case len(f.builds) != 2:
		return fmt.Errorf("%w: --build is given %d times; give A and B", errUsage, len(f.builds))
	case math.IsNaN(f.gate) || f.gate < 0:
		return fmt.Errorf("%w: --gate %g; it must be above 0, as in 1.05", errUsage, f.gate)
	}
	if err := f.rule.Validate(); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return nil
}

func (f *comparing) run(cmd *cobra.Command, args []string) (err error) {
	if err := f.check(); err != nil {
		return err
	}
	names := strings.Split(strings.Join(args, ","), ",")
	for _, name := range names {
		if err := compare.CheckName(name); err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	ctx := cmd.Context()
	builds, err := compare.Open(ctx, ".", [2]string(f.builds))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, builds.Close()) }()
	cmd.PrintErrf("A  %s\nB  %s\n", builds.Builds[compare.A], builds.Builds[compare.B])
	var beyond []string
	for _, name := range names {
		cmd.PrintErrf("%s: building and calibrating\n", name)
		subject, err := builds.Subject(ctx, name)
		if err != nil {
			return err
		}
		r, err := compare.Run(ctx, f.rule, subject.Repeat, f.progress(cmd, subject))
		if err != nil {
			return err
		}
		if err := f.show(cmd, builds, subject, r); err != nil {
			return err
		}
		if f.gate > 0 && r.Exceeds(f.gate) {
			text := fmt.Sprintf("%s %.3f [%.3f, %.3f]", name, r.Ratio.Median, r.Ratio.Lo, r.Ratio.Hi)
			if r.Verdict == compare.TooFew {
				text += " of too few blocks to say: raise --budget"
			}
			beyond = append(beyond, text)
		}
	}
	if beyond != nil {
		return fmt.Errorf("gate %g: %s", f.gate, strings.Join(beyond, ", "))
	}
	return nil
}

// progress writes a line per block, and with --json an object.
func (f *comparing) progress(cmd *cobra.Command, s *compare.Subject) func(*compare.Block, *compare.Result) error {
	began := time.Now()
	return func(b *compare.Block, r *compare.Result) error {
		cmd.PrintErrf("%s  block %d  B/A %.3f  median %.3f [%.3f, %.3f]  %s\n",
			s.Name, b.Number, b.Ratio, r.Ratio.Median, r.Ratio.Lo, r.Ratio.Hi, time.Since(began).Round(time.Second))
		if !f.json {
			return nil
		}
		return writeJSON(cmd.OutOrStdout(), newComparedBlock(s, b))
	}
}

func (f *comparing) show(cmd *cobra.Command, b *compare.Builds, s *compare.Subject, r *compare.Result) error {
	if f.json {
		cmd.PrintErrf("%s: %s\n", s.Name, r.Why())
		return writeJSON(cmd.OutOrStdout(), f.summary(b, s, r))
	}
	return writeCompared(cmd.OutOrStdout(), b, s, r)
}

// writeCompared writes the table of a benchmark.
func writeCompared(out io.Writer, b *compare.Builds, s *compare.Subject, r *compare.Result) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", s.Name, r.Why())
	fmt.Fprintf(&text, "  A  %s\n  B  %s\n", b.Builds[compare.A], b.Builds[compare.B])
	fmt.Fprintf(&text, "  measured: %s; %d operations a repetition, GOMAXPROCS %d\n", s.Measured, s.Operations, b.Processors)
	fmt.Fprintf(&text, "  B took more in %d of %d blocks (sign test: p = %.2g)\n\n", r.Slower, len(r.Blocks), r.SignP)
	w := tabwriter.NewWriter(&text, 0, 8, 2, ' ', 0)
	cpuA, wallA := r.Medians(compare.A)
	cpuB, wallB := r.Medians(compare.B)
	interval := "95 % INTERVAL"
	if r.Ratio.IsRange() {
		interval = "RANGE"
	}
	_, _ = fmt.Fprintf(w, "  PER OPERATION\tA\tB\tB/A\t%s\n", interval) // a Builder takes every write
	_, _ = fmt.Fprintf(w, "  processor ns\t%s\t%s\t%.3f\t%.3f to %.3f\n", number(cpuA), number(cpuB), r.Ratio.Median, r.Ratio.Lo, r.Ratio.Hi)
	_, _ = fmt.Fprintf(w, "  wall clock ns\t%s\t%s\t%.3f\t%.3f to %.3f\n", number(wallA), number(wallB), r.Wall.Median, r.Wall.Lo, r.Wall.Hi)
	reported := r.Reported()
	if len(reported) > 0 {
		_, _ = fmt.Fprintln(w, "  REPORTED\t\t\t\t")
	}
	for _, x := range reported {
		_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t\n", x.Unit, number(x.A), number(x.B), quotient(x.B, x.A))
	}
	_ = w.Flush()
	return writeAll(out, []byte(text.String()))
}

func number(v float64) string { return results.FormatNumber(v) }

func quotient(b, a float64) string {
	if a == 0 {
		return ""
	}
	return fmt.Sprintf("%.3f", b/a)
}

// comparedBlock is the line of --json for a block.
type comparedBlock struct {
	Benchmark string    `json:"benchmark"`
	Block     int       `json:"block"`
	Order     string    `json:"order"`
	CPUA      []float64 `json:"a_cpu_ns_per_op"`
	CPUB      []float64 `json:"b_cpu_ns_per_op"`
	WallA     []float64 `json:"a_wall_ns_per_op"`
	WallB     []float64 `json:"b_wall_ns_per_op"`
	Ratio     float64   `json:"ratio"`
	WallRatio float64   `json:"wall_ratio"`
}

func newComparedBlock(s *compare.Subject, b *compare.Block) *comparedBlock {
	l := &comparedBlock{Benchmark: s.Name, Block: b.Number, Ratio: b.Ratio, WallRatio: b.WallRatio}
	for _, arm := range b.Order {
		l.Order += arm.String()
	}
	for _, x := range b.Readings[compare.A] {
		l.CPUA, l.WallA = append(l.CPUA, x.CPU), append(l.WallA, x.Wall)
	}
	for _, x := range b.Readings[compare.B] {
		l.CPUB, l.WallB = append(l.CPUB, x.CPU), append(l.WallB, x.Wall)
	}
	return l
}

// comparedSummary is the last line of --json for a benchmark.
type comparedSummary struct {
	Summary    bool               `json:"summary"`
	Benchmark  string             `json:"benchmark"`
	Builds     []string           `json:"builds"`
	Revisions  []string           `json:"revisions"`
	Dirty      []bool             `json:"dirty"`
	Metric     string             `json:"metric"`
	Measured   string             `json:"measured"`
	Operations int                `json:"operations"`
	Processors int                `json:"gomaxprocs"`
	Blocks     int                `json:"blocks"`
	Ratio      float64            `json:"ratio"`
	Lo         float64            `json:"lo"`
	Hi         float64            `json:"hi"`
	WallRatio  float64            `json:"wall_ratio"`
	WallLo     float64            `json:"wall_lo"`
	WallHi     float64            `json:"wall_hi"`
	Slower     int                `json:"blocks_slower"`
	SignP      float64            `json:"sign_p"`
	Narrow     bool               `json:"narrow"`
	Smallest   float64            `json:"smallest_difference"`
	Verdict    compare.Verdict    `json:"verdict"`
	Gate       float64            `json:"gate,omitempty"`
	Exceeds    bool               `json:"exceeds_gate"`
	Reported   []compare.Reported `json:"reported"`
}

func (f *comparing) summary(b *compare.Builds, s *compare.Subject, r *compare.Result) *comparedSummary {
	l := &comparedSummary{
		Summary: true, Benchmark: s.Name, Builds: f.builds, Metric: "cpu_ns_per_op", Measured: s.Measured, Operations: s.Operations,
		Processors: b.Processors, Blocks: len(r.Blocks), Ratio: r.Ratio.Median, Lo: r.Ratio.Lo, Hi: r.Ratio.Hi,
		WallRatio: r.Wall.Median, WallLo: r.Wall.Lo, WallHi: r.Wall.Hi, Slower: r.Slower, SignP: r.SignP, Narrow: r.Narrow,
		Smallest: r.Smallest(), Verdict: r.Verdict, Gate: f.gate, Exceeds: f.gate > 0 && r.Exceeds(f.gate), Reported: r.Reported(),
	}
	for _, x := range b.Builds {
		l.Revisions, l.Dirty = append(l.Revisions, x.Revision), append(l.Dirty, x.Dirty)
	}
	return l
}

func writeJSON(w io.Writer, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeAll(w, append(data, '\n'))
}
