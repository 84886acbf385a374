package main

import (
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"weir/scenario/inspect"
	"weir/state"
)

// gotEntry is one entry under the key that was asked for.
type gotEntry struct {
	Key   string `json:"key"`
	Group uint16 `json:"group"`
	Value string `json:"value"` // decoded where the codec is known
	Field string `json:"field_hex,omitempty"`
	Bytes string `json:"value_hex"`
}

func newGet() *cobra.Command {
	var f common
	var operator, name, key string
	cmd := f.reads(&cobra.Command{
		Use:   "get PATH",
		Short: "Print what a state has under a key",
		Long: `Print what a state has under a key. The key is text, a number (eight bytes,
little-endian, or its digits as text), or 0x and hexadecimal digits. Values are
decoded where the codec is uint64, int64 or string, and hexadecimal elsewhere.`,
		Example: `  go run ./cmd/state get jobdir --operator count --state counts --key 3
  go run ./cmd/state get saved --operator count --state counts --key 0x0300000000000000 --json`,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, x := range [][2]string{{"operator", operator}, {"state", name}} {
				if x[1] == "" {
					return fmt.Errorf("%w: get needs --%s; show lists them", errUsage, x[0])
				}
			}
			if !cmd.Flags().Changed("key") {
				return fmt.Errorf("%w: get needs --key", errUsage)
			}
			keys, err := inspect.Keys(key)
			if err != nil {
				return fmt.Errorf("%w: %w", errUsage, err)
			}
			return f.open(args, func(s []*inspect.Snapshot) error { return f.get(cmd, s[0], operator, name, key, keys) })
		},
	})
	cmd.Flags().StringVar(&operator, "operator", "", "`name` of the operator")
	cmd.Flags().StringVar(&name, "state", "", "`name` of the state or timers")
	cmd.Flags().StringVar(&key, "key", "", "the `key`: text, a number, or 0x and hexadecimal digits")
	return cmd
}

func (f *common) get(cmd *cobra.Command, s *inspect.Snapshot, operator, name, key string, keys [][]byte) error {
	o, err := s.Operator(operator)
	if err != nil {
		return err
	}
	var got []gotEntry
	err = o.Lookup(name, keys, func(d state.Descriptor, e state.KeyedEntry) {
		got = append(got, gotEntry{inspect.KeyText(e.Key), e.Group, inspect.Text(d, &e), hex.EncodeToString(e.Field), hex.EncodeToString(e.Value)})
	})
	if err != nil {
		return err
	}
	if f.json {
		err = lines(cmd, got, struct {
			Summary bool `json:"summary"`
			Found   int  `json:"found"`
		}{true, len(got)})
	} else {
		for i := range got {
			cmd.Println(got[i].Value)
		}
	}
	if err == nil && len(got) == 0 {
		return fmt.Errorf("state %q of operator %q has nothing under key %q", name, operator, key)
	}
	return err
}
