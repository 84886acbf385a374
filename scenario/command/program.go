package command

import (
	"path"
	"runtime/debug"
	"strings"

	algorithmcatalog "weir/algorithms/catalog"
	"weir/scenario"
	workloadcatalog "weir/workloads/catalog"
)

// Own is what a command of one's own knows beside the catalogs. Names must
// differ from theirs.
type Own struct {
	Algorithms algorithmcatalog.List
	Workloads  workloadcatalog.List
}

// program is a command: how it is called, and what can be chosen in it.
type program struct {
	name, call string // "sim", "go run ./cmd/sim"
	own        bool   // it knows more than the catalogs
	algorithms algorithmcatalog.List
	workloads  workloadcatalog.List
}

// newProgram returns the command with what is given beside the catalogs. main
// is the path of its main package; cmd/sim's if it has nothing of its own.
func newProgram(main string, own []Own) *program {
	p := &program{name: "sim", call: scenario.DefaultProgram, algorithms: algorithmcatalog.All(), workloads: workloadcatalog.Constructors()}
	for _, o := range own {
		p.own = true
		p.algorithms = append(p.algorithms, o.Algorithms...)
		p.workloads = append(p.workloads, o.Workloads...)
	}
	if p.own && main != "" {
		p.name, p.call = path.Base(main), "go run "+main
	}
	return p
}

// mainPackage returns the path of the main package of this process, "" if the
// build does not tell.
func mainPackage() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Path
	}
	return ""
}

// called puts the way in which the program is called into an example.
func (p *program) called(example string) string {
	return strings.ReplaceAll(example, scenario.DefaultProgram+" ", p.call+" ")
}
