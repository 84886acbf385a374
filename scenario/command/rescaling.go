package command

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"weir/dataflow"
	"weir/live"
	"weir/scenario"
)

// rescaling is one change of a live job's parallelism: of one operator, or of all if it names none.
type rescaling struct {
	operator string
	to       int
}

// rescalings reads what --rescale-to lists.
func (f *runFlags) rescalings() (all []rescaling, err error) {
	for _, text := range f.rescaleTo {
		operator, number, named := strings.Cut(text, "=")
		if !named {
			operator, number = "", text
		}
		to, err := strconv.Atoi(number)
		if err != nil || to < 1 || named && operator == "" {
			return nil, fmt.Errorf("%w: --rescale-to %q: want a parallelism of at least 1, or OPERATOR=N", errUsage, text)
		}
		all = append(all, rescaling{operator, to})
	}
	return all, nil
}

// rescalable returns the changes that are asked for, if the job can make them, one behind the other.
func (f *runFlags) rescalable(cfg *scenario.Config, job *dataflow.Job) ([]rescaling, error) {
	all, err := f.rescalings()
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		if job, err = scenario.LiveRescaled(cfg, job, r.operator, r.to); err != nil {
			return nil, fmt.Errorf("%w: --rescale-to %s: %w", errUsage, r, err)
		}
	}
	return all, nil
}

// String returns it as it is given.
func (r rescaling) String() string {
	if r.operator == "" {
		return strconv.Itoa(r.to)
	}
	return fmt.Sprintf("%s=%d", r.operator, r.to)
}

// rescale has the job change, once it has something to go on from, while records flow.
func rescale(ctx context.Context, j *live.Job, g *gate, cfg *scenario.Config, all []rescaling) error {
	select {
	case <-g.ready:
	case <-j.Done():
	}
	g.flow(j.Now())
	for _, r := range all {
		_, err := j.Change(ctx, func(now *dataflow.Job) (*dataflow.Job, error) {
			return scenario.LiveRescaled(cfg, now, r.operator, r.to)
		})
		if err != nil {
			return fmt.Errorf("rescaling to %s: %w", r, err)
		}
	}
	return nil
}

// gap is what the summary says of one change. Times are in nanoseconds, 0: it did not come to that.
type gap struct {
	Tasks             int   `json:"tasks"`
	Stopping          int64 `json:"stopping_ns"` // with a checkpoint, in which the job goes on
	Starting          int64 `json:"starting_ns"` // from there until tasks were started
	WithoutProcessing int64 `json:"without_processing_ns"`
	WithoutOutput     int64 `json:"without_output_ns"`
	// CaughtUp is from the last record processed before to the first one that had not been read before.
	CaughtUp int64 `json:"caught_up_ns"`
}

func changesOf(all []live.Change) (out []gap) {
	for _, c := range all {
		x := gap{
			Tasks: c.Tasks, Stopping: c.Stopped - c.Asked, Starting: c.Started - c.Stopped,
			WithoutProcessing: int64(c.Processing.Length()), WithoutOutput: int64(c.Output.Length()),
		}
		if c.CaughtUp != 0 && c.Processing.Last != 0 {
			x.CaughtUp = c.CaughtUp - c.Processing.Last
		}
		out = append(out, x)
	}
	return out
}

func printChanges(out io.Writer, all []gap) error {
	ms := func(ns int64) float64 { return float64(ns) / float64(time.Millisecond) }
	for _, c := range all {
		if _, err := fmt.Fprintf(out, "  now %d tasks: %.1f ms from the last record before to the first behind, %.1f ms without output\n", c.Tasks, ms(c.WithoutProcessing), ms(c.WithoutOutput)); err != nil {
			return err
		}
	}
	return nil
}
