package weir_test

import (
	"go/build"
	"go/scanner"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"weir/algorithms/catalog"
)

// An algorithm is small: what it shares with others is in the shared packages.
const (
	algorithmLines = 300 // of code of its own, without comments, blank lines and tests
	barrierLines   = 150 // for one that is a variant of barriers
)

// barrierVariants are the algorithms that differ in what a barrier does.
var barrierVariants = []string{"algorithms/aligned", "algorithms/atleastonce", "algorithms/unaligned", "algorithms/unalignedtimeout"}

func limitOf(dir string) int {
	if listed(dir, barrierVariants) {
		return barrierLines
	}
	return algorithmLines
}

func TestAlgorithmsAreSmall(t *testing.T) {
	packages := ourPackages(t)
	counted := 0
	for _, imp := range packages["algorithms/catalog"].Imports {
		dir, ok := strings.CutPrefix(imp, "weir/")
		if !ok || !strings.HasPrefix(dir, "algorithms/") {
			continue
		}
		counted++
		n := 0
		for _, name := range packages[dir].GoFiles {
			n += codeLines(t, filepath.Join(dir, name))
		}
		t.Logf("%s: %d lines", dir, n)
		if limit := limitOf(dir); n > limit {
			t.Errorf("%s has %d lines of its own, %d are allowed: what others could use belongs to algorithms/coordinator, rounds or recoveryline", dir, n, limit)
		}
	}
	for _, dir := range barrierVariants {
		if packages[dir] == nil {
			t.Errorf("%s is no package", dir)
		}
	}
	if counted < 5 {
		t.Errorf("the catalog has %d algorithms", counted)
	}
}

// TestFamiliesAreSmall: an executed test family shows one thing in a few lines.
func TestFamiliesAreSmall(t *testing.T) {
	const most = 150
	for _, name := range families {
		n := codeLines(t, filepath.Join(familyPackage, name))
		t.Logf("%s: %d lines", name, n)
		if n > most {
			t.Errorf("%s has %d lines, %d are allowed", name, n, most)
		}
	}
}

// codeLines counts the lines of a file on which a token begins or ends.
func codeLines(t *testing.T, name string) int {
	t.Helper()
	src, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return countLines(src)
}

func countLines(src []byte) int {
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	var s scanner.Scanner
	s.Init(file, src, nil, 0) // without comments
	lines := map[int]bool{}
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF {
			return len(lines)
		}
		if tok == token.SEMICOLON && text == "\n" {
			continue // put in by the scanner
		}
		first := fset.Position(pos).Line
		for l := range 1 + strings.Count(text, "\n") {
			lines[first+l] = true
		}
	}
}

func TestLinesAreCounted(t *testing.T) {
	for src, want := range map[string]int{
		"package p\n": 1,
		"// a comment\npackage p\n\n/* another\none */\nvar x = 1 // and one\n": 2,
		"package p\n\nvar s = `a\n\nb`\n":                                       4,
		"package p\nfunc f() {\n}\n":                                            3,
	} {
		if got := countLines([]byte(src)); got != want {
			t.Errorf("%q has %d lines of code, want %d", src, got, want)
		}
	}
}

// TestSharedPackagesAreShared checks that what all algorithms or a family have in
// common names none of them and is imported by two at least.
func TestSharedPackagesAreShared(t *testing.T) {
	packages := ourPackages(t)
	for _, shared := range []string{"algorithms/coordinator", "algorithms/rounds", "algorithms/recoveryline"} {
		var users []string
		for dir, p := range packages {
			if strings.HasPrefix(dir, "algorithms/") && importsOf(p, shared) && !isTest(dir) {
				users = append(users, dir)
			}
		}
		if len(users) < 2 {
			t.Errorf("%s is used by %q only: what one algorithm alone uses belongs to it", shared, users)
		}
		for _, name := range packages[shared].GoFiles {
			src, err := os.ReadFile(filepath.Join(shared, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range catalog.Names() {
				if strings.Contains(string(src), strconv.Quote(a)) {
					t.Errorf("%s/%s names %q", shared, name, a)
				}
			}
		}
	}
}

func importsOf(p *build.Package, dir string) bool {
	for _, imp := range p.Imports {
		if imp == "weir/"+dir {
			return true
		}
	}
	return false
}
