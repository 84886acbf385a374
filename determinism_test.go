package weir_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/go/packages"
)

// outsideCore lists what may use clocks, goroutines and chance: everything else
// is the core. pebblestate is checked too; only Pebble itself has goroutines.
var outsideCore = []string{"live", "scenario/endpoint", "bench", "internal/bench/...", "results/...", "results", "internal/paper/...", "scenario/command", "cmd/..."}

// ambient are functions that bring in the clock or chance from outside.
var ambient = map[string]string{
	"time.Now": "the clock", "time.Since": "the clock", "time.Until": "the clock", "time.Sleep": "the clock",
	"time.After": "the clock", "time.AfterFunc": "the clock", "time.NewTimer": "the clock", "time.NewTicker": "the clock", "time.Tick": "the clock",
	"os.Getpid": "the process", "os.Hostname": "the machine",
}

// load reads and types all our packages, once for all tests: it takes a while.
var load = sync.OnceValues(func() ([]*packages.Package, error) {
	cfg := &packages.Config{Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo | packages.NeedImports | packages.NeedDeps}
	return packages.Load(cfg, "./...")
})

func loadAll(t *testing.T) []*packages.Package {
	t.Helper()
	pkgs, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// TestDeterminism is the vet pass against nondeterminism: in the core no clock,
// no global random source, no goroutine, no select over several channels, and
// no range over a map unless a comment "//det:unordered why" says that the order
// cannot be seen.
func TestDeterminism(t *testing.T) {
	checked := 0
	for _, p := range loadAll(t) {
		dir, ok := strings.CutPrefix(p.PkgPath, "weir/")
		if !ok || listed(dir, outsideCore) || isTest(dir) {
			continue
		}
		if len(p.Errors) > 0 {
			t.Fatalf("%s: %v", p.PkgPath, p.Errors[0])
		}
		checked++
		for _, f := range p.Syntax {
			for _, problem := range nondeterminism(p.Fset, f, p.TypesInfo) {
				t.Error(problem)
			}
		}
	}
	if checked < 10 {
		t.Fatalf("checked %d packages only", checked)
	}
}

// nondeterminism returns what is wrong in one file.
func nondeterminism(fset *token.FileSet, f *ast.File, info *types.Info) []string {
	excused := map[int]bool{} // lines a reason stands on or above
	for _, g := range f.Comments {
		for _, c := range g.List {
			if why, ok := strings.CutPrefix(c.Text, "//det:unordered"); ok && strings.TrimSpace(why) != "" {
				line := fset.Position(c.End()).Line
				excused[line], excused[line+1] = true, true
			}
		}
	}
	var out []string
	report := func(n ast.Node, format string, args ...any) {
		if !excused[fset.Position(n.Pos()).Line] {
			out = append(out, fmt.Sprintf("%s: %s", fset.Position(n.Pos()), fmt.Sprintf(format, args...)))
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			report(n, "a goroutine in the core")
		case *ast.SelectStmt:
			if len(n.Body.List) > 1 {
				report(n, "a select over several cases in the core")
			}
		case *ast.RangeStmt:
			if tv, ok := info.Types[n.X]; ok {
				if _, isMap := tv.Type.Underlying().(*types.Map); isMap {
					report(n, "ranges over a map: sort first, or say //det:unordered and why")
				}
			}
		case *ast.SelectorExpr:
			if fn, ok := info.Uses[n.Sel].(*types.Func); ok && fn.Pkg() != nil && fn.Signature().Recv() == nil {
				name := fn.Pkg().Path() + "." + fn.Name()
				if what := ambient[name]; what != "" {
					report(n, "%s brings in %s", name, what)
				}
				if strings.HasPrefix(name, "math/rand") && !strings.HasPrefix(fn.Name(), "New") || strings.HasPrefix(name, "crypto/rand.") {
					report(n, "%s is chance without a seed", name)
				}
			}
		}
		return true
	})
	return out
}

func TestDeterminismFires(t *testing.T) {
	const src = `package p
import ("math/rand/v2"; "time")
func f(m map[int]int, a, b chan int) {
	_ = time.Now()
	_ = rand.IntN(3)
	go f(nil, nil, nil)
	for range m {
	}
	//det:unordered only counted
	for range m {
	}
	select {
	case <-a:
	case <-b:
	}
	_ = rand.New(rand.NewPCG(1, 2)).IntN(3)
}`
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "p.go", src, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importerFor(t)}
	if _, err := conf.Check("p", fset, []*ast.File{f}, info); err != nil {
		t.Fatal(err)
	}
	got := nondeterminism(fset, f, info)
	for _, want := range []string{"time.Now", "chance", "goroutine", "ranges over a map", "select"} {
		if !strings.Contains(strings.Join(got, "\n"), want) {
			t.Errorf("nothing reported about %q in %q", want, got)
		}
	}
	if len(got) != 5 {
		t.Errorf("%d reports, want 5: %q", len(got), got)
	}
}

// importerFor resolves imports of the fixture through the go command's export data.
func importerFor(t *testing.T) types.Importer {
	t.Helper()
	pkgs, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps}, "time", "math/rand/v2")
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]*types.Package{}
	for _, p := range pkgs {
		byPath[p.PkgPath] = p.Types
	}
	return importerFunc(func(path string) (*types.Package, error) {
		if p := byPath[path]; p != nil {
			return p, nil
		}
		return nil, fmt.Errorf("no package %s", path)
	})
}

type importerFunc func(path string) (*types.Package, error)

func (f importerFunc) Import(path string) (*types.Package, error) { return f(path) }
