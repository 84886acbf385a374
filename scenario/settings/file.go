package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"weir/dataflow"
)

// ReadFile reads settings from a file of YAML. An error names the file and the line.
func ReadFile(name string) (dataflow.Given, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	given, err := Read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return given, nil
}

// Read reads settings from YAML: names with their values, either whole (checkpoint.interval: 3ms)
// or one part inside the other. An error names the line.
func Read(text []byte) (dataflow.Given, error) {
	given := dataflow.Given{}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var document, more yaml.Node
	if err := d.Decode(&document); errors.Is(err, io.EOF) {
		return given, nil
	} else if err != nil {
		return nil, err
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, at(&more, errors.New("a second document: settings are one"))
	}
	for _, n := range document.Content {
		if err := collect(given, "", n); err != nil {
			return nil, err
		}
	}
	return given, nil
}

// collect puts what stands below the name into given.
func collect(given dataflow.Given, name string, n *yaml.Node) error {
	switch {
	case n.Kind == yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			inner := strings.TrimPrefix(name+"."+key.Value, ".")
			if err := known(inner); err != nil {
				return at(key, err)
			}
			if err := collect(given, inner, n.Content[i+1]); err != nil {
				return err
			}
		}
		return nil
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null" && !isSetting(name):
		return nil // nothing but comments
	case n.Kind != yaml.ScalarNode || name == "":
		return at(n, errors.New("want names with their values, for example checkpoint.interval: 3ms"))
	case given.Has(name):
		return at(n, fmt.Errorf("setting %s stands twice", name))
	}
	if err := given.Put(name, n.Value); err != nil {
		return at(n, err)
	}
	return nil
}

// known returns an error for what is neither a setting nor the beginning of one.
func known(name string) error {
	for _, s := range dataflow.SettingNames() {
		if s == name || strings.HasPrefix(s, name+".") {
			return nil
		}
	}
	_, err := dataflow.LookupSetting(name)
	return err
}

func isSetting(name string) bool {
	_, err := dataflow.LookupSetting(name)
	return err == nil
}

func at(n *yaml.Node, err error) error { return fmt.Errorf("line %d: %w", n.Line, err) }
