package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"weir/scenario"
	"weir/scenario/counterexample"
)

// standing is what the pins say about a kind of failure.
type standing string

// The standings, what asks for work first.
const (
	isNew   standing = "new"   // no pin has it
	isBack  standing = "back"  // it is pinned as mended, and here it is
	isKnown standing = "known" // it is pinned as made by a mutant
	isGone  standing = "gone"  // it is pinned, and not here
)

var standings = []standing{isNew, isBack, isKnown, isGone}

// group is the files of one signature.
type group struct {
	Standing  standing `json:"standing"`
	Signature string   `json:"signature"`
	Broken    string   `json:"broken"`
	Where     string   `json:"where"`
	Combined  string   `json:"combination"`
	Files     []string `json:"files,omitempty"`
	Pin       string   `json:"pin,omitempty"`

	failure string // in words
	expect  counterexample.Expectation
}

type triageFlags struct {
	known *program
	pins  string
	json  bool
}

func newTriage(p *program) *cobra.Command {
	f := triageFlags{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "triage DIR",
		Short: "Group the failures of a directory by signature: new, back, known, gone",
		Long: `Group the counterexamples below a directory by their signature, and hold them against
the pins. new: no pin has the signature. back: it is pinned as mended. known: it is pinned as made
by a mutant. gone: it is pinned, and the directory has none of it. Nothing is run.`,
		Example: `  go run ./cmd/sim sweep --mutant no-fence --seeds 1-500 --save found
  go run ./cmd/sim triage found
  go run ./cmd/sim triage found --pins ../mine/testdata/found --json`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	})
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("%w: %s takes one directory, as sweep --save fills it; %d were given", errUsage, cmd.Name(), len(args))
		}
		return nil
	}
	cmd.Flags().StringVar(&f.pins, "pins", pinDir, "`directory` of the pins; one that is not there has none")
	cmd.Flags().BoolVar(&f.json, "json", false, "one JSON object per group on stdout, the last line the summary")
	return cmd
}

func (f *triageFlags) run(cmd *cobra.Command, dir string) error {
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	found, unread := counterexamples(dir)
	pins, bad := counterexamples(f.pins)
	groups := triage(found, pins)
	if err := f.print(cmd, groups); err != nil {
		return err
	}
	if err := errors.Join(append(unread, bad...)...); err != nil {
		return fmt.Errorf("%w: files that cannot be read are in no group:\n%w", errUsage, err)
	}
	return nil
}

// triage groups what was found, and what is pinned besides.
func triage(found, pins map[string]*counterexample.File) []*group {
	by := map[counterexample.Signature]*group{}
	of := func(f *counterexample.File) *group {
		s := f.Signature()
		if by[s] == nil {
			by[s] = &group{Signature: s.String(), Broken: s.Broken, Where: s.Where, Combined: s.Combination(), failure: s.Failure()}
		}
		return by[s]
	}
	for name, f := range pins {
		g := of(f)
		g.Pin, g.expect = name, f.Expect
	}
	for name, f := range found {
		if f.Verdict != scenario.Fine.String() {
			g := of(f)
			g.Files = append(g.Files, name)
		}
	}
	var all []*group
	for _, g := range by {
		slices.Sort(g.Files)
		g.stand()
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(slices.Index(standings, a.Standing), slices.Index(standings, b.Standing)), -cmp.Compare(len(a.Files), len(b.Files)), cmp.Compare(a.Signature, b.Signature))
	})
	return all
}

func (g *group) stand() {
	switch {
	case g.Pin == "":
		g.Standing = isNew
	case len(g.Files) == 0:
		g.Standing = isGone
	case g.expect == counterexample.StaysMended:
		g.Standing = isBack
	default:
		g.Standing = isKnown
	}
}

// counterexamples reads all files of counterexamples below a directory, by name;
// none if it is not there. What is wrong with one comes with line and column.
func counterexamples(dir string) (files map[string]*counterexample.File, unread []error) {
	files = map[string]*counterexample.File{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != extension {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if files[name], err = counterexample.Parse(string(text)); err != nil {
			delete(files, name)
			unread = append(unread, fmt.Errorf("%s: %w", name, err))
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		unread = append(unread, err)
	}
	return files, unread
}

func (f *triageFlags) print(cmd *cobra.Command, groups []*group) error {
	count := map[standing]int{}
	files := 0
	for _, g := range groups {
		count[g.Standing]++
		files += len(g.Files)
	}
	if !f.json {
		return printGroups(cmd.OutOrStdout(), groups, count, files)
	}
	enc := json.NewEncoder(cmd.OutOrStdout())
	for _, g := range groups {
		if err := enc.Encode(g); err != nil {
			return err
		}
	}
	return enc.Encode(map[string]any{"groups": len(groups), "files": files, "new": count[isNew], "back": count[isBack], "known": count[isKnown], "gone": count[isGone]})
}

func printGroups(w io.Writer, groups []*group, count map[standing]int, files int) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprint(tw, "STANDS\tFILES\tWHAT\tIN\tSEE\n")
	for _, g := range groups {
		see := g.Pin
		if len(g.Files) > 0 {
			see = g.Files[0]
		}
		_, _ = fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\n", g.Standing, len(g.Files), g.failure, g.Combined, see)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d files: %d kinds are new, %d back, %d known, %d gone\n", files, count[isNew], count[isBack], count[isKnown], count[isGone])
	return err
}
