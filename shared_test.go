package weir_test

import (
	"go/ast"
	"go/types"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"

	"weir/algorithms/catalog"
)

// sharedPackages hold what several algorithms have in common, and nothing else.
var sharedPackages = []string{"algorithms/coordinator", "algorithms/rounds", "algorithms/recoveryline"}

// families are the files of algorithmstest whose algorithms are swept under the
// oracles (internal/scenario/conformance): each counts as an algorithm does. Liars are
// others of these under a false name, and do not.
var families = []string{"causal.go", "productions.go", "microbatch.go"}

const familyPackage = "internal/algorithms/algorithmstest"

// TestSharedSymbolsAreShared: whatever a shared package exports is used by two
// algorithms at least, of the catalog or of the executed families. A symbol is used
// by an algorithm whose code refers to it, directly or through what it uses of the
// shared packages; a method of an interface, by who implements it itself. What only
// a driver or the bench looks at is theirs to justify: it counts as many.
func TestSharedSymbolsAreShared(t *testing.T) {
	u := loadUses(t)
	users := map[types.Object][]string{}
	for _, user := range slices.Sorted(maps.Keys(u.roots)) {
		for o := range u.reach(u.roots[user]) {
			users[o] = append(users[o], user)
		}
	}
	counted := 0
	for _, o := range u.exported() {
		if u.outside[o] {
			continue
		}
		counted++
		by := users[o]
		if interfaceOf(o) != nil {
			by = u.implementers(o, users)
		}
		if len(by) < 2 {
			t.Errorf("%s is used by %q only: what one algorithm alone uses belongs to it", symbol(o), by)
		}
	}
	if counted < 50 || len(u.roots) < len(catalog.Names()) {
		t.Errorf("%d symbols, users %v", counted, slices.Sorted(maps.Keys(u.roots)))
	}
}

// uses says which objects of algorithms/... refer to which.
type uses struct {
	pkgs    []*packages.Package
	edges   map[types.Object]map[types.Object]bool // of a declaration
	roots   map[string]map[types.Object]bool       // by algorithm or family: what its code refers to
	outside map[types.Object]bool                  // referred to by packages other than algorithms
	static  map[types.Object]bool                  // referred to anywhere
	methods map[types.Object][]types.Object        // of a type, declared on it
	called  map[string]bool                        // methods of interfaces
}

func loadUses(t *testing.T) *uses {
	t.Helper()
	pkgs := loadAll(t)
	u := &uses{
		pkgs: pkgs, edges: map[types.Object]map[types.Object]bool{}, roots: map[string]map[types.Object]bool{}, outside: map[types.Object]bool{},
		static: map[types.Object]bool{}, methods: map[types.Object][]types.Object{}, called: map[string]bool{},
	}
	inCatalog := map[string]bool{}
	for _, p := range pkgs {
		if len(p.Errors) > 0 {
			t.Fatalf("%s: %v", p.PkgPath, p.Errors[0])
		}
		if p.PkgPath == "weir/algorithms/catalog" {
			for path := range p.Imports {
				inCatalog[path] = true
			}
		}
	}
	for _, p := range pkgs {
		for path, imported := range p.Imports {
			if path == "weir/dataflow" {
				u.interfaces(imported.Types)
			}
		}
		if slices.Contains(sharedPackages, strings.TrimPrefix(p.PkgPath, "weir/")) {
			u.interfaces(p.Types)
		}
		for _, f := range p.Syntax {
			u.file(p, f, inCatalog[p.PkgPath])
		}
	}
	return u
}

// interfaces notes the methods of a package's interfaces.
func (u *uses) interfaces(p *types.Package) {
	for _, name := range p.Scope().Names() {
		if i, ok := p.Scope().Lookup(name).Type().Underlying().(*types.Interface); ok {
			for m := range i.Methods() {
				u.called[m.Name()] = true
			}
		}
	}
}

// file takes in what the declarations of a file refer to.
func (u *uses) file(p *packages.Package, f *ast.File, inCatalog bool) {
	dir := strings.TrimPrefix(p.PkgPath, "weir/")
	name := filepath.Base(p.Fset.Position(f.Pos()).Filename)
	shared := slices.Contains(sharedPackages, dir)
	for _, d := range f.Decls {
		for _, part := range parts(d) {
			refers := map[types.Object]bool{}
			ast.Inspect(part.node, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					if o := p.TypesInfo.Uses[id]; o != nil && o.Pkg() != nil && strings.HasPrefix(o.Pkg().Path(), "weir/algorithms/") {
						refers[origin(o)] = true
					}
				}
				return true
			})
			for o := range refers {
				u.static[o] = true
			}
			switch {
			case shared || dir == familyPackage && !slices.Contains(families, name):
				u.declare(p, part, refers)
			case inCatalog:
				u.add(dir, refers)
			case dir == familyPackage:
				u.add(dir+"/"+name, refers)
				u.declare(p, part, refers)
			case dir == "algorithms/stories", dir == "algorithms/catalog", strings.HasPrefix(dir, "internal/scenario/conformance"):
				// they are about all of them, and need nothing for themselves
			default:
				for o := range refers {
					u.outside[o] = true
				}
			}
		}
	}
}

