package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"weir/dataflow"
	"weir/sim"
)

// Settings are the sizes and times of a run, whether its seed drew them or they
// are constants of this build: of Job all but the groups and the checks, of Model
// all. Each has a name, under which another build finds it again.
type Settings struct {
	Job   dataflow.Config
	Model sim.Model
}

// baseSettings are those of a run before its seed has drawn any.
func baseSettings() Settings { return Settings{Job: baseConfig(), Model: model()} }

// setting is a name and where its value is: an *int, *bool (0 or 1), *sim.Nanos, *[]int, or what
// dataflow.Setting.At returns.
type setting struct {
	name  string
	value any
}

// list returns all settings in the order in which they are written.
func (s *Settings) list() []setting {
	j, m := &s.Job, &s.Model
	all := []setting{
		{"batch.records", &j.BatchRecords}, {"batch.bytes", &j.BatchBytes}, {"batch.timeout", &j.BatchTimeout},
		{"queue.buffers", &j.QueueBuffers}, {"credits", &j.Credits}, {"source.batch", &j.SourceBatch}, {"timers.per-turn", &j.TimersPerTurn},
	}
	for _, c := range dataflow.Settings() {
		all = append(all, setting{c.Name, c.At(j)})
	}
	all = append(all, []setting{
		{"slow.workers", &m.WorkerSlow}, {"slow.links", &m.LinkSlow},
		{"step.base", &m.StepBase}, {"step.record", &m.StepRecord}, {"turn.jitter", &m.TurnJitter}, {"transfer.slice", &m.TransferSlice},
		{"order.free", &m.Order.Free}, {"order.prompt", &m.Order.Prompt}, {"order.crashes", &m.Order.Crashes}, {"order.horizon", &m.Order.Horizon},
	}...)
	for _, l := range []struct {
		name string
		l    *sim.Latency
	}{
		{"link", &m.Link}, {"message", &m.Message}, {"storage", &m.Storage.Latency}, {"sink", &m.Sink.Latency},
		{"detection", &m.Detection}, {"restart", &m.Restart}, {"coordinator-restart", &m.CoordinatorRestart},
	} {
		all = append(all, setting{l.name + ".latency", &l.l.Base}, setting{l.name + ".jitter", &l.l.Jitter})
	}
	for _, o := range []struct {
		name string
		o    *sim.Operations
	}{{"storage", &m.Storage}, {"sink", &m.Sink}} {
		all = append(all, setting{o.name + ".per-kib", &o.o.PerKiB}, setting{o.name + ".fail.of", &o.o.Of}, setting{o.name + ".fail.not-applied", &o.o.NotApplied},
			setting{o.name + ".fail.applied", &o.o.Applied}, setting{o.name + ".fail.late", &o.o.Late}, setting{o.name + ".fail.torn", &o.o.Torn}, setting{o.name + ".fail.late-by", &o.o.LateBy})
	}
	return all
}

// SettingNames returns the names of all settings in the order in which they are written.
func SettingNames() []string {
	var names []string
	for _, e := range new(Settings).list() {
		names = append(names, e.name)
	}
	return names
}

// Lines returns "NAME VALUE" for every setting; times are nanoseconds, shares and factors
// hundredths, choices their names, and a list has commas.
func (s *Settings) Lines() []string {
	var lines []string
	for _, e := range s.list() {
		lines = append(lines, e.name+" "+e.text())
	}
	return lines
}

func (e setting) text() string {
	switch v := e.value.(type) {
	case *int:
		return strconv.Itoa(*v)
	case *bool:
		if *v {
			return "1"
		}
		return "0"
	case *sim.Nanos:
		return strconv.FormatInt(*v, 10)
	case *dataflow.Nanos:
		return strconv.FormatInt(int64(*v), 10)
	case *dataflow.Hundredths:
		return strconv.Itoa(int(*v))
	case *dataflow.RestartStrategy:
		return string(*v)
	case *dataflow.FailoverStrategy:
		return string(*v)
	case *dataflow.OnCancel:
		return string(*v)
	case *[]int:
		return list(*v)
	}
	panic(fmt.Sprintf("setting %s is a %T", e.name, e.value))
}

// list writes numbers with commas; "-" is none.
func list(numbers []int) string {
	if len(numbers) == 0 {
		return "-"
	}
	var words []string
	for _, n := range numbers {
		words = append(words, strconv.Itoa(n))
	}
	return strings.Join(words, ",")
}

// Set gives the setting called name a value as Lines has it. An unknown name is
// an error that lists the known ones.
func (s *Settings) Set(name, value string) error {
	all := s.list()
	i := slices.IndexFunc(all, func(e setting) bool { return e.name == name })
	if i < 0 {
		return fmt.Errorf("unknown setting %q; known: %s", name, strings.Join(SettingNames(), ", "))
	}
	if c, err := dataflow.LookupSetting(name); err == nil && c.Choices() != nil {
		return c.Set(&s.Job, value)
	}
	return all[i].parse(value)
}

func (e setting) parse(value string) error {
	if v, ok := e.value.(*[]int); ok {
		return e.parseList(v, value)
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < -1 || n < 0 && e.name != "checkpoint.tolerated" {
		return fmt.Errorf("setting %s: %q: want a number, not below 0", e.name, value)
	}
	switch v := e.value.(type) {
	case *int:
		*v = int(n)
	case *bool:
		if n > 1 {
			return fmt.Errorf("setting %s: %q: want 0 or 1", e.name, value)
		}
		*v = n == 1
	case *sim.Nanos:
		*v = n
	case *dataflow.Nanos:
		*v = dataflow.Nanos(n)
	case *dataflow.Hundredths:
		*v = dataflow.Hundredths(n)
	}
	return nil
}

func (e setting) parseList(v *[]int, value string) error {
	var numbers []int
	for word := range strings.SplitSeq(value, ",") {
		if value == "-" {
			break
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 0 {
			return fmt.Errorf("setting %s: %q: want numbers with commas, not below 0, or - for none", e.name, value)
		}
		numbers = append(numbers, n)
	}
	*v = numbers
	return nil
}
