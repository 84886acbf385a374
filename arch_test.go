package weir_test

import (
	"go/build"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// imports is the architecture: which of our packages a package may import. A
// key ending in /... covers everything below it, "*" any package.
// docs/rfcs/0002-imports.md and 0003-house.md say why.
var imports = []struct{ pkg, may string }{
	{"id", ""},
	{"trace", ""},
	{"trace/cost", ""},
	{"results", "trace/cost results/stat"},
	{"results/stat", ""},
	{"results/searches", "results/stat"},
	{"internal/results/resultstest", "trace/cost results results/stat"},

	{"state", "trace"},
	{"state/timers", "state"},
	{"state/heap", "state state/timers"},
	{"state/pebblestate", "state state/timers"},
	{"state/changelog", "state"},
	{"state/localcopy", "state"},
	{"state/storage", "state"},
	{"state/savepoint", "state"},
	{"state/avro", "state"},
	{"state/protobuf", "state"},
	{"state/catalog", "state state/heap state/pebblestate"},
	{"state/statetest", "state"},

	{"dataflow", "state state/changelog state/localcopy state/savepoint trace"},
	{"internal/dataflow/roster", "dataflow"},
	{"dataflow/operators", "dataflow state"},
	{"faults", "trace"},
	{"check", "trace state"},

	{"external", "dataflow state trace"},
	{"external/sinks", "dataflow external state trace"},
	{"live", "dataflow internal/dataflow/roster trace trace/cost live/recording state"},
	{"live/recording", "dataflow trace state"},
	{"sim/seed", ""},
	{"internal/sim/disk", ""},
	{"internal/sim/image", ""},
	{"sim", "faults sim/seed internal/sim/disk internal/sim/image dataflow internal/dataflow/roster trace external state state/storage"},
	{"workloads", "dataflow dataflow/operators state"},
	{"workloads/catalog", "workloads workloads/..."},
	{"workloads/...", "workloads dataflow dataflow/operators state"},

	{"algorithms", "dataflow"},
	{"algorithms/coordinator", "dataflow trace state state/savepoint"},
	{"algorithms/rounds", "algorithms/coordinator dataflow trace state"},
	{"algorithms/recoveryline", "algorithms/coordinator dataflow trace state"},
	{"algorithms/catalog", "algorithms algorithms/... dataflow external/sinks"},
	{"internal/algorithms/algorithmstest", "algorithms algorithms/... dataflow state trace"},
	{"algorithms/stories", "dataflow internal/dataflow/roster trace external external/sinks dataflow/operators state state/heap state/storage algorithms algorithms/..."},
	{"algorithms/...", "algorithms dataflow algorithms/coordinator algorithms/rounds algorithms/recoveryline trace state"},

	{"scenario", "scenario/inspect scenario/mutants algorithms algorithms/... workloads workloads/... check faults sim sim/seed internal/sim/disk dataflow trace external external/sinks state state/..."},
	{"scenario/settings", "dataflow"},
	{"scenario/mutants", "scenario/inspect algorithms/... dataflow dataflow/operators faults external external/sinks state state/pebblestate"},
	{"scenario/counterexample", "check dataflow faults results/stat scenario sim sim/seed trace"},
	{"scenario/exhaustive", "check dataflow faults scenario sim sim/seed trace"},
	{"scenario/explain", "check dataflow trace"},
	{"scenario/explore", "check faults scenario scenario/mutants sim sim/seed trace"},
	{"internal/scenario/conformance", "algorithms dataflow dataflow/operators faults trace state scenario workloads workloads/catalog workloads/pipelines"},
	{"scenario/command", "check faults live trace dataflow external external/sinks algorithms algorithms/catalog results/searches results/stat scenario scenario/settings scenario/counterexample scenario/endpoint scenario/exhaustive scenario/explain scenario/explore scenario/inspect scenario/mutants state state/catalog state/storage workloads workloads/catalog"},
	{"scenario/inspect", "algorithms/coordinator dataflow state state/catalog state/changelog state/savepoint state/storage"},
	{"scenario/endpoint", "dataflow live scenario/endpoint/client scenario/inspect state"},
	{"scenario/endpoint/client", ""},
	{"scenario/simtest", "algorithms algorithms/catalog check dataflow external/sinks faults sim scenario state/catalog trace workloads"},
	{"internal/bench/machine", "results results/stat"},
	{"internal/bench/job", "scenario/mutants algorithms algorithms/... workloads workloads/... internal/bench/machine external external/sinks live trace trace/cost dataflow dataflow/... state state/... results results/stat"},
	{"bench", "trace/cost live algorithms algorithms/... workloads workloads/... internal/bench/job internal/bench/machine external external/sinks dataflow state/catalog results results/stat"},
	{"internal/bench/compare", "results/stat"},
	{"internal/paper/figures", "trace/cost results results/searches results/stat"},
	{"internal/paper/report", "results results/stat internal/paper/figures"},

	{"cmd/...", "*"},
}

// testPackages hold test code in files that are not _test.go, beside all whose
// name ends in "test".
var testPackages = []string{"algorithms/stories"}

func isTest(pkg string) bool { return strings.HasSuffix(pkg, "test") || listed(pkg, testPackages) }

// pebbleImporters may import Pebble's database, vfsImporters its file-system seam.
var (
	pebbleImporters = []string{"state/pebblestate"}
	vfsImporters    = []string{"state/pebblestate", "state/localcopy", "state/storage", "internal/sim/disk", "bench", "internal/bench/job", "external", "scenario/command", "scenario/inspect"}
)

const (
	pebble    = "github.com/cockroachdb/pebble/v2"
	pebbleVFS = pebble + "/vfs"
)

func TestImports(t *testing.T) {
	for dir, pkg := range ourPackages(t) {
		rule, ok := ruleFor(dir)
		if !ok {
			t.Errorf("%s is not in the import table of arch_test.go: add it, and say in docs/rfcs why it exists", dir)
			continue
		}
		for _, imp := range pkg.Imports {
			if problem := judge(dir, rule, imp); problem != "" {
				t.Errorf("%s imports %s: %s", dir, imp, problem)
			}
		}
	}
}

func judge(dir, rule, imp string) string {
	own, isOurs := strings.CutPrefix(imp, "weir/")
	switch {
	case imp == "testing" && !isTest(dir):
		return "only *test packages import testing"
	case (imp == pebble || strings.HasPrefix(imp, pebble+"/") && imp != pebbleVFS) && !listed(dir, pebbleImporters):
		return "Pebble's database belongs to state/pebblestate alone"
	case imp == pebbleVFS && !listed(dir, vfsImporters) && !strings.HasPrefix(dir, "cmd/"):
		return "Pebble's vfs is the seam of " + strings.Join(vfsImporters, ", ")
	case !isOurs || own == "id" || rule == "*":
	case strings.HasPrefix(dir, "cmd/") && isTest(own):
		return "commands import no test package"
	case !listed(own, strings.Fields(rule)):
		return "the import table does not allow it; if the table is wrong, change it on record"
	}
	return ""
}

// serializers are packages for jobs that choose them, with what each alone may import of others.
var serializers = map[string]string{"state/avro": "github.com/twmb/avro", "state/protobuf": "google.golang.org/protobuf/proto"}

// TestSerializersAreApart: nobody is linked with a serializer who has not chosen it.
func TestSerializersAreApart(t *testing.T) {
	all := ourPackages(t)
	for dir, needs := range serializers {
		if all[dir] == nil || !below(needs, all[dir].Imports) {
			t.Errorf("%s does not import %s: the case is blind", dir, needs)
		}
		for other, pkg := range all {
			if below("weir/"+dir, pkg.Imports) {
				t.Errorf("%s imports %s, and with it everybody who imports that", other, dir)
			}
			if other != dir && below(needs, pkg.Imports) {
				t.Errorf("%s imports %s, which is for %s", other, needs, dir)
			}
		}
	}
}

// below tells that a module, or package, or something below it is imported.
func below(path string, imports []string) bool {
	for _, imp := range imports {
		if imp == path || strings.HasPrefix(imp, path+"/") {
			return true
		}
	}
	return false
}

func TestImportRulesFire(t *testing.T) {
	for _, c := range []struct{ dir, rule, imp string }{
		{"dataflow", "state", "weir/sim"},
		{"dataflow", "state", "testing"},
		{"dataflow", "state", pebble},
		{"check", "state", pebbleVFS},
		{"state/storage", "state", pebble + "/sstable"},
		{"cmd/sim", "*", pebble},
		{"cmd/sim", "", "weir/scenario/simtest"},
	} {
		if judge(c.dir, c.rule, c.imp) == "" {
			t.Errorf("%s importing %s passes", c.dir, c.imp)
		}
	}
}

func listed(pkg string, list []string) bool {
	for _, p := range list {
		if base, ok := strings.CutSuffix(p, "/..."); p == pkg || ok && strings.HasPrefix(pkg, base+"/") {
			return true
		}
	}
	return false
}

func ruleFor(dir string) (string, bool) {
	for _, r := range imports {
		if listed(dir, []string{r.pkg}) {
			return r.may, true
		}
	}
	return "", false
}

// isModule tells a directory that is a module of its own.
func isModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

// ourPackages returns our packages with non-test Go files, by directory.
func ourPackages(t *testing.T) map[string]*build.Package {
	t.Helper()
	out := map[string]*build.Package{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "tools" || isModule(path)) {
			return fs.SkipDir
		}
		cwd, err := os.Getwd()
		if err != nil {
			return err
		}
		p, err := build.ImportDir(filepath.Join(cwd, path), 0)
		if err == nil && len(p.GoFiles) > 0 && path != "." {
			sort.Strings(p.Imports)
			out[filepath.ToSlash(path)] = p
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("found %d packages only", len(out))
	}
	return out
}
