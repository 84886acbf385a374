package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"text/tabwriter"
)

// The kinds of reasons in a list. Each is the heading of a part, in brackets.
const (
	// reached: must come. Only lists of marks name what comes.
	reached = "reached"
	// rare: comes in so few runs that another draw may lose it. It may come or not.
	rare = "rare"
	// defence: the code around it sees to it that it cannot come.
	defence = "unreachable defence"
	// refused: what it refuses no combination has: a job that is wrong never becomes a run.
	refused = "wrong jobs"
	// live: only other drivers and tools come there.
	live = "live only"
	// offered: the kernel and the operators offer it to jobs and algorithms of one's own.
	offered = "offered to others"
	// planted: the code of a deliberate mistake, which the default sweep does not switch on.
	planted = "planted mistake"
	// waits: some setting or fault that is not drawn would reach it.
	waits = "waits for a drawing"
	// undecided: nobody has shown yet whether it can come. Work to do.
	undecided = "not decided"
)

// kinds are the known headings, in the order of the report.
func kinds() []string {
	return []string{reached, rare, waits, undecided, defence, refused, live, offered, planted}
}

// entry is one line of a list: why something does not come, or that it does.
type entry struct{ kind, reason string }

// list says of blocks or marks, by name, what is known.
type list map[string]entry

// parseList reads a list: the kind in brackets on a line of its own, below it a
// reason on a line of its own, below that the names it is for, each after a tab.
func parseList(text string) (list, error) {
	l := list{}
	var at entry
	for i, line := range strings.Split(text, "\n") {
		name, isName := strings.CutPrefix(line, "\t")
		switch {
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "["):
			if at = (entry{kind: strings.Trim(line, "[]")}); !slices.Contains(kinds(), at.kind) {
				return nil, fmt.Errorf("line %d: unknown kind %q; known: %s", i+1, at.kind, strings.Join(kinds(), ", "))
			}
		case !isName:
			at.reason = strings.TrimSpace(line)
		case at.kind == "" || at.reason == "" && at.kind != reached:
			return nil, fmt.Errorf("line %d: %q has no reason", i+1, name)
		case l[name].kind != "":
			return nil, fmt.Errorf("line %d: %q is listed twice", i+1, name)
		default:
			l[name] = at
		}
	}
	if len(l) == 0 {
		return nil, errors.New("it names nothing")
	}
	return l, nil
}

// difference is what a report and a list do not agree on, by name.
type difference struct {
	unlisted []string // did not come, and nothing says why
	lost     []string // must come, and did not
	gained   []string // listed as what does not come, and came
	gone     []string // listed, and there is no such thing
	fresh    []string // came, and is in no list that names what comes
}

// compare holds what came, by name, against a list. named: the list names what comes too.
func compare(came map[string]bool, l list, named bool) *difference {
	d := &difference{}
	for _, name := range slices.Sorted(maps.Keys(came)) {
		e, listed := l[name]
		switch is := came[name]; {
		case !listed && !is:
			d.unlisted = append(d.unlisted, name)
		case !listed && named:
			d.fresh = append(d.fresh, name)
		case e.kind == reached && !is:
			d.lost = append(d.lost, name)
		case listed && e.kind != reached && e.kind != rare && is:
			d.gained = append(d.gained, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if _, there := came[name]; !there {
			d.gone = append(d.gone, name)
		}
	}
	return d
}

// print says what is wrong; fine: nothing is.
func (d *difference) print(w io.Writer, what string) (fine bool) {
	fine = true
	for _, part := range []struct {
		names []string
		what  string
	}{
		{d.unlisted, "not reached and not listed; draw what reaches it, delete it, or list it below its reason"},
		{d.lost, "reached no longer"},
		{d.gained, "listed as not reached, and reached: take it off, or nobody sees when it is lost again"},
		{d.gone, "listed, and not there any more"},
		{d.fresh, "reached and not listed: list it as reached, so that it is seen when it is lost"},
	} {
		if len(part.names) > 0 {
			fine = false
			_, _ = fmt.Fprintf(w, "\n%d %s: %s\n\t%s\n", len(part.names), what, part.what, strings.Join(part.names, "\n\t"))
		}
	}
	return fine
}

// printShares prints a line per package and their sum, and then how many statements
// each kind of reason is for.
func printShares(w io.Writer, blocks []block, l list) {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	p := func(what string, n, all int) {
		_, _ = fmt.Fprintf(tw, "%s\t%d\tof %d\t%.1f %%\n", what, n, all, 100*float64(n)/float64(max(all, 1)))
	}
	var came, all, cameOf, allOf int
	by := map[string]int{}
	for i := range blocks {
		b := &blocks[i]
		allOf += b.statements
		if b.reached {
			cameOf += b.statements
		} else {
			by[l[b.name].kind] += b.statements
		}
		if pkg := path.Dir(b.file); i == len(blocks)-1 || path.Dir(blocks[i+1].file) != pkg {
			p(pkg, cameOf, allOf)
			came, all = came+cameOf, all+allOf
			cameOf, allOf = 0, 0
		}
	}
	p("statements reached", came, all)
	p("without planted mistakes", came, all-by[planted])
	for _, kind := range append(kinds(), "") {
		if n := by[kind]; n > 0 {
			p("  not reached: "+map[bool]string{true: "not listed", false: kind}[kind == ""], n, all)
		}
	}
	_ = tw.Flush()
}
