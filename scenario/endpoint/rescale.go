package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"weir/dataflow"
	"weir/live"
	"weir/scenario/endpoint/client"
)

// rescale has the job go on with another parallelism. It answers when the first record was processed
// behind the change, or a checkpoint is complete there.
func (e *Endpoint) rescale(w http.ResponseWriter, r *http.Request) {
	c, err := e.change(r.Context(), r.URL.RawQuery)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, c)
}

func (e *Endpoint) change(ctx context.Context, query string) (*client.Rescaled, error) {
	operator, to, err := parseRescale(query)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errRequest, err)
	case e.cfg.Rescaled == nil:
		return nil, fmt.Errorf("%w: nobody here knows what it would be with another parallelism", live.ErrUnchanged)
	}
	c, err := e.cfg.Job.Change(ctx, func(now *dataflow.Job) (*dataflow.Job, error) { return e.cfg.Rescaled(now, operator, to) })
	if err != nil {
		return nil, err
	}
	return &client.Rescaled{
		Tasks: c.Tasks, Stopping: c.Stopped - c.Asked, Starting: c.Started - c.Stopped,
		WithoutProcessing: int64(c.Processing.Length()), WithoutOutput: int64(c.Output.Length()),
	}, nil
}

// parseRescale reads the parameters of a request: a parallelism, and the operator that is to have it;
// "": all are.
func parseRescale(query string) (operator string, to int, err error) {
	given, err := url.ParseQuery(query)
	if err != nil {
		return "", 0, err
	}
	for name, values := range given {
		switch {
		case len(values) > 1:
			return "", 0, fmt.Errorf("%s is given %d times", name, len(values))
		case name == "operator" && values[0] != "":
			operator = values[0]
		case name == "to":
			if to, err = strconv.Atoi(values[0]); err != nil || to < 1 {
				return "", 0, fmt.Errorf("to=%s: want a parallelism of at least 1", values[0])
			}
		default:
			return "", 0, fmt.Errorf("unknown parameter %q; known: to=N, and operator=NAME", name+"="+values[0])
		}
	}
	if to == 0 {
		return "", 0, fmt.Errorf("no parallelism: give to=N, and operator=NAME if only one operator is to have it")
	}
	return operator, to, nil
}
