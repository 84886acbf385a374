package weir_test

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	algorithmcatalog "weir/algorithms/catalog"
	statecatalog "weir/state/catalog"
	workloadcatalog "weir/workloads/catalog"
)

// catalogNames returns every name of a catalog with the directory of its family.
func catalogNames() map[string]string {
	family := map[string]string{}
	for dir, names := range map[string][]string{"algorithms": algorithmcatalog.Names(), "workloads": workloadcatalog.Names(), "state": statecatalog.Names()} {
		for _, n := range names {
			family[n] = dir
		}
	}
	return family
}

// isOwn tells whether a package may compare a name: the catalogs, and the one
// that the name is of. nexmark-q5 is workloads/nexmark's, pebble-full
// state/pebblestate's.
func isOwn(dir, family, name string) bool {
	first, _, _ := strings.Cut(name, "-")
	base := path.Base(dir)
	return path.Dir(dir) == family && (base == "catalog" || strings.HasPrefix(base, first) || base == strings.ReplaceAll(name, "-", ""))
}

// otherMeanings are names that mean something else to a package: the flag that
// names a deliberate mistake says "none" for none, and so do the states of a round
// and of a task for none there, and a restart strategy.
var otherMeanings = map[string]string{"scenario/command": "none", "check": "none", "dataflow": "none", "algorithms/coordinator": "none", "scenario": "none"}

// namesListed are the packages that may list names, each for a reason.
var namesListed = map[string]bool{
	"cmd/bench":                     true, // what is measured unless flags name something else
	"scenario/mutants":              true, // which combinations have a mistake
	"internal/scenario/conformance": true, // the jobs of a suite
}

// namesCompared finds where a package does something else for one name of a
// catalog than for others: what it needs to know is a property.
type namesCompared struct {
	dir      string
	families map[string]string
	consts   map[string]string // of all packages, by "directory.Name"
	files    *token.FileSet
	imports  map[string]string // of the file, by the name in it
	found    []string
}

func (c *namesCompared) file(f *ast.File) {
	c.imports = map[string]string{}
	for _, i := range f.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		name := path.Base(p)
		if i.Name != nil {
			name = i.Name.Name
		}
		c.imports[name] = strings.TrimPrefix(p, "weir/")
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				c.check("comparison", n.X, n.Y)
			}
		case *ast.CaseClause:
			c.check("case", n.List...)
		case *ast.IndexExpr:
			c.check("index", n.Index)
		case *ast.CompositeLit:
			if _, ok := n.Type.(*ast.ArrayType); ok && !namesListed[c.dir] {
				c.check("list", n.Elts...)
			}
			if _, ok := n.Type.(*ast.MapType); ok {
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok {
						c.check("map key", kv.Key)
					}
				}
			}
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && isTextTest(s) {
				c.check(s.Sel.Name, n.Args...)
			}
		}
		return true
	})
}

// isTextTest tells whether a call of a function compares its arguments.
func isTextTest(s *ast.SelectorExpr) bool {
	x, ok := s.X.(*ast.Ident)
	return ok && (x.Name == "strings" && listed(s.Sel.Name, []string{"HasPrefix", "HasSuffix", "Contains", "EqualFold", "TrimPrefix", "CutPrefix"}) ||
		x.Name == "slices" && listed(s.Sel.Name, []string{"Contains", "Index"}))
}

func (c *namesCompared) check(what string, all ...ast.Expr) {
	for _, e := range all {
		name := c.valueOf(e)
		if family, ok := c.families[name]; ok && !isOwn(c.dir, family, name) && otherMeanings[c.dir] != name {
			c.found = append(c.found, fmt.Sprintf("%s: %s with %q", c.files.Position(e.Pos()), what, name))
		}
	}
}

// valueOf returns the text of a literal or of a constant of ours.
func (c *namesCompared) valueOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return s
		}
	case *ast.Ident:
		return c.consts[c.dir+"."+e.Name]
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return c.consts[c.imports[x.Name]+"."+e.Sel.Name]
		}
	case *ast.ParenExpr:
		return c.valueOf(e.X)
	}
	return ""
}

// constantsOf adds the package's constants that are plain texts.
func constantsOf(dir string, f *ast.File, all map[string]string) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			for i, n := range v.Names {
				if i < len(v.Values) {
					if l, ok := v.Values[i].(*ast.BasicLit); ok && l.Kind == token.STRING {
						all[dir+"."+n.Name], _ = strconv.Unquote(l.Value)
					}
				}
			}
		}
	}
}

func TestNoNameOfACatalogIsCompared(t *testing.T) {
	files, consts := token.NewFileSet(), map[string]string{}
	parsed := map[string][]*ast.File{}
	for dir, pkg := range ourPackages(t) {
		for _, f := range parsePackage(t, files, dir, pkg) {
			constantsOf(dir, f, consts)
			parsed[dir] = append(parsed[dir], f)
		}
	}
	for dir, all := range parsed {
		if isTest(dir) {
			continue
		}
		c := &namesCompared{dir: dir, families: catalogNames(), consts: consts, files: files}
		for _, f := range all {
			c.file(f)
		}
		for _, found := range c.found {
			t.Errorf("%s: what differs is a property or an optional interface of whatever is called so", found)
		}
	}
}

func parsePackage(t *testing.T, files *token.FileSet, dir string, pkg *build.Package) (all []*ast.File) {
	t.Helper()
	for _, name := range pkg.GoFiles {
		f, err := parser.ParseFile(files, filepath.Join(dir, name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// TestComparedNamesAreFound plants one of each kind, and some that are none.
func TestComparedNamesAreFound(t *testing.T) {
	const source = `package planted
import backend "weir/state/heap"
const special = "nexmark-q5"
func f(name string, m map[string]int) {
	if name == "aligned" {}
	if special != name {}
	if backend.Name == name {}
	switch name { case "x", "keyedcount": }
	_ = map[string]bool{"unaligned": true}
	_ = m["uncoordinated"]
	_ = strings.HasPrefix(name, "pebble")
	_ = slices.Contains(all, ("at-least-once"))
	flag := []string{"x", "aligned"}
	_ = struct{ Name string }{Name: "heap"} // a name given
	if name == "round" || len(flag) == 1 {}
}`
	files, consts := token.NewFileSet(), map[string]string{"state/heap.Name": "heap"}
	f, err := parser.ParseFile(files, "planted.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	constantsOf("planted", f, consts)
	c := &namesCompared{dir: "planted", families: catalogNames(), consts: consts, files: files}
	c.file(f)
	if len(c.found) != 9 {
		t.Errorf("found %d of 9:\n%s", len(c.found), strings.Join(c.found, "\n"))
	}
	for _, x := range []struct {
		dir, family, name string
		want              bool
	}{
		{"workloads/nexmark", "workloads", "nexmark-q5", true}, {"state/pebblestate", "state", "pebble-full", true}, {"algorithms/catalog", "algorithms", "aligned", true},
		{"algorithms/atleastonce", "algorithms", "at-least-once", true}, {"algorithms/rounds", "algorithms", "aligned", false},
		{"algorithms/unaligned", "algorithms", "aligned", false}, {"bench", "workloads", "keyedcount", false}, {"workloads/nexmark", "workloads", "keyedcount", false},
	} {
		if got := isOwn(x.dir, x.family, x.name); got != x.want {
			t.Errorf("%s may compare %s: %v", x.dir, x.name, got)
		}
	}
}
