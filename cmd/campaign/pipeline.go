package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	"github.com/spf13/cobra"
)

func init() {
	register.DoFn3x1[context.Context, Shard, func(string, Shard), error](&sweepFn{})
	register.DoFn3x1[context.Context, string, func(*Shard) bool, error](&keepFn{})
	register.Emitter2[string, Shard]()
	register.Iter1[Shard]()
}

// build makes the pipeline: shards are swept, what failed is grouped by signature, and each
// group leaves one file.
func (c *campaign) build(s beam.Scope, shards []Shard) {
	failed := beam.ParDo(s.Scope("sweep"), &sweepFn{Campaign: *c}, beam.Reshuffle(s, beam.CreateList(s, shards)))
	beam.ParDo0(s.Scope("keep"), &keepFn{Campaign: *c}, beam.GroupByKey(s, failed))
}

// sweepFn sweeps a shard and emits the signatures that it found. Beam may run it twice for one
// shard: the second time reads the file of the first.
type sweepFn struct{ Campaign campaign }

// ProcessElement sweeps one shard.
func (f *sweepFn) ProcessElement(ctx context.Context, s Shard, emit func(signature string, s Shard)) error {
	r, err := f.Campaign.sweep(ctx, s)
	if err != nil {
		return err
	}
	log.Infof(ctx, "seeds %s: %d runs, %d signatures that failed, %.1f s", r.Seeds, r.Runs, len(r.Failed), r.Seconds)
	for _, signature := range r.Failed {
		emit(signature, s)
	}
	return nil
}

// keepFn keeps a failure of each signature.
type keepFn struct{ Campaign campaign }

// ProcessElement keeps the one of the lowest seeds, so that the file does not depend on who was first.
func (f *keepFn) ProcessElement(ctx context.Context, signature string, shards func(*Shard) bool) error {
	var first, s Shard
	for none := true; shards(&s); none = false {
		if none || s.First < first.First {
			first = s
		}
	}
	return f.Campaign.keep(ctx, signature, first)
}

// total is the summary of a campaign.
type total struct {
	Seeds      string `json:"seeds"`
	Shards     int    `json:"shards"`
	Runs       int64  `json:"runs"`
	Safety     int64  `json:"safety_violations"`
	Progress   int64  `json:"progress_violations"`
	Errors     int64  `json:"errors"`
	Signatures int    `json:"signatures"`
	status     int
}

// failure is one signature of a campaign.
type failure struct {
	Signature string   `json:"signature"`
	Shards    []string `json:"shards"` // that saw it
	File      string   `json:"file"`
}

// report adds up the files of the shards, each once, and says what failed.
func (c *campaign) report(cmd *cobra.Command, shards []Shard, asJSON bool) error {
	t := total{Seeds: Shard{shards[0].First, shards[len(shards)-1].Last}.String(), Shards: len(shards)}
	by := map[string]*failure{}
	for _, s := range shards {
		r, ok := c.read(s)
		if !ok {
			return fmt.Errorf("the pipeline has ended, and shard %s has no result in %s: do all workers have the same --dir?", s, c.Dir)
		}
		t.Runs, t.Safety, t.Progress, t.Errors = t.Runs+r.Runs, t.Safety+r.Safety, t.Progress+r.Progress, t.Errors+r.Errors
		t.status = max(t.status, r.Status)
		for _, signature := range r.Failed {
			if by[signature] == nil {
				by[signature] = &failure{Signature: signature, File: c.failureFile(signature)}
			}
			by[signature].Shards = append(by[signature].Shards, s.String())
		}
	}
	t.Signatures = len(by)
	var names []string
	for name := range by {
		names = append(names, name)
	}
	slices.Sort(names)
	if err := c.print(cmd, names, by, &t, asJSON); err != nil {
		return err
	}
	if t.status != 0 {
		return &failed{t.status, fmt.Sprintf("%d safety violations, %d runs without progress, %d errors, of %d signatures", t.Safety, t.Progress, t.Errors, t.Signatures)}
	}
	return nil
}

func (c *campaign) print(cmd *cobra.Command, names []string, by map[string]*failure, t *total, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(cmd.OutOrStdout())
		for _, name := range names {
			if err := enc.Encode(by[name]); err != nil {
				return err
			}
		}
		return enc.Encode(t)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, name := range names {
		_, _ = fmt.Fprintf(w, "%s\tin %d of %d shards, first %s\n", by[name].File, len(by[name].Shards), t.Shards, by[name].Shards[0])
	}
	_, _ = fmt.Fprintf(w, "seeds %s: %d runs in %d shards, %d safety violations, %d without progress, %d errors\n", t.Seeds, t.Runs, t.Shards, t.Safety, t.Progress, t.Errors)
	return w.Flush()
}
