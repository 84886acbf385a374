package weir_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Text of a trace.Event, and Words that prints one, are for people. What decides
// about a run (oracles, faults, the simulator, the watcher of a measurement) reads
// typed fields: rewording a reason must not blind anything.

// deciders are the packages that must not read prose.
var deciders = []string{"check", "faults", "sim", "bench", "internal/bench/job", "scenario", "scenario/simtest", "live"}

// proseReaders may, each for a reason.
var proseReaders = map[string]string{
	"faults/fault.go: Matches": "the text= filter of a plan is written by the person who read the prose",
}

func TestProseDecidesNothing(t *testing.T) {
	seen := map[string]bool{}
	for _, dir := range deciders {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files (%v)", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range proseRead(t, filepath.ToSlash(name), src) {
				if seen[at] = true; proseReaders[at] == "" {
					t.Errorf("%s decides by the Text of an event: give the event a typed field", at)
				}
			}
		}
	}
	for at := range proseReaders {
		if !seen[at] {
			t.Errorf("%s does so no longer: take it off the list", at)
		}
	}
}

func TestProseRuleFires(t *testing.T) {
	for src, want := range map[string]int{
		`if strings.Contains(e.Text, "lost") { return }`:                   1,
		`switch e.Text { case "log": }`:                                    1,
		`verb, key, _ := strings.Cut(e.Text, " "); use(verb, key)`:         1,
		`if e.Text == "" { return }`:                                       1,
		`use(e.Text[:4])`:                                                  1,
		`if w := e.Words(); strings.HasPrefix(w, "put") { return }`:        1,
		`ok := reasons.MatchString(e.Text); use(ok)`:                       1,
		`t := e.Text; use(t)`:                                              1,
		`use(reason[e.Text])`:                                              1,
		`use(fmt.Sprintf("%s gave up: %s", name, e.Text))`:                 0,
		`use(Violation{Text: e.Text})`:                                     0,
		`if e.Op == trace.List && strings.HasPrefix(e.Key, "x") { use() }`: 0,
	} {
		file := "package p\nfunc f(e *trace.Event) {\n" + src + "\n}\n"
		if got := proseRead(t, "p.go", []byte(file)); len(got) != want {
			t.Errorf("%s: found %v, want %d", src, got, want)
		}
	}
}

// proseRead returns "file: function" for each function that does anything with
// e.Text or e.Words(), e being an event by its name, but to hand it on to be
// printed: as an argument of a function that is not about strings, or a field.
func proseRead(t *testing.T, name string, src []byte) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && readsProse(fn.Body) {
			out = append(out, name+": "+fn.Name.Name)
		}
	}
	return out
}

func readsProse(body *ast.BlockStmt) bool {
	var path []ast.Node
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		if isProse(n) && !isPrinted(n, path) {
			found = true
		}
		path = append(path, n)
		return true
	})
	return found
}

// isProse matches e.Text, ev.Text, e.Words and ev.Words.
func isProse(n ast.Node) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != "Text" && s.Sel.Name != "Words" {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && (x.Name == "e" || x.Name == "ev" || x.Name == "event")
}

// isPrinted reports that prose n, below path, is only handed on.
func isPrinted(n ast.Node, path []ast.Node) bool {
	for i := len(path) - 1; i >= 0; i-- {
		switch p := path[i].(type) {
		case *ast.CallExpr:
			if p.Fun == n { // Words()
				n = p
				continue
			}
			return !aboutStrings(p.Fun)
		case *ast.KeyValueExpr:
			return true
		case *ast.AssignStmt: // x.Text = ..., but no local copy
			_, field := p.Lhs[0].(*ast.SelectorExpr)
			return field
		default:
			return false
		}
	}
	return false
}

// aboutStrings matches the functions of packages that look into strings, and
// methods of regular expressions.
func aboutStrings(fun ast.Expr) bool {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if strings.HasPrefix(s.Sel.Name, "Match") || strings.HasPrefix(s.Sel.Name, "Find") {
		return true
	}
	x, ok := s.X.(*ast.Ident)
	return ok && (x.Name == "strings" || x.Name == "bytes" || x.Name == "regexp" || x.Name == "strconv" || x.Name == "slices")
}
