package weir_test

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// propertyReaders are the packages that would go wrong without a property; who
// only prints or exercises it is not among them.
var propertyReaders = []string{"dataflow", "scenario", "sim", "live", "external/sinks", "algorithms/catalog"}

// TestPropertiesAreRead: every field of dataflow.Properties is read by one of
// propertyReaders.
func TestPropertiesAreRead(t *testing.T) {
	pkgs := loadAll(t)
	if all := unread(t, pkgs, propertyReaders); len(all) > 0 {
		t.Errorf("nobody reads what algorithms declare of %s", strings.Join(all, ", "))
	}
	// By those that run jobs the promises themselves are not read.
	if all := unread(t, pkgs, []string{"sim"}); !slices.Contains(all, "Output") || !slices.Contains(all, "Rollback") {
		t.Errorf("sim reads all but %q: the test finds readers that there are not", all)
	}
}

// unread returns the fields of dataflow.Properties that none of the packages reads.
func unread(t *testing.T, pkgs []*packages.Package, readers []string) (all []string) {
	t.Helper()
	fields := map[types.Object]bool{}
	for _, p := range pkgs {
		if p.PkgPath == "weir/dataflow" {
			s := p.Types.Scope().Lookup("Properties").Type().Underlying().(*types.Struct)
			for f := range s.Fields() {
				fields[f] = true
				all = append(all, f.Name())
			}
		}
	}
	if len(fields) < 5 {
		t.Fatalf("dataflow.Properties has %d fields", len(fields))
	}
	read := map[string]bool{}
	for _, p := range pkgs {
		if !slices.Contains(readers, strings.TrimPrefix(p.PkgPath, "weir/")) {
			continue
		}
		for _, f := range p.Syntax {
			for _, s := range selected(f) {
				if fields[p.TypesInfo.Uses[s.Sel]] {
					read[s.Sel.Name] = true
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(name string) bool { return read[name] })
}

// selected returns the selectors of a file but those that are assigned to.
func selected(f *ast.File) (all []*ast.SelectorExpr) {
	written := map[ast.Expr]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok == token.ASSIGN {
				for _, l := range n.Lhs {
					written[l] = true
				}
			}
		case *ast.SelectorExpr:
			if !written[n] {
				all = append(all, n)
			}
		}
		return true
	})
	return all
}
