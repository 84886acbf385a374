package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// module is the prefix of our import paths.
const module = "weir/"

// apart are files that the simulator has no use for: the command itself, which
// must be instrumented for the rest to be, and what the live driver keeps on a disk.
var apart = []string{"cmd/", "external/journal.go", "external/logged.go", "external/opcodec.go", "external/segment.go", "external/sourcelog.go"}

// block is a run of statements of which either all or none are executed.
type block struct {
	file       string // below the root of the module
	from, to   place
	statements int
	reached    bool
	// name says which block it is where lines and files may have moved: function and source text.
	name string
}

type place struct{ line, column int }

// parseProfile reads a profile of mode set, and sorts it by package, file and place.
func parseProfile(text string) ([]block, error) {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if !strings.HasPrefix(lines[0], "mode: ") {
		return nil, errors.New("this is no coverage profile: the first line is not its mode")
	}
	var all []block
	for i, line := range lines[1:] {
		file, rest, _ := strings.Cut(line, ":")
		b := block{file: strings.TrimPrefix(file, module)}
		var count int
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &b.from.line, &b.from.column, &b.to.line, &b.to.column, &b.statements, &count); err != nil {
			return nil, fmt.Errorf("line %d: %q: %w", i+2, line, err)
		}
		b.reached = count > 0
		isApart := slices.ContainsFunc(apart, func(prefix string) bool { return strings.HasPrefix(b.file, prefix) })
		if b.statements > 0 && !isApart {
			all = append(all, b)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the profile has no statement of the core")
	}
	slices.SortFunc(all, func(a, b block) int {
		return cmp.Or(cmp.Compare(path.Dir(a.file), path.Dir(b.file)), cmp.Compare(a.file, b.file), cmp.Compare(a.from.line, b.from.line), cmp.Compare(a.from.column, b.from.column))
	})
	return all, nil
}

// name gives every block its name, by the sources below root. Equal ones of a
// function are counted in the order of the text.
func name(blocks []block, root fs.FS) error {
	met := map[string]int{}
	var src *source
	for i := range blocks {
		b := &blocks[i]
		if src == nil || src.file != b.file {
			var err error
			if src, err = open(root, b.file); err != nil {
				return err
			}
		}
		text, err := src.text(b)
		if err != nil {
			return err
		}
		b.name = path.Dir(b.file) + "." + src.function(b.from.line) + ": " + text
		met[b.name]++
		if n := met[b.name]; n > 1 {
			b.name += fmt.Sprintf(" #%d", n)
		}
	}
	return nil
}

// source is a file of Go.
type source struct {
	file  string
	lines [][]byte
	set   *token.FileSet
	tree  *ast.File
}

func open(root fs.FS, file string) (*source, error) {
	text, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, err
	}
	s := &source{file: file, lines: bytes.Split(text, []byte("\n")), set: token.NewFileSet()}
	s.tree, err = parser.ParseFile(s.set, file, text, parser.SkipObjectResolution)
	return s, err
}

// function returns the name of the function at a line, with its receiver.
func (s *source) function(line int) string {
	for _, d := range s.tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || line < s.set.Position(f.Pos()).Line || line > s.set.Position(f.End()).Line {
			continue
		}
		if f.Recv == nil {
			return f.Name.Name
		}
		of := f.Recv.List[0].Type
		if p, ok := of.(*ast.StarExpr); ok {
			of = p.X
		}
		switch p := of.(type) {
		case *ast.IndexExpr: // of one type
			of = p.X
		case *ast.IndexListExpr: // of several
			of = p.X
		}
		if n, ok := of.(*ast.Ident); ok {
			return n.Name + "." + f.Name.Name
		}
	}
	return "var"
}

// longest is where the text of a block is cut off.
const longest = 140

// text returns the source of a block on one line, what it depends on first.
func (s *source) text(b *block) (string, error) {
	if b.to.line > len(s.lines) || b.from.column > len(s.lines[b.from.line-1])+1 {
		return "", fmt.Errorf("%s:%d: the profile is not of this source", s.file, b.from.line)
	}
	of := slices.Clone(s.lines[b.from.line-1 : b.to.line])
	if last := len(of) - 1; b.to.column-1 <= len(of[last]) {
		of[last] = of[last][:b.to.column-1]
	}
	for i, line := range of { // comments may be reworded
		if at := bytes.Index(line, []byte("// ")); at >= 0 {
			of[i] = line[:at]
		}
	}
	text := strings.Join(strings.Fields(string(bytes.Join(of, []byte(" ")))), " ")
	text = strings.TrimPrefix(strings.TrimSuffix(text, " }"), "} ")
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "")
	}
	return strings.TrimSpace(text), nil
}