func (u *uses) add(user string, refers map[types.Object]bool) {
	if u.roots[user] == nil {
		u.roots[user] = map[types.Object]bool{}
	}
	maps.Copy(u.roots[user], refers)
}

// declare notes what the objects of a declaration lead to.
func (u *uses) declare(p *packages.Package, part declared, refers map[types.Object]bool) {
	for _, name := range part.names {
		if o := p.TypesInfo.Defs[name]; o != nil {
			u.edges[o] = refers
			if r := receiver(o); r != nil {
				u.methods[r] = append(u.methods[r], o)
			}
		}
	}
}

// declared is one function, type, variable or constant.
type declared struct {
	names []*ast.Ident
	node  ast.Node
}

func parts(d ast.Decl) (all []declared) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return []declared{{[]*ast.Ident{d.Name}, d}}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				all = append(all, declared{[]*ast.Ident{s.Name}, s})
			case *ast.ValueSpec:
				all = append(all, declared{s.Names, s})
			}
		}
	}
	return all
}

// reach returns what is used from some objects on. A type brings the methods that
// are called through interfaces: those that nothing else refers to, and those with
// the name of a method that an interface of the contract or of a shared package has.
func (u *uses) reach(from map[types.Object]bool) map[types.Object]bool {
	seen := map[types.Object]bool{}
	var visit func(o types.Object)
	visit = func(o types.Object) {
		if seen[o] {
			return
		}
		seen[o] = true
		for next := range u.edges[o] {
			visit(next)
		}
		for _, m := range u.methods[o] {
			if !u.static[m] || u.called[m.Name()] {
				visit(m)
			}
		}
	}
	for o := range from {
		visit(o)
	}
	return seen
}

// exported lists what the shared packages export: also methods and fields.
func (u *uses) exported() (all []types.Object) {
	for _, p := range u.pkgs {
		if !slices.Contains(sharedPackages, strings.TrimPrefix(p.PkgPath, "weir/")) {
			continue
		}
		for _, o := range p.TypesInfo.Defs {
			if o == nil || !o.Exported() || !isVisible(p, o) || isEmbedded(o) {
				continue
			}
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b types.Object) int { return strings.Compare(symbol(a), symbol(b)) })
	return all
}

// isVisible tells a symbol of a package from a name within a function.
func isVisible(p *packages.Package, o types.Object) bool {
	if r := receiver(o); r != nil {
		return r.Exported()
	}
	if v, ok := o.(*types.Var); ok && v.IsField() {
		return true
	}
	return o.Parent() == p.Types.Scope()
}

// isEmbedded: a field that has the name of its type, and is used through it.
func isEmbedded(o types.Object) bool {
	v, ok := o.(*types.Var)
	return ok && v.Embedded()
}

// origin is the object as it was declared, for one of an instantiated type.
func origin(o types.Object) types.Object {
	switch o := o.(type) {
	case *types.Func:
		return o.Origin()
	case *types.Var:
		return o.Origin()
	}
	return o
}

// receiver returns the type that a method is declared on; nil: it is no method.
func receiver(o types.Object) types.Object {
	f, ok := o.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return nil
	}
	t := f.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := t.(*types.Named); ok {
		return n.Obj()
	}
	return nil
}

// interfaceOf returns the interface that a method belongs to; nil: to none.
func interfaceOf(o types.Object) *types.Interface {
	if r := receiver(o); r != nil {
		i, _ := r.Type().Underlying().(*types.Interface)
		return i
	}
	return nil
}

// implementers are the users with a type that implements the interface of a
// method and declares that method itself, instead of getting it by embedding; of a shared
// package, the users of such a type.
func (u *uses) implementers(method types.Object, users map[types.Object][]string) (all []string) {
	of := interfaceOf(method)
	for _, p := range u.pkgs {
		for id, o := range p.TypesInfo.Defs {
			r := receiver(o)
			if r == nil || o.Name() != method.Name() || !types.Implements(types.NewPointer(r.Type()), of) {
				continue
			}
			user := strings.TrimPrefix(p.PkgPath, "weir/")
			if user == familyPackage {
				user += "/" + filepath.Base(p.Fset.Position(id.Pos()).Filename)
			}
			if u.roots[user] != nil {
				all = append(all, user)
			} else if slices.Contains(sharedPackages, user) {
				all = append(all, users[r]...)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// symbol names an object as people do.
func symbol(o types.Object) string {
	name := o.Pkg().Name() + "."
	if r := receiver(o); r != nil {
		name += r.Name() + "."
	}
	return name + o.Name()
}
