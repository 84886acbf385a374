// Package endpoint lets others look into a job while it runs, save it, and rescale it, over HTTP:
//
//	GET  /state                                 operators with keyed state, and the states
//	GET  /state/OPERATOR/NAME?key=K&key=K...    what a state has under keys
//	POST /savepoint                             takes a savepoint; the job goes on
//	POST /stop                                  takes a savepoint, and ends the job with it
//	POST /rescale?to=N                          the job goes on with another parallelism; operator=NAME: of one operator
//
// A key is text, a number, or 0x and hexadecimal digits, as for state get. level=live, which is
// the default, reads what the tasks have at the moment, and may be rolled back; level=committed the newest
// complete checkpoint. A key is looked for in the key group of its own hash; where a job groups the
// keys of a state by a part of them, by= names that part, once for each key. Answers and errors are the JSON
// of package client. docs/rfcs/0008-queries.md says what an answer is worth.
//
// There is no protection but the address: who reaches it reads all state, and may stop the job. Only the
// pages of a browser are kept from that, where they come from elsewhere.
package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"weir/dataflow"
	"weir/live"
	"weir/scenario/inspect"
	"weir/state"
)

// Config is what an endpoint looks into.
type Config struct {
	Job *live.Job
	// Storage is the job's checkpoint storage. Read says how checkpoints are read from it: where
	// local files of backends go, and the job's number of key groups.
	Storage state.Storage
	Read    inspect.Config
	// Dir is the directory of Storage, if it stays when the job has ended. Without it no savepoints are
	// taken by request.
	Dir string
	// Rescaled returns what the job is with another parallelism of an operator, or of all if that is
	// "". Nil: it is not rescaled by request.
	Rescaled func(now *dataflow.Job, operator string, to int) (*dataflow.Job, error)
}

// Endpoint serves one job. Close it when the job has ended, before its storage is closed.
type Endpoint struct {
	cfg     Config
	handler http.Handler
	turn    chan struct{} // of whoever uses the reader
	reader  *inspect.Reader
	server  http.Server
	served  chan struct{}
}

// New returns the endpoint of a job. It is an http.Handler; Serve has it answer at an address.
func New(cfg Config) *Endpoint {
	routes := http.NewServeMux()
	e := &Endpoint{cfg: cfg, handler: http.NewCrossOriginProtection().Handler(routes), turn: make(chan struct{}, 1)}
	e.reader = inspect.NewReader(cfg.Read, cfg.Storage, func() (dataflow.Complete, error) {
		cut, err := cfg.Job.Committed(context.Background()) // the job answers at once, or has ended
		return dataflow.Complete(cut), err
	})
	routes.HandleFunc("GET /state", e.states)
	routes.HandleFunc("GET /state/{operator}/{name}", e.lookup)
	routes.HandleFunc("POST /savepoint", e.savepoint(false))
	routes.HandleFunc("POST /stop", e.savepoint(true))
	routes.HandleFunc("POST /rescale", e.rescale)
	e.server = http.Server{Handler: e, ReadHeaderTimeout: 10 * time.Second}
	return e
}

// ServeHTTP implements http.Handler.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

// Listen opens the address of an endpoint. A port without a host is one of this machine alone.
func Listen(address string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	switch {
	case address == "":
		return nil, errors.New("no address to listen at; want a port of this machine, or host:port")
	case err == nil && host == "":
		address = net.JoinHostPort("127.0.0.1", port)
	case err != nil && !strings.Contains(address, ":"):
		address = net.JoinHostPort("127.0.0.1", address)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; want a port of this machine, or host:port", err)
	}
	return l, nil
}

// Serve answers at l, which it closes in the end, until Close. It does not wait.
func (e *Endpoint) Serve(l net.Listener) {
	e.served = make(chan struct{})
	go func() {
		defer close(e.served)
		_ = e.server.Serve(l) // it returns when the server is closed
	}()
}

// Close ends the endpoint, with a moment for what is being answered.
func (e *Endpoint) Close() error {
	ctx, stop := context.WithTimeout(context.Background(), time.Second)
	defer stop()
	err := e.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = e.server.Close()
	}
	if e.served != nil {
		<-e.served
	}
	e.turn <- struct{}{} // a reading that goes on ends first
	defer func() { <-e.turn }()
	return errors.Join(err, e.reader.Close())
}
