package weir_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
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

// TestProseByTypes: whatever an event is called, and whatever is said of an error,
// no function or comparison looks into it.
func TestProseByTypes(t *testing.T) {
	checked, seen := 0, map[string]bool{}
	for _, p := range loadAll(t) {
		if !slices.Contains(deciders, strings.TrimPrefix(p.PkgPath, "weir/")) {
			continue
		}
		checked++
		for _, f := range p.Syntax {
			for _, at := range proseLookedInto(f, p.TypesInfo) {
				name := strings.TrimPrefix(p.PkgPath, "weir/") + "/" + filepath.Base(p.Fset.Position(f.Pos()).Filename) + ": " + at
				if seen[name] = true; proseReaders[name] == "" && proseCompared[name] == "" {
					t.Errorf("%s decides by prose: give it a typed field", name)
				}
			}
		}
	}
	if checked != len(deciders) {
		t.Errorf("%d packages of %d were found", checked, len(deciders))
	}
	for at := range proseCompared {
		if !seen[at] {
			t.Errorf("%s does so no longer: take it off the list", at)
		}
	}
}

// proseCompared may compare prose, each for a reason.
var proseCompared = map[string]string{
	"check/determinism.go: equalEvents": "two runs of one seed must be the same, prose and all",
}

// proseLookedInto returns the functions that hand prose to a function about
// strings, or compare it.
func proseLookedInto(f *ast.File, info *types.Info) (all []string) {
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		found := false
		ast.Inspect(fn.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				found = found || aboutStrings(n.Fun) && slices.ContainsFunc(n.Args, func(e ast.Expr) bool { return isTypedProse(e, info) })
			case *ast.BinaryExpr:
				found = found || n.Op != token.ADD && (isTypedProse(n.X, info) || isTypedProse(n.Y, info))
			case *ast.IndexExpr:
				found = found || isTypedProse(n.X, info) || isTypedProse(n.Index, info)
			case *ast.SliceExpr:
				found = found || isTypedProse(n.X, info)
			case *ast.SwitchStmt:
				found = found || n.Tag != nil && isTypedProse(n.Tag, info)
			}
			return true
		})
		if found {
			all = append(all, fn.Name.Name)
		}
	}
	return all
}

// isTypedProse matches Text of a trace.Event, its Words, and Error of an error.
func isTypedProse(e ast.Expr, info *types.Info) bool {
	if p, ok := e.(*ast.ParenExpr); ok {
		return isTypedProse(p.X, info)
	}
	call, called := e.(*ast.CallExpr)
	if called {
		e = call.Fun
	}
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	if called && s.Sel.Name == "Error" {
		return len(call.Args) == 0
	}
	if s.Sel.Name != "Text" && s.Sel.Name != "Words" {
		return false
	}
	of := info.TypeOf(s.X)
	if p, ok := of.(*types.Pointer); ok {
		of = p.Elem()
	}
	return of != nil && types.TypeString(of, nil) == "weir/trace.Event"
}

func TestProseByTypesFires(t *testing.T) {
	const source = `package p
import ("strings"; "weir/trace")
func a(x *trace.Event) bool { return strings.Contains(x.Text, "lost") }
func b(x *trace.Event) bool { return strings.HasPrefix(x.Words(), "put") }
func c(err error) bool { return strings.Contains(err.Error(), "connection lost") }
func d(x trace.Event) bool { return x.Text == "log" }
func e(x *trace.Event) string { return x.Text }
func f(x struct{ Text string }) bool { return x.Text == "log" }
`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: loaded(loadAll(t))}
	if _, err := conf.Check("p", fset, []*ast.File{f}, info); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(proseLookedInto(f, info), " "); got != "a b c d" {
		t.Errorf("found %s", got)
	}
}

// loaded imports what was loaded, and what that imports.
type loaded []*packages.Package

func (l loaded) Import(path string) (*types.Package, error) {
	for _, p := range l {
		if p.PkgPath == path {
			return p.Types, nil
		}
		if i := p.Imports[path]; i != nil {
			return i.Types, nil
		}
	}
	return nil, os.ErrNotExist
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
