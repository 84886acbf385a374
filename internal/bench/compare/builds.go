package compare

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Build is a revision, or a work tree as it is.
type Build struct {
	Name     string // as given
	Revision string // the full hash of the commit
	// Dirty: the tree has changes that are not in the commit; they are measured.
	Dirty bool
	dir   string // where its files are
}

// String names the build for people.
func (b *Build) String() string {
	s := b.Name + " (" + b.Revision[:min(12, len(b.Revision))]
	if b.Dirty {
		s += ", dirty: with its uncommitted changes"
	}
	return s + ")"
}

// UnknownError is the error of a name that stands for nothing that could be compared:
// no build, no benchmark, no cell.
type UnknownError struct{ reason error }

func (u *UnknownError) Error() string { return u.reason.Error() }

// Unwrap returns why.
func (u *UnknownError) Unwrap() error { return u.reason }

func unknown(format string, args ...any) error { return &UnknownError{fmt.Errorf(format, args...)} }

// Builds are the two builds of a comparison, with work trees and binaries in a
// temporary directory of their own. One goroutine uses them.
type Builds struct {
	Builds [2]*Build // by arm
	// Processors is GOMAXPROCS of both arms.
	Processors int

	repo, dir string
	trees     []string          // work trees to remove
	binaries  map[string]string // what was built, by arm and package
	env       []string
	aimed     time.Duration // what the loop of a repetition is to take
}

// Open finds out what both names mean to git in the repository that dir is in,
// and makes a work tree for each that is not one. A name that begins with a dot
// or a slash is a directory: a work tree of the same repository, or of another,
// which is measured as it is. Close must be called, also after an error of
// anything else.
func Open(ctx context.Context, dir string, names [2]string) (*Builds, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, fmt.Errorf("git is needed to make work trees of revisions: %w", err)
	}
	tmp, err := os.MkdirTemp("", "weir-compare-")
	if err != nil {
		return nil, fmt.Errorf("temporary directory: %w", err)
	}
	b := &Builds{dir: tmp, repo: dir, binaries: map[string]string{}, aimed: 500 * time.Millisecond, Processors: runtime.GOMAXPROCS(0)}
	data := filepath.Join(tmp, "data") // of the programs: removed with the rest
	b.env = []string{"GOMAXPROCS=" + strconv.Itoa(b.Processors), "TMPDIR=" + data}
	err = os.Mkdir(data, 0o700)
	for arm, name := range names {
		if err == nil {
			b.Builds[arm], err = b.open(ctx, Arm(arm), name)
		}
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Builds) open(ctx context.Context, arm Arm, name string) (*Build, error) {
	if strings.HasPrefix(name, ".") || filepath.IsAbs(name) {
		return openTree(ctx, name)
	}
	revision, err := git(ctx, b.repo, "rev-parse", "--verify", "--quiet", "--end-of-options", name+"^{commit}")
	if err != nil {
		return nil, b.unknown(ctx, name, err)
	}
	tree := filepath.Join(b.dir, "tree-"+arm.String())
	b.trees = append(b.trees, tree)
	if _, err := git(ctx, b.repo, "worktree", "add", "--detach", "--quiet", tree, revision); err != nil {
		return nil, fmt.Errorf("work tree of %s: %w", name, err)
	}
	return &Build{Name: name, Revision: revision, dir: tree}, nil
}

// unknown says why a name is no commit.
func (b *Builds) unknown(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return err
	}
	shallow, noRepo := git(ctx, b.repo, "rev-parse", "--is-shallow-repository")
	switch {
	case noRepo != nil:
		return fmt.Errorf("revisions are looked up with git, here: %w", noRepo)
	case shallow == "true":
		return unknown("build %q: no commit of that name in this clone, which is shallow; git fetch --unshallow brings the others", name)
	default:
		return unknown("build %q: git knows no commit of that name; a work tree is named by a path that begins with . or /", name)
	}
}

func openTree(ctx context.Context, name string) (*Build, error) {
	top, err := git(ctx, name, "rev-parse", "--show-toplevel")
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, unknown("build %q is no work tree of git: %w", name, err)
	}
	revision, err := git(ctx, top, "rev-parse", "HEAD")
	if err != nil {
		return nil, unknown("build %q has no commit: %w", name, err)
	}
	changes, err := git(ctx, top, "status", "--porcelain")
	if err != nil {
		return nil, fmt.Errorf("build %q: %w", name, err)
	}
	return &Build{Name: name, Revision: revision, Dirty: changes != "", dir: top}, nil
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	f, err := run(ctx, dir, nil, append([]string{"git"}, args...)...)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(f.stdout), nil
}

// Close removes the work trees and everything else that was made.
func (b *Builds) Close() error {
	var errs []error
	for _, tree := range b.trees {
		if _, err := os.Stat(tree); err != nil {
			continue // git did not come to make it
		}
		if _, err := git(context.Background(), b.repo, "worktree", "remove", "--force", tree); err != nil {
			errs = append(errs, err)
		}
	}
	b.trees = nil
	return errors.Join(append(errs, os.RemoveAll(b.dir))...)
}

// binary builds, once, what `go WORDS -o FILE PACKAGE` makes in an arm's tree.
func (b *Builds) binary(ctx context.Context, arm Arm, pkg string, words ...string) (string, error) {
	key := strings.Join(append([]string{arm.String(), pkg}, words...), " ")
	if path, ok := b.binaries[key]; ok {
		return path, nil
	}
	path := filepath.Join(b.dir, fmt.Sprintf("binary-%d", len(b.binaries)))
	argv := append(append([]string{"go"}, words...), "-o", path, "./"+pkg)
	if _, err := run(ctx, b.Builds[arm].dir, nil, argv...); err != nil {
		return "", fmt.Errorf("build %s of %s: %w", arm, b.Builds[arm], err)
	}
	b.binaries[key] = path
	return path, nil
}
