package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"weir/internal/bench/machine"
)

func newDisk() *cobra.Command {
	var lines bool
	command := &cobra.Command{
		Use:   "disk DIR...",
		Short: "Probe a directory: sync latency and bandwidth",
		Long: `Probe the disk under a directory as every run does before it measures: appends
of 4 KiB that are each synced, 64 MiB written and synced, and read back from the
page cache.`,
		Example: `  bench disk .
  bench disk /mnt/a /mnt/b --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fmt.Errorf("%w: disk needs a directory", errUsage)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, dirs []string) error {
			for _, dir := range dirs {
				if err := probe(cmd, dir, lines); err != nil {
					return err
				}
			}
			return nil
		},
	}
	command.Flags().BoolVar(&lines, "json", false, "one JSON object per directory")
	command.SetFlagErrorFunc(usageError)
	return command
}

func probe(cmd *cobra.Command, dir string, lines bool) error {
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("%w: probe: %w; name a directory that is there", errUsage, err)
	} else if !info.IsDir() {
		return fmt.Errorf("%w: probe: %s is a file; name a directory", errUsage, dir)
	}
	d, err := machine.Probe(dir)
	if err != nil {
		return err
	}
	free, err := machine.FreeBytes(dir)
	if err != nil {
		return err
	}
	if lines {
		data, err := json.Marshal(struct {
			Dir  string `json:"dir"`
			Free int64  `json:"free_bytes"`
			Disk any    `json:"disk"`
		}{dir, free, d})
		if err != nil {
			return err
		}
		return writeAll(cmd.OutOrStdout(), append(data, '\n'))
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n  file system    %s (%s), %.1f GB free\n  4 KiB, synced  %.3f ms at the median, %.3f ms at p99\n  write, synced  %.0f MB/s\n  read, cached   %.0f MB/s\n",
		dir, d.FileSystem, d.MountOptions, float64(free)/1e9, d.FsyncP50MS, d.FsyncP99MS, d.WriteBytesPerSecond/1e6, d.ReadBytesPerSecond/1e6)
	return err
}
