package endpoint

import (
	"context"
	"fmt"
	"net/http"

	"weir/live"
	"weir/scenario/endpoint/client"
	"weir/scenario/inspect"
)

// savepoint takes a savepoint, and ends the job with it if it is the last one. It answers when that is
// done: a job that recovers takes it when it runs again.
func (e *Endpoint) savepoint(last bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s, err := e.save(r.Context(), r.URL.RawQuery, last)
		if err != nil {
			refuse(w, err)
			return
		}
		answer(w, http.StatusOK, s)
	}
}

func (e *Endpoint) save(ctx context.Context, query string, last bool) (*client.Savepoint, error) {
	switch {
	case query != "":
		return nil, fmt.Errorf("%w: unknown parameter %q; a savepoint takes none", errRequest, query)
	case e.cfg.Dir == "":
		return nil, fmt.Errorf("%w: nothing that it stores outlives it; start it with a directory that stays (sim run --storage DIR)", live.ErrDeclined)
	}
	n, err := e.cfg.Job.Savepoint(ctx, last)
	if err != nil {
		return nil, err
	}
	at, err := inspect.TakenAt(e.cfg.Storage, e.cfg.Dir, n)
	if err != nil {
		return nil, err
	}
	return &client.Savepoint{Savepoint: n.String(), Path: at.Path, Bytes: at.Bytes}, nil
}
