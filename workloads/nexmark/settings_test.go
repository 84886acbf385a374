package nexmark

import (
	"slices"
	"strings"
	"testing"
)

func TestSet(t *testing.T) {
	s := Defaults()
	for _, pair := range [][2]string{
		{"numEvents", "2500"}, {"firstEventId", "5000"}, {"rateShape", "SQUARE"}, {"windowPeriodSec", "2"},
	} {
		if err := s.Set(pair[0], pair[1]); err != nil {
			t.Error(err)
		}
	}
	want := []string{"firstEventId=5000", "numEvents=2500", "windowPeriodSec=2", "rateShape=SQUARE"}
	if got := s.Changes(); !slices.Equal(got, want) {
		t.Errorf("changes are %q, want %q", got, want)
	}

	again := Defaults()
	for _, change := range s.Changes() {
		name, value, _ := strings.Cut(change, "=")
		if err := again.Set(name, value); err != nil {
			t.Error(err)
		}
	}
	if again != s {
		t.Errorf("changes do not lead back: %+v, want %+v", again, s)
	}
}

func TestSetErrors(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"numevents", "1", "known are baseTime, firstEventId,"},
		{"", "1", "known are"},
		{"numEvents", "many", `numEvents: "many" is not a whole number`},
		{"numEvents", "1.5", "not a whole number"},
		{"numEvents", "", "not a whole number"},
		{"numEvents", "99999999999999999999", "not a whole number"},
		{"numEvents", "-1", "numEvents: -1 is not in 0.."},
		{"hotAuctionRatio", "0", "hotAuctionRatio: 0 is not in 1.."},
		{"firstEventRate", "2000001", "not in 1..2000000"},
		{"rateShape", "sine", `"sine" is neither SINE nor SQUARE`},
	} {
		s := Defaults()
		err := s.Set(c.name, c.value)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Set(%q, %q): %v, want it to say %q", c.name, c.value, err, c.want)
		}
		if s != Defaults() {
			t.Errorf("Set(%q, %q) failed and changed the settings", c.name, c.value)
		}
	}
}

func TestSettingNames(t *testing.T) {
	names := SettingNames()
	slices.Sort(names)
	if n := len(slices.Compact(names)); n != 20 {
		t.Errorf("%d names, want 20: %q", n, names)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Settings)
		want string // "" for valid
	}{
		{"defaults", func(*Settings) {}, ""},
		{"fastest", func(s *Settings) {
			s.FirstEventRate, s.NextEventRate, s.NumEventGenerators = maxRate, maxRate, 1
		}, ""},
		{"no shape", func(s *Settings) { s.RateShape = "" }, "rateShape"},
		{"no window", func(s *Settings) { s.WindowSizeSec = 0 }, "windowSizeSec"},
		{"no event in a period", func(s *Settings) {
			s.FirstEventRate, s.NextEventRate, s.RatePeriodSec = 1, 2, 1
		}, "ratePeriodSec=1 is too short"},
		{"too far ahead", func(s *Settings) {
			s.NumEvents, s.FirstEventRate, s.NextEventRate, s.NumEventGenerators = maxCount, 1, 1, maxGenerators
		}, "lies more than"},
	} {
		s := Defaults()
		c.set(&s)
		err := s.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
		if _, generatorErr := NewGenerator(s); (generatorErr == nil) != (err == nil) {
			t.Errorf("%s: NewGenerator says %v, Validate %v", c.name, generatorErr, err)
		}
	}
}
