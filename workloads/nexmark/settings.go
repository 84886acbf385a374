package nexmark

import (
	"fmt"
	"strconv"
	"strings"
)

// RateShape is how the rate of events moves between firstEventRate and
// nextEventRate during a period.
type RateShape string

const (
	Sine   RateShape = "SINE"   // ten steps that follow a cosine
	Square RateShape = "SQUARE" // two steps
)

// Settings are the generator's and the queries' parameters, under Beam's names
// with a Go spelling. [Defaults] has Beam's values; the zero Settings is not
// valid. All sizes are bytes.
type Settings struct {
	BaseTime         int64 // time of event number 0, ms since the Unix epoch
	FirstEventID     int64 // added to an event's number gives its id and seed
	FirstEventNumber int64 // number of the first event; numbers decide the times
	NumEvents        int64 // how many events; 0 is none

	// NumEventGenerators stretches the time between events by this factor, as if
	// the stream were one of so many. No other stream is generated.
	NumEventGenerators int64
	FirstEventRate     int64 // events per second over all generators
	NextEventRate      int64 // events per second over all generators
	RateShape          RateShape
	RatePeriodSec      int64

	// OutOfOrderGroupSize is how many consecutive events are shuffled among
	// themselves. A multiple of 953 makes Beam, and this generator, repeat some
	// events of a group and leave out others.
	OutOfOrderGroupSize int64

	NumActivePeople     int64 // how many of the latest people bid and sell
	NumInFlightAuctions int64 // how many of the latest auctions are bid for
	HotAuctionRatio     int64 // 1 in so many bids is not for the hot auction
	HotSellersRatio     int64 // 1 in so many auctions is not by the hot seller
	HotBiddersRatio     int64 // 1 in so many bids is not by the hot bidder

	AvgPersonByteSize  int64
	AvgAuctionByteSize int64
	AvgBidByteSize     int64

	WindowSizeSec   int64 // window of q5 and q8
	WindowPeriodSec int64 // time between the starts of q5's windows
}

// Defaults returns Beam's settings.
func Defaults() Settings {
	return Settings{
		BaseTime:            1436918400000, // 2015-07-15T00:00:00Z
		NumEvents:           100000,
		NumEventGenerators:  100,
		FirstEventRate:      10000,
		NextEventRate:       10000,
		RateShape:           Sine,
		RatePeriodSec:       600,
		OutOfOrderGroupSize: 1,
		NumActivePeople:     1000,
		NumInFlightAuctions: 100,
		HotAuctionRatio:     2,
		HotSellersRatio:     4,
		HotBiddersRatio:     4,
		AvgPersonByteSize:   200,
		AvgAuctionByteSize:  500,
		AvgBidByteSize:      100,
		WindowSizeSec:       10,
		WindowPeriodSec:     5,
	}
}

// Bounds of single settings. They keep ids, numbers and windows far from
// overflow; maxTimeMillis also bounds the time of the last event.
const (
	maxCount      = 1 << 40
	maxInt        = 1<<31 - 1
	maxRate       = 2_000_000 // beyond, Beam's time between events rounds to 0
	maxGenerators = 1 << 20
	maxSize       = 1 << 24
	maxWindowSec  = 1_000_000
	maxTimeMillis = 1 << 52
)

// integer is one whole-number setting: Beam's name, where it is kept, and the
// values it may have, both ends included.
type integer struct {
	name     string
	value    *int64
	min, max int64
}

// integers lists all settings but rateShape, in the order of the struct.
func (s *Settings) integers() []integer {
	return []integer{
		{"baseTime", &s.BaseTime, 0, maxTimeMillis},
		{"firstEventId", &s.FirstEventID, 0, maxCount},
		{"firstEventNumber", &s.FirstEventNumber, 0, maxCount},
		{"numEvents", &s.NumEvents, 0, maxCount},
		{"numEventGenerators", &s.NumEventGenerators, 1, maxGenerators},
		{"firstEventRate", &s.FirstEventRate, 1, maxRate},
		{"nextEventRate", &s.NextEventRate, 1, maxRate},
		{"ratePeriodSec", &s.RatePeriodSec, 1, maxInt},
		{"outOfOrderGroupSize", &s.OutOfOrderGroupSize, 1, maxInt},
		{"numActivePeople", &s.NumActivePeople, 0, maxInt},
		{"numInFlightAuctions", &s.NumInFlightAuctions, 0, maxInt},
		{"hotAuctionRatio", &s.HotAuctionRatio, 1, maxInt},
		{"hotSellersRatio", &s.HotSellersRatio, 1, maxInt},
		{"hotBiddersRatio", &s.HotBiddersRatio, 1, maxInt},
		{"avgPersonByteSize", &s.AvgPersonByteSize, 0, maxSize},
		{"avgAuctionByteSize", &s.AvgAuctionByteSize, 0, maxSize},
		{"avgBidByteSize", &s.AvgBidByteSize, 0, maxSize},
		{"windowSizeSec", &s.WindowSizeSec, 1, maxWindowSec},
		{"windowPeriodSec", &s.WindowPeriodSec, 1, maxWindowSec},
	}
}

const rateShapeName = "rateShape"

// SettingNames returns the names that [Settings.Set] knows, in a fixed order.
func SettingNames() []string {
	var s Settings
	names := make([]string, 0, 20)
	for _, f := range s.integers() {
		names = append(names, f.name)
	}
	return append(names, rateShapeName)
}

// Set gives the setting of that name (Beam's spelling, as in numEvents) the
// value in its text form: a decimal integer, or SINE or SQUARE for rateShape.
// It is an error, and changes nothing, if the name is unknown or the value is
// not one that the setting can have. How settings fit together is for
// [Settings.Validate].
func (s *Settings) Set(name, value string) error {
	if name == rateShapeName {
		if err := RateShape(value).validate(); err != nil {
			return err
		}
		s.RateShape = RateShape(value)
		return nil
	}
	for _, f := range s.integers() {
		if f.name != name {
			continue
		}
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("nexmark: setting %s: %q is not a whole number", name, value)
		}
		if err := f.check(n); err != nil {
			return err
		}
		*f.value = n
		return nil
	}
	return fmt.Errorf("nexmark: no setting is named %q; known are %s",
		name, strings.Join(SettingNames(), ", "))
}

// Changes returns "name=value" for each setting that differs from [Defaults],
// in the order of [SettingNames]: what to Set to get the same settings again.
func (s Settings) Changes() []string {
	defaults := Defaults()
	plain := defaults.integers()
	var changes []string
	for i, f := range s.integers() {
		if *f.value != *plain[i].value {
			changes = append(changes, f.name+"="+strconv.FormatInt(*f.value, 10))
		}
	}
	if s.RateShape != defaults.RateShape {
		changes = append(changes, rateShapeName+"="+string(s.RateShape))
	}
	return changes
}

// Validate reports the first setting that has no meaning, or settings that do
// not go together because some event's time cannot be computed.
func (s Settings) Validate() error {
	for _, f := range s.integers() {
		if err := f.check(*f.value); err != nil {
			return err
		}
	}
	if err := s.RateShape.validate(); err != nil {
		return err
	}
	return newSchedule(&s).validate(&s)
}

func (f integer) check(n int64) error {
	if n < f.min || n > f.max {
		return fmt.Errorf("nexmark: setting %s: %d is not in %d..%d", f.name, n, f.min, f.max)
	}
	return nil
}

func (r RateShape) validate() error {
	switch r {
	case Sine, Square:
		return nil
	default:
		return fmt.Errorf("nexmark: setting %s: %q is neither %s nor %s", rateShapeName, string(r), Sine, Square)
	}
}
