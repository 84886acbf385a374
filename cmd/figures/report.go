package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"weir/internal/paper/report"
	"weir/results"
)

func newReport() *cobra.Command {
	var output string
	command := &cobra.Command{
		Use:   "report DIR...",
		Short: "Write the HTML report of campaigns",
		Long: `Write one self-contained HTML file per campaign, report.html in its directory
unless --output says otherwise. Nothing in it is loaded from anywhere.`,
		Example: `  go run ./cmd/figures report results/ID
  go run ./cmd/figures report results/ID --output /tmp/report.html
  go run ./cmd/figures report results/ID --output -      # to standard output`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%w: report needs the directory of a campaign", errUsage)
			}
			if len(args) > 1 && output != "" {
				return fmt.Errorf("%w: --output takes one campaign, got %d", errUsage, len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, dirs []string) error {
			for _, dir := range dirs {
				if err := writeReport(cmd, dir, output); err != nil {
					return err
				}
			}
			return nil
		},
	}
	command.Flags().StringVarP(&output, "output", "o", "", "file to write, - for standard output (default DIR/report.html)")
	return command
}

func writeReport(cmd *cobra.Command, dir, output string) error {
	r, err := results.Read(dir)
	if err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.Write(&page, r); err != nil {
		return err
	}
	switch output {
	case "-":
		_, err := cmd.OutOrStdout().Write(page.Bytes())
		return err
	case "":
		output = filepath.Join(dir, "report.html")
	}
	if err := os.WriteFile(output, page.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	cmd.PrintErrf("%s written\n", output)
	return nil
}
