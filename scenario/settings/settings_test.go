package settings_test

import (
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"weir/dataflow"
	"weir/scenario/settings"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

// TestDocument: docs/configuration.md is what the table makes of it.
func TestDocument(t *testing.T) {
	name := filepath.Join("..", "..", "docs", "configuration.md")
	want := settings.Document()
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("go test ./scenario/settings -update mends it:\n%s", diff)
	}
	for _, s := range dataflow.Settings() {
		if n := strings.Count(want, "| `"+s.Name+"` |"); n != 1 {
			t.Errorf("%s stands in it %d times", s.Name, n)
		}
	}
}

// TestRead: names stand whole or one part inside the other.
func TestRead(t *testing.T) {
	for text, want := range map[string]dataflow.Given{
		"":              {},
		"# nothing\n":   {},
		"checkpoint:\n": {},
		"checkpoint:\n  interval: 500ms\n  retain: 2\nrestart.strategy: fixed-delay\nrestart:\n  fixed-delay:\n    attempts: 7\n  fixed-delay.delay: 1500us\n": {
			"checkpoint.interval": "500ms", "checkpoint.retain": "2", "restart.strategy": "fixed-delay", "restart.fixed-delay.attempts": "7", "restart.fixed-delay.delay": "1.5ms",
		},
		"checkpoint: {on-cancel: delete, after-finished: false, tolerated: -1}\nrestart.exponential-delay.backoff-multiplier: 1.25": {
			"checkpoint.on-cancel": "delete", "checkpoint.after-finished": "false", "checkpoint.tolerated": "-1", "restart.exponential-delay.backoff-multiplier": "1.25",
		},
	} {
		got, err := settings.Read([]byte(text))
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
}

// TestReadRefuses: what cannot be is an error with its line.
func TestReadRefuses(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"checkpoint:\n  intervall: 3ms\n", []string{"line 2", `unknown setting "checkpoint.intervall"`, "checkpoint.interval, "}},
		{"\nspeed: 3\n", []string{"line 2", `unknown setting "speed"`}},
		{"checkpoint.interval: 3\n", []string{"line 1", "checkpoint.interval", `"3" is no duration`, "for example 3ms"}},
		{"checkpoint.retain: two\n", []string{"line 1", `"two" is no number from 1 up`}},
		{"checkpoint.on-cancel: keep\n", []string{"retain, delete"}},
		{"restart:\n  strategy: never\n", []string{"line 2", "none, progress, fixed-delay, exponential-delay, failure-rate"}},
		{"restart.exponential-delay.backoff-multiplier: 0.5\n", []string{"no decimal from 1 up"}},
		{"restart.exponential-delay.jitter-factor: 0.125\n", []string{"two digits"}},
		{"checkpoint.retain: 2\ncheckpoint:\n  retain: 3\n", []string{"line 3", "checkpoint.retain stands twice"}},
		{"checkpoint:\n  retain: 2\n  retain: 3\n", []string{"line 3"}},
		{"checkpoint: 3ms\n", []string{"line 1", `unknown setting "checkpoint"`}},
		{"checkpoint.retain: [2]\n", []string{"line 1", "want names with their values"}},
		{"- checkpoint.retain\n", []string{"line 1", "want names with their values"}},
		{"3ms\n", []string{"line 1", "want names with their values"}},
		{"checkpoint.retain: 2\n---\ncheckpoint.retain: 3\n", []string{"line 2", "a second document"}},
		{"checkpoint.retain: &a 2\ncheckpoint.concurrent: *a\n", []string{"line 2"}},
		{"checkpoint: {retain: 2\n", []string{"line"}},
	} {
		_, err := settings.Read([]byte(c.text))
		if err == nil {
			t.Errorf("%q is taken", c.text)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v; want it to say %q", c.text, err, w)
			}
		}
	}
}

// TestFlagsOverrideTheFile: and both are read by the same table.
func TestFlagsOverrideTheFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(name, []byte("checkpoint:\n  retain: 2\n  interval: 7ms\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	given := func(args ...string) (dataflow.Given, error) {
		var f settings.Flags
		fs := pflag.NewFlagSet("run", pflag.ContinueOnError)
		f.Register(fs, "drawn")
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		return f.Given()
	}
	got, err := given("--config", name, "--retain", "3", "--fallback", "--after-finished=false")
	want := dataflow.Given{"checkpoint.retain": "3", "checkpoint.interval": "7ms", "checkpoint.fallback": "true", "checkpoint.after-finished": "false"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if got, err := given(); err != nil || len(got) > 0 {
		t.Errorf("without flags %v, %v", got, err)
	}
	for _, args := range [][]string{
		{"--checkpoint-timeout", "0"}, {"--checkpoint-timeout", "20"}, {"--min-pause", "-1ms"}, {"--tolerated", "-2"}, {"--retain", "0"}, {"--concurrent", "0"}, {"--fallback=perhaps"},
		{"--on-cancel", "keep"}, {"--restart-strategy", "always"}, {"--interval", "0s"}, {"--config", name + ".not"},
	} {
		if g, err := given(args...); err == nil {
			t.Errorf("%v is taken as %v", args, g)
		}
	}
}

// TestRoundTrip: what is printed of a setting is what flags and files take, and flags and names
// are one to one.
func TestRoundTrip(t *testing.T) {
	c := dataflow.DefaultConfig()
	seen := map[string]bool{}
	effective := settings.Effective(&c)
	for _, s := range dataflow.Settings() {
		if seen[s.Name] || seen[s.Flag] || s.Does == "" || strings.HasSuffix(s.Does, ".") {
			t.Errorf("%s, --%s: %q", s.Name, s.Flag, s.Does)
		}
		seen[s.Name], seen[s.Flag] = true, true
		again := dataflow.DefaultConfig()
		if err := s.Set(&again, s.Text(&c)); err != nil || again != c {
			t.Errorf("%s: %s is read as %s, %v", s.Name, s.Text(&c), s.Text(&again), err)
		}
		if effective[s.Name] == nil || !strings.Contains(settings.Line(&c), s.Name+"="+s.Text(&c)) {
			t.Errorf("%s is not printed", s.Name)
		}
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}
