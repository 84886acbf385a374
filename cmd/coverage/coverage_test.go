package main

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

const text = `package dataflow

func (t *Task[T]) close(err error) int {
	if err != nil { // a comment
		return 1
	}
	if err == nil {
		return 2
	}
	if err != nil {
		return 1
	}
	return 3
}
`

const profile = `mode: set
weir/cmd/sim/main.go:11.13,11.29 1 1
weir/dataflow/task.go:4.16,6.3 1 0
weir/dataflow/task.go:3.40,4.16 1 1
weir/dataflow/task.go:7.16,9.3 1 1
weir/dataflow/task.go:10.16,12.3 1 0
weir/dataflow/task.go:13.2,13.10 1 1
`

const (
	first  = "dataflow.Task.close: if err != nil { return 1"
	second = "dataflow.Task.close: if err == nil { return 2"
	third  = "dataflow.Task.close: if err != nil { return 1 #2"
)

func named(t *testing.T, profile, text string) []block {
	t.Helper()
	blocks, err := parseProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	if err := name(blocks, fstest.MapFS{"dataflow/task.go": {Data: []byte(text)}}); err != nil {
		t.Fatal(err)
	}
	return blocks
}

func listOf(t *testing.T, text string) list {
	t.Helper()
	l, err := parseList(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNamesStayWhereLinesMove: a line more and another comment change nothing.
func TestNamesStayWhereLinesMove(t *testing.T) {
	want := []string{first, third}
	if got := compare(reachedBlocks(named(t, profile, text)), nil, false).unlisted; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	lower := strings.NewReplacer(":4.", ":5.", ",4.", ",5.", ":3.", ":4.", ":7.", ":8.", ":10.", ":11.", ":13.", ":14.",
		",6.", ",7.", ",9.", ",10.", ",12.", ",13.", ",13.", ",14.").Replace(profile)
	if got := compare(reachedBlocks(named(t, lower, "\n"+strings.Replace(text, "a comment", "another", 1))), nil, false).unlisted; !reflect.DeepEqual(got, want) {
		t.Errorf("a line lower: %q, want %q", got, want)
	}
}

// TestNamesOfMethods: whatever their receiver is.
func TestNamesOfMethods(t *testing.T) {
	for receiver, want := range map[string]string{"(t Task)": "Task.close", "(t *Task)": "Task.close", "(t *Task[T])": "Task.close", "(t *Task[K, V])": "Task.close", "": "close"} {
		got := named(t, strings.Replace(profile, "3.40", "3.1", 1), strings.Replace(text, "(t *Task[T])", receiver, 1))[0].name
		if !strings.HasPrefix(got, "dataflow."+want+": ") {
			t.Errorf("func %s close: %q, want one of %s", receiver, got, want)
		}
	}
}

// TestAnyDifferenceFails: statements that nobody lists, that are reached although they
// are listed, and that are gone; marks too that come no longer or are new. What is as listed passes,
// and what is rare may be either.
func TestAnyDifferenceFails(t *testing.T) {
	good := "[unreachable defence]\nwhy\n\t" + first + "\n\t" + third + "\n"
	for in, want := range map[string]*difference{
		good: {},
		"[rare]\nwhy\n\t" + first + "\n\t" + third + "\n\t" + second + "\n": {},
		strings.Replace(good, "\t"+first+"\n", "", 1):                       {unlisted: []string{first}},
		good + "\t" + second + "\n":                                         {gained: []string{second}},
		good + "\tdataflow.Task.open: return 1\n":                           {gone: []string{"dataflow.Task.open: return 1"}},
	} {
		var out strings.Builder
		d := compare(reachedBlocks(named(t, profile, text)), listOf(t, in), false)
		if fine := d.print(&out, "blocks"); !reflect.DeepEqual(d, want) || fine != reflect.DeepEqual(want, &difference{}) {
			t.Errorf("%q: %+v, want %+v\n%s", in, d, want, &out)
		}
	}
	came := map[string]bool{"completed": true, "aborted": false, "forced": true}
	for in, want := range map[string]*difference{
		"[reached]\n\tcompleted\n\tforced\n[waits for a drawing]\nwhy\n\taborted\n": {},
		"[reached]\n\tcompleted\n\tforced\n\taborted\n":                             {lost: []string{"aborted"}},
		"[reached]\n\tcompleted\n[waits for a drawing]\nwhy\n\taborted\n":           {fresh: []string{"forced"}},
		"[reached]\n\tcompleted\n\tforced\n":                                        {unlisted: []string{"aborted"}},
	} {
		if d := compare(came, listOf(t, in), true); !reflect.DeepEqual(d, want) {
			t.Errorf("%q: %+v, want %+v", in, d, want)
		}
	}
}

// TestSharesArePrinted: with each kind of reason, and without what is planted.
func TestSharesArePrinted(t *testing.T) {
	var out strings.Builder
	printShares(&out, named(t, profile, text), listOf(t, "[planted mistake]\nwhy\n\t"+first+"\n"))
	for _, want := range []string{"statements reached", "3  of 5  60.0 %", "without planted mistakes", "3  of 4  75.0 %", "not reached: planted mistake", "not reached: not listed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

// TestBadInput: what cannot be a profile, a list or a summary says so.
func TestBadInput(t *testing.T) {
	for in, want := range map[string]string{
		"": "no coverage profile", "mode: set\nweir/a.go:1\n": "line 2", "mode: set\nweir/cmd/sim/main.go:11.13,11.29 1 1": "no statement of the core",
	} {
		if _, err := parseProfile(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("profile %q: %v, want %q", in, err, want)
		}
	}
	for in, want := range map[string]string{
		"": "names nothing", "\ta: b\n": `line 1: "a: b" has no reason`, "[rare]\n\ta: b\n": `line 2: "a: b" has no reason`,
		"[rare]\nwhy\n\ta: b\n\ta: b\n": `line 4: "a: b" is listed twice`, "[nice]\n": `unknown kind "nice"; known: reached`,
	} {
		if _, err := parseList(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("list %q: %v, want %q", in, err, want)
		}
	}
	for in, want := range map[string]string{"": "no summary", "{}\n{\"runs\":3}\n": "no marks"} {
		if _, err := parseMarks(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("summary %q: %v, want %q", in, err, want)
		}
	}
	if came, err := parseMarks("{}\n{\"marks\":[{\"mark\":\"a\",\"runs\":0},{\"mark\":\"b\",\"runs\":2}]}\n"); err != nil || came["a"] || !came["b"] || len(came) != 2 {
		t.Errorf("%v, %v", came, err)
	}
	if err := name([]block{{file: "a.go", from: place{9, 1}, to: place{9, 2}}}, fstest.MapFS{"a.go": {Data: []byte("package a\n")}}); err == nil {
		t.Error("a profile of another source is believed")
	}
}

// TestTheListsAreRead: those that are committed, all below their reasons.
func TestTheListsAreRead(t *testing.T) {
	for _, text := range []string{statements, marks} {
		if _, err := parseList(text); err != nil {
			t.Error(err)
		}
	}
}
