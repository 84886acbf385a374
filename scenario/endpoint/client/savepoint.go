package client

import (
	"context"
	"net/http"
)

// Savepoint is one that the job has taken.
type Savepoint struct {
	Savepoint string `json:"savepoint"` // its number
	// Path is its directory, on the machine of the job: sim run --from PATH begins from it.
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"` // of all its files
}

// Savepoint has the job take a savepoint, and returns when it is complete. The job goes on. When
// ctx ends first it may be taken all the same. What the endpoint refuses is an *Error.
func (c *Client) Savepoint(ctx context.Context) (*Savepoint, error) {
	var s Savepoint
	return &s, c.do(ctx, http.MethodPost, "/savepoint", nil, &s)
}

// Stop has the job take a savepoint and end with it, and returns when it has ended: all output up to
// the savepoint is committed, and there is none behind it.
func (c *Client) Stop(ctx context.Context) (*Savepoint, error) {
	var s Savepoint
	return &s, c.do(ctx, http.MethodPost, "/stop", nil, &s)
}
