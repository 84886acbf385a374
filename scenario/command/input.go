package command

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func newInput(p *program) *cobra.Command {
	c := choice{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "input",
		Short: "Print the input records of a workload in canonical form; the SHA-256 goes to stderr",
		Example: `  go run ./cmd/sim input --workload nexmark-q5 --events 1000 | sha256sum
  go run ./cmd/sim input --workload keyedcount --set keys=10 --events 5`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := c.makeWorkload(c.workload, false)
			if err != nil {
				return err
			}
			return hashed(cmd, w.InputLines)
		},
	})
	c.workloadFlags(cmd.Flags(), "nexmark-q5")
	return cmd
}

func newAnswer(p *program) *cobra.Command {
	c := choice{known: p}
	cmd := quiet(&cobra.Command{
		Use:   "answer",
		Short: "Print the reference answer of a workload in canonical form; the SHA-256 goes to stderr",
		Example: `  go run ./cmd/sim answer --workload nexmark-q5 --events 1000 | sha256sum
  go run ./cmd/sim answer --workload nexmark-q8 --set numEvents=2500 --set firstEventId=5000`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w, err := c.makeWorkload(c.workload, false)
			if err != nil {
				return err
			}
			rows, err := w.Reference()
			if err != nil {
				return err
			}
			return hashed(cmd, func(out io.Writer) error {
				for _, r := range rows {
					if _, err := fmt.Fprintf(out, "%s\n", r); err != nil {
						return err
					}
				}
				return nil
			})
		},
	})
	c.workloadFlags(cmd.Flags(), "nexmark-q5")
	return cmd
}

// hashed writes to stdout and says the SHA-256 of it on stderr.
func hashed(cmd *cobra.Command, write func(io.Writer) error) error {
	h := sha256.New()
	out := bufio.NewWriter(cmd.OutOrStdout())
	if err := write(io.MultiWriter(out, h)); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	cmd.PrintErrln("SHA-256", hex.EncodeToString(h.Sum(nil)))
	return nil
}
