package command

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"

	"weir/scenario/counterexample"
)

// stamp says in a file what ran it.
func stamp(f *counterexample.File) {
	f.Revision, f.Build, f.Go = revision(), programDigest(), runtime.Version()
}

// notTold is the revision where a build has none.
const notTold = "unknown: this build does not tell it; go build -buildvcs=true in a clone does, go run and go test do not"

// revision is the version control's, with "+changes" if the tree had any, or that
// of the module, or notTold.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return notTold
	}
	rev, changes := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			rev = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changes = "+changes"
		}
	}
	if rev != "" {
		return rev + changes
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	return notTold
}

// Build tells this program from any other: what it counts belongs together.
func Build() string { return programDigest() }

// programDigest is the SHA-256 of the program, which is the same for the same
// sources, flags and Go; "unknown" if it cannot be read.
var programDigest = sync.OnceValue(func() string {
	name, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	file, err := os.Open(name)
	if err != nil {
		return "unknown"
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "unknown"
	}
	return hex.EncodeToString(h.Sum(nil))
})
