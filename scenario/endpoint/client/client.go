// Package client asks the endpoint of a running job (package endpoint) what its keyed
// state holds, for savepoints, and to rescale. Its types are the JSON that both speak.
package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Level says what an answer is worth.
type Level string

// The levels.
const (
	// Live is what the tasks have at the moment. A failure may roll it back.
	Live Level = "live"
	// Committed is what the newest complete checkpoint has. Nothing rolls it back.
	Committed Level = "committed"
)

// State is one keyed state.
type State struct {
	State string `json:"state"`
	Kind  string `json:"kind"`
	Codec string `json:"codec"`
}

// Operator is one operator with its keyed states.
type Operator struct {
	Operator    string  `json:"operator"`
	Parallelism int     `json:"parallelism"`
	States      []State `json:"states"`
}

// States is what can be asked for.
type States struct {
	Job       string     `json:"job"`
	Operators []Operator `json:"operators"`
}

// Answer is what a state holds under keys.
type Answer struct {
	Operator string `json:"operator"`
	State
	Level Level `json:"level"`
	// MayBeRolledBack: a failure may undo what was read.
	MayBeRolledBack bool `json:"may_be_rolled_back"`
	// Checkpoint names the one that everything is of; "" of a live answer.
	Checkpoint string `json:"checkpoint,omitempty"`
	// Tasks are those that own what was asked for. Each has answered as it was at one moment.
	Tasks []Task `json:"tasks"`
	Keys  []Key  `json:"keys"` // in the order of the request
}

// Task is one task that has answered.
type Task struct {
	Task    string `json:"task"`              // for example count[1]
	Attempt uint32 `json:"attempt,omitempty"` // of the incarnation; 0 of a checkpoint
}

// Key is what there is under one key.
type Key struct {
	Key     string  `json:"key"`     // as it was asked for
	Entries []Entry `json:"entries"` // of a map one for each field; none: nothing is there
}

// Entry is one entry.
type Entry struct {
	Key   string `json:"key"` // as it is, in the notation of requests
	Group uint16 `json:"group"`
	Task  string `json:"task"`
	Value string `json:"value"` // decoded where the codec is known
	Field string `json:"field_hex,omitempty"`
	Bytes string `json:"value_hex"`
}

// Error is what the endpoint refuses a request with.
type Error struct {
	Status int    `json:"-"` // of HTTP
	Text   string `json:"error"`
	// RetryAfter: the same may succeed then; 0: it will not by itself.
	RetryAfter time.Duration `json:"-"`
}

// Error returns the text.
func (e *Error) Error() string { return e.Text }

// Client asks one endpoint. Safe for concurrent use.
type Client struct {
	address string
	http    *http.Client
}

// New returns a client of the endpoint at an address, host:port.
func New(address string) *Client { return &Client{address, &http.Client{}} }

// States returns what can be asked for.
func (c *Client) States(ctx context.Context) (*States, error) {
	var all States
	return &all, c.do(ctx, http.MethodGet, "/state", nil, &all)
}

// Lookup returns what a state of an operator has under keys: text, numbers, or 0x and
// hexadecimal digits. What the endpoint refuses is an *Error.
func (c *Client) Lookup(ctx context.Context, operator, state string, level Level, keys ...string) (*Answer, error) {
	q := url.Values{"key": keys, "level": {string(level)}}
	var a Answer
	return &a, c.do(ctx, http.MethodGet, "/state/"+url.PathEscape(operator)+"/"+url.PathEscape(state), q, &a)
}

func (c *Client) do(ctx context.Context, method, path string, q url.Values, into any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode == http.StatusOK {
		err = json.NewDecoder(answer.Body).Decode(into)
		_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
		return err
	}
	refused := &Error{Status: answer.StatusCode}
	if err := json.NewDecoder(answer.Body).Decode(refused); err != nil || refused.Text == "" {
		refused.Text = fmt.Sprintf("%s: %s", path, answer.Status)
	}
	if s, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		refused.RetryAfter = time.Duration(s) * time.Second
	}
	return refused
}
