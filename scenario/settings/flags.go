package settings

import (
	"fmt"
	"maps"

	"github.com/spf13/pflag"

	"weir/dataflow"
)

// Flags are the flags of all settings, and --config for a file that has some of them.
type Flags struct {
	given dataflow.Given // by flags
	file  string
}

// Register adds the flags. otherwise says what a setting is that nobody gives; "": its default.
func (f *Flags) Register(to *pflag.FlagSet, otherwise string) {
	f.given = dataflow.Given{}
	c := dataflow.DefaultConfig()
	for _, s := range dataflow.Settings() {
		text := otherwise
		if text == "" {
			text = s.Text(&c)
		}
		flag := to.VarPF(&value{s, f.given}, s.Flag, "", fmt.Sprintf("%s; if not given %s", s.Does, text))
		if s.Type() == "bool" {
			flag.NoOptDefVal = "true"
		}
	}
	to.StringVar(&f.file, "config", "", "`file` of settings in YAML, as docs/configuration.md has them; flags have the last word")
}

// Given returns what the file and the flags give.
func (f *Flags) Given() (dataflow.Given, error) {
	given := dataflow.Given{}
	if f.file != "" {
		var err error
		if given, err = ReadFile(f.file); err != nil {
			return nil, err
		}
	}
	maps.Copy(given, f.given)
	return given, nil
}

// value is one flag.
type value struct {
	s     dataflow.Setting
	given dataflow.Given
}

// Set takes the text of a flag.
func (v *value) Set(text string) error { return v.given.Put(v.s.Name, text) }

func (v *value) String() string { return v.given[v.s.Name] }

// Type is what the help calls it.
func (v *value) Type() string { return v.s.Type() }
