package command

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"weir/scenario"
	"weir/scenario/counterexample"
)

// pinDir is where pins are; go test replays what is there.
var pinDir = filepath.Join("sim", "testdata", "found")

// mostPinned is how many decisions a pin may have: more tell a reader nothing.
const mostPinned = 500

type pinFlags struct {
	known *program
	dir   string
}

func newPin(p *program) *cobra.Command {
	f := pinFlags{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "pin FILE",
		Short: "Keep a shrunk counterexample for go test to replay",
		Long: `Keep a shrunk counterexample for go test to replay. One that a mutant makes must go on
failing with it, and be fine without; any other must be fine once it is mended, and fails the
tests until then. What is expected stands in the pin.`,
		Example: `  go run ./cmd/sim shrink found.weir && go run ./cmd/sim pin found.small.weir
  go run ./cmd/sim pin found.small.weir --dir ../mine/testdata/found
  go test ./scenario/command -run TestFound`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	})
	cmd.Args = oneFile
	cmd.Flags().StringVar(&f.dir, "dir", pinDir, "`directory` of the pins")
	return cmd
}

func (f *pinFlags) run(cmd *cobra.Command, name string) error {
	file, _, err := f.known.open(name)
	if err != nil {
		return err
	}
	switch {
	case file.Verdict == scenario.Fine.String():
		return fmt.Errorf("%w: %s shows no failure", errUsage, name)
	case len(file.Decisions) > mostPinned:
		return fmt.Errorf("%w: %s has %d decisions; make it smaller first: %s shrink %s", errUsage, name, len(file.Decisions), f.known.call, name)
	}
	pin, failing, err := f.known.pinOf(file)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	to := filepath.Join(f.dir, pin.Signature().String()+extension)
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(fmt.Errorf("%s is there: failures of this signature are pinned already; remove it to pin this one instead", to), err)
	}
	if err := os.MkdirAll(f.dir, 0o755); err != nil {
		return err
	}
	if err := write(to, pin.AppendText(nil)); err != nil {
		return fmt.Errorf("the pin was not written: %w", err)
	}
	cmd.Printf("%s\n  expected: %s\n", to, pin.Expect)
	if failing != "" {
		cmd.PrintErrf("go test fails until it is mended: %s\n", failing)
	}
	return nil
}

// pinOf makes a pin of a file: of one with a mutant as it fails now. failing says
// how one that is to be mended still fails.
func (p *program) pinOf(file *counterexample.File) (pin *counterexample.File, failing string, err error) {
	pin = new(counterexample.File)
	*pin = *file
	if pin.Expect = counterexample.StaysMended; file.Mutant == "" {
		failing, err = p.judgePin(pin)
		return pin, failing, err
	}
	now := p.try(file, false, nil)
	if now == nil || now.Signature() != file.Signature() {
		return nil, "", fmt.Errorf("it does not show %s with this build any more; replay says what changed", &file.Showing)
	}
	if !p.fineWithout(file) {
		return nil, "", fmt.Errorf("it fails without %s too: remove its line \"mutant\", and pin that", file.Mutant)
	}
	stamp(now)
	now.Expect = counterexample.StaysFailing
	return now, "", nil
}

// judgePin replays a pin and says how it is not what is expected, "" if it is; the
// error, that it can no longer be run or tries nothing, and what changed.
func (p *program) judgePin(pin *counterexample.File) (wrong string, err error) {
	cfg, err := p.config(pin)
	if err != nil {
		return "", err
	}
	cfg.Record = true
	r, err := scenario.New(cfg)
	if err != nil {
		return "", err
	}
	defer r.Close()
	o := r.Replay(pin.Seed, pin.Drawn())
	if o.Report == nil {
		return "", o.Err
	}
	var now counterexample.File
	stamp(&now)
	result, changed := pin.Compare(o, &now)
	said := strings.Join(changed, "\n  ")
	switch {
	case pin.Expect == counterexample.StaysFailing && !p.fineWithout(pin):
		return fmt.Sprintf("it fails without %s too: its line \"mutant\" is wrong, and the failure another", pin.Mutant), nil
	case pin.Expect == counterexample.StaysFailing && (result > counterexample.Shown || counterexample.SignatureOf(o) != pin.Signature()):
		return fmt.Sprintf("%s, and must be seen with %s; what changed:\n  %s", result, pin.Mutant, said), nil
	case pin.Expect == counterexample.StaysMended && o.Kind != scenario.Fine:
		is := counterexample.ShowingOf(o)
		return fmt.Sprintf("%s: %s; it must be fine", &is, is.Violation), nil
	case pin.Expect == counterexample.StaysMended && len(pin.Plan.Faults) > 0 && !o.Struck():
		return "", fmt.Errorf("none of its faults strikes any more, so that nothing is tried; what changed:\n  %s", said)
	}
	return "", nil
}

// fineWithout tells whether the run of a file is fine without its mutant.
func (p *program) fineWithout(file *counterexample.File) bool {
	twin := *file
	twin.Mutant = ""
	is := p.try(&twin, false, nil)
	return is != nil && is.Verdict == scenario.Fine.String()
}
