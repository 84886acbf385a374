package endpoint

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"weir/dataflow"
	"weir/live"
	"weir/scenario/endpoint/client"
	"weir/scenario/inspect"
	"weir/state"
)

// errRequest marks errors of a request itself.
var errRequest = errors.New("bad request")

// states lists what can be asked for.
func (e *Endpoint) states(w http.ResponseWriter, r *http.Request) {
	all := client.States{Job: e.cfg.Job.Name(), Operators: []client.Operator{}}
	for _, name := range e.cfg.Job.Operators() {
		tasks, err := e.cfg.Job.Keyed(name)
		if err != nil {
			refuse(w, err)
			return
		}
		states, err := e.cfg.Job.States(r.Context(), name)
		if err != nil {
			refuse(w, err)
			return
		}
		o := client.Operator{Operator: name, Parallelism: len(tasks), States: []client.State{}}
		for _, d := range states {
			if d.Kind != state.KindTimers {
				o.States = append(o.States, stateOf(d))
			}
		}
		all.Operators = append(all.Operators, o)
	}
	answer(w, http.StatusOK, &all)
}

func stateOf(d state.Descriptor) client.State {
	return client.State{State: d.Name, Kind: d.Kind.String(), Codec: d.Codec}
}

// lookup answers what a state has under keys.
func (e *Endpoint) lookup(w http.ResponseWriter, r *http.Request) {
	q, err := parse(r.URL.Query(), e.cfg.Job.Tasks()[0].NumGroups)
	if err != nil {
		refuse(w, err)
		return
	}
	q.operator, q.name = r.PathValue("operator"), r.PathValue("name")
	if q.tasks, err = e.cfg.Job.Keyed(q.operator); err == nil {
		if q.level == client.Committed {
			err = e.committed(r.Context(), q)
		} else {
			err = e.live(r.Context(), q)
		}
	}
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, &q.answer)
}

// query is one request.
type query struct {
	operator, name string
	level          client.Level
	tasks          []dataflow.TaskInfo // of the operator
	keys           []state.Key         // all that the texts may mean
	of             []int               // by key: which text
	answer         client.Answer
}

// parameters are those that a request may have.
var parameters = []string{"key", "by", "level"}

// parse reads the parameters of a request.
func parse(given url.Values, groups int) (*query, error) {
	for name := range given { //det:unordered any of them will do
		if !slices.Contains(parameters, name) {
			return nil, fmt.Errorf("%w: unknown parameter %q; known: %s", errRequest, name, strings.Join(parameters, ", "))
		}
	}
	q := &query{level: client.Live}
	switch l := client.Level(given.Get("level")); l {
	case "":
	case client.Live, client.Committed:
		q.level = l
	default:
		return nil, fmt.Errorf("%w: unknown level %q; known: %s, %s", errRequest, l, client.Live, client.Committed)
	}
	texts, by := given["key"], given["by"]
	if len(texts) == 0 {
		return nil, fmt.Errorf("%w: no key; give at least one, for example ?key=3", errRequest)
	}
	if by != nil && len(by) != len(texts) {
		return nil, fmt.Errorf("%w: %d times by= for %d keys; it says for each key by what it is grouped", errRequest, len(by), len(texts))
	}
	for i, text := range texts {
		grouped := text
		if by != nil {
			grouped = by[i]
		}
		if err := q.add(i, text, grouped, groups); err != nil {
			return nil, err
		}
		q.answer.Keys = append(q.answer.Keys, client.Key{Key: text, Entries: []client.Entry{}})
	}
	return q, nil
}

// add adds all that a key may mean, in the groups of all that its part by may mean.
func (q *query) add(i int, text, by string, groups int) error {
	keys, err := inspect.Keys(text)
	if err != nil {
		return fmt.Errorf("%w: %w", errRequest, err)
	}
	parts, err := inspect.Keys(by)
	if err != nil {
		return fmt.Errorf("%w: by: %w", errRequest, err)
	}
	for n, b := range keys {
		for m, part := range parts {
			if by == text && n != m {
				continue // the key itself
			}
			k := state.KeyOf(b, groups)
			k.Group = state.GroupOf(state.HashBytes(part), groups)
			q.keys, q.of = append(q.keys, k), append(q.of, i)
		}
	}
	return nil
}

// live asks the tasks.
func (e *Endpoint) live(ctx context.Context, q *query) error {
	d, found, err := e.cfg.Job.Lookup(ctx, q.operator, q.name, q.keys)
	if err != nil {
		return err
	}
	q.answer.MayBeRolledBack = true
	q.describe(d)
	for i := range found {
		t := &q.tasks[found[i].Task-q.tasks[0].ID]
		q.put(i, client.Task{Task: fmt.Sprintf("%s[%d]", t.Name, t.Index), Attempt: uint32(found[i].Attempt)}, d, found[i].Entries)
	}
	return nil
}

// committed reads the newest complete checkpoint, one request at a time.
func (e *Endpoint) committed(ctx context.Context, q *query) error {
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-e.turn }()
	at, d, found, err := e.reader.Lookup(q.operator, q.name, q.keys)
	if err != nil {
		return err
	}
	q.answer.Checkpoint = at.Name()
	q.describe(d)
	for i := range found {
		q.put(i, client.Task{Task: found[i].Task}, d, found[i].Entries)
	}
	return nil
}

func (q *query) describe(d state.Descriptor) {
	q.answer.Operator, q.answer.State, q.answer.Level = q.operator, stateOf(d), q.level
}

// put takes what there is under key i into the answer.
func (q *query) put(i int, who client.Task, d state.Descriptor, entries []state.KeyedEntry) {
	if !slices.Contains(q.answer.Tasks, who) {
		q.answer.Tasks = append(q.answer.Tasks, who)
	}
	under := &q.answer.Keys[q.of[i]]
	for k := range entries {
		e := &entries[k]
		under.Entries = append(under.Entries, client.Entry{
			Key: inspect.KeyText(e.Key), Group: e.Group, Task: who.Task, Value: inspect.Text(d, e), Field: hex.EncodeToString(e.Field), Bytes: hex.EncodeToString(e.Value),
		})
	}
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may be gone
}

// refuse says what is wrong, and whether asking again may help.
func refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errRequest):
		status = http.StatusBadRequest
	case errors.Is(err, live.ErrUnknownOperator), errors.Is(err, inspect.ErrUnknownOperator), errors.Is(err, dataflow.ErrUnknownState):
		status = http.StatusNotFound
	case errors.Is(err, live.ErrDeclined), errors.Is(err, live.ErrUnchanged):
		status = http.StatusConflict
	case errors.Is(err, live.ErrEnded):
		status = http.StatusGone
	case errors.Is(err, live.ErrRecovering), errors.Is(err, inspect.ErrNoCheckpoint), errors.Is(err, inspect.ErrOvertaken):
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	answer(w, status, &client.Error{Text: err.Error()})
}
