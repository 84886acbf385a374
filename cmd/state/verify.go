package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"weir/scenario/inspect"
)

// shownDamage is an object that is damaged, or what is lost for it.
type shownDamage struct {
	Object   string `json:"object,omitempty"`
	Operator string `json:"operator,omitempty"`
	Instance *int   `json:"instance,omitempty"`
	State    string `json:"state,omitempty"`
	Groups   string `json:"key_groups,omitempty"`
	Why      string `json:"why"`
}

func newVerify() *cobra.Command {
	var f common
	return f.reads(&cobra.Command{
		Use:   "verify PATH",
		Short: "Read everything and check all checksums; exit status 1 if something is damaged",
		Long: `Read everything and check all checksums. Of what is damaged it says which objects,
and which states and key groups are lost with them; convert --allow-damaged saves
the others.`,
		Example: `  go run ./cmd/state verify jobdir
  go run ./cmd/state verify saved --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.open(args, func(s []*inspect.Snapshot) error { return f.printReport(cmd, args[0], inspect.Verify(s[0])) })
		},
	})
}

func (f *common) printReport(cmd *cobra.Command, path string, r *inspect.Report) error {
	var err error
	if f.json {
		var all []shownDamage
		for _, d := range r.Damaged {
			all = append(all, shownDamage{Object: d.Object, Why: d.Err.Error()})
		}
		for i := range r.Losses {
			all = append(all, shownLoss(&r.Losses[i]))
		}
		err = lines(cmd, all, struct {
			Summary bool  `json:"summary"`
			Sound   bool  `json:"sound"`
			Objects int   `json:"objects"`
			Bytes   int64 `json:"bytes"`
			Entries int   `json:"entries"`
			Damaged int   `json:"damaged"`
			Losses  int   `json:"losses"`
		}{true, r.Sound(), r.Objects, r.Bytes, r.Entries, len(r.Damaged), len(r.Losses)})
	} else {
		for _, d := range r.Damaged {
			cmd.Printf("damaged: %s: %v\n", d.Object, d.Err)
		}
		for i := range r.Losses {
			cmd.Printf("lost: %s\n", lossText(&r.Losses[i]))
		}
		cmd.Printf("%d objects with %d bytes read, %d of them damaged; %d entries can be read\n", r.Objects, r.Bytes, len(r.Damaged), r.Entries)
	}
	if err == nil && !r.Sound() {
		err = fmt.Errorf("%s is damaged", path)
	}
	return err
}

func shownLoss(l *inspect.Loss) shownDamage {
	return shownDamage{Object: l.Object, Operator: l.Operator, Instance: &l.Instance, State: l.State, Groups: l.Groups.String(), Why: l.Err.Error()}
}

// lossText says what is lost, and with which object.
func lossText(l *inspect.Loss) string {
	what, groups := "all states", "all key groups"
	if l.State != "" {
		what = fmt.Sprintf("state %q", l.State)
	}
	if len(l.Groups) > 0 {
		groups = "key groups " + l.Groups.String()
	}
	text := fmt.Sprintf("%s of %s[%d], %s", what, l.Operator, l.Instance, groups)
	if l.Object == "" {
		return fmt.Sprintf("%s: %v", text, l.Err)
	}
	return fmt.Sprintf("%s: %s", text, l.Object)
}
