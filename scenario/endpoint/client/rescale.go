package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Rescaled is what came of a request to rescale. Times are in nanoseconds.
type Rescaled struct {
	Tasks int `json:"tasks"` // that the job has now
	// Stopping is how long it took to stop the job with a checkpoint, in which it goes on processing,
	// Starting how long from there until the tasks of the other graph were started.
	Stopping int64 `json:"stopping_ns"`
	Starting int64 `json:"starting_ns"`
	// WithoutProcessing is from the last record processed before the change to the first behind it,
	// WithoutOutput the same at the sinks; 0: it was not over when the request was answered, or there was none
	// before.
	WithoutProcessing int64 `json:"without_processing_ns"`
	WithoutOutput     int64 `json:"without_output_ns"`
}

// Rescale has the job go on with another parallelism of an operator, or of all if that is "", and
// returns when it does. When ctx ends first it may be rescaled all the same. What the endpoint
// refuses is an *Error.
func (c *Client) Rescale(ctx context.Context, operator string, to int) (*Rescaled, error) {
	q := url.Values{"to": {strconv.Itoa(to)}}
	if operator != "" {
		q.Set("operator", operator)
	}
	var r Rescaled
	return &r, c.do(ctx, http.MethodPost, "/rescale", q, &r)
}
