package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"weir/results"
)

// measured tells the plan in words.
func measured(r *results.Results) []fact {
	p := r.Manifest.Plan
	var workloads []string
	for _, g := range r.Groups() {
		workloads = append(workloads, g.Label())
	}
	how := "full plan"
	if p.Quick {
		how = "quick plan: fewer and shorter repetitions, for a first look"
	}
	facts := []fact{
		{"Algorithms", strings.Join(r.Algorithms(), ", ")},
		{"States", strings.Join(r.States(), ", ")},
		{"Work", strings.Join(workloads, "; ")},
		{"Repetitions", fmt.Sprintf("%d of %s s each per cell, in %d blocks with the cells of each in random order", p.Repetitions, plain(p.RepetitionSeconds), p.Blocks)},
		{"Warm-up", p.WarmUp},
		{"Plan", how},
		{"Seed", strconv.FormatUint(p.Seed, 10)},
		{"Recorded", recorded(r)},
		{"Started", r.Manifest.Started.UTC().Format(time.DateTime) + " UTC"},
	}
	if end := r.Manifest.Finished; end != nil {
		facts = append(facts, fact{"Took", end.Sub(r.Manifest.Started).Round(time.Second).String()})
	}
	return known(facts)
}

func recorded(r *results.Results) string {
	text := fmt.Sprintf("%d repetitions of %d cells", len(r.Samples), len(r.Cells()))
	if missing := len(r.Manifest.Plan.Cells)*r.Manifest.Plan.Repetitions - len(r.Samples); missing > 0 {
		text += fmt.Sprintf("; %d planned repetitions are missing", missing)
	}
	return text
}

// machine tells the environment; what could not be found out is left out, or
// said where a reader needs it to trust or repeat the numbers.
func machine(r *results.Results) []fact {
	e := r.Manifest.Environment
	commit := cmp.Or(e.Commit, "not known: built without version control information")
	if e.Dirty {
		commit += ", with changes that are not committed"
	}
	limit := func(text string, set bool) string {
		if set {
			return ", limited to " + text
		}
		return ""
	}
	return known([]fact{
		{"Processor", e.CPU},
		{"Cores", fmt.Sprintf("%d%s; GOMAXPROCS %d", e.Cores, limit(plain(e.CPULimit), e.CPULimit > 0), e.GOMAXPROCS)},
		{"Memory", size(e.MemoryBytes) + limit(size(e.MemoryLimit), e.MemoryLimit > 0)},
		{"Kernel", e.Kernel},
		{"Disk", disk(e.Disk)},
		{"Disk, probed", probe(e.Disk)},
		{"Stolen CPU time", fmt.Sprintf("%s %% since boot before the campaign, %s %% after", tenth(100*e.Before.StealShare), tenth(100*e.After.StealShare))},
		{"Pressure", strain(e)},
		{"Calibration loop", calibration(r)},
		{"Go", fmt.Sprintf("%s %s/%s%s", e.GoVersion, e.GOOS, e.GOARCH, gogc(e.GOGC))},
		{"Commit", commit},
		{"Modules", pairs(e.Modules, " ")},
		{"Settings", pairs(e.Settings, "=")},
		{"Command", strings.Join(e.Arguments, " ")},
	})
}

func disk(d results.Disk) string {
	return strings.Trim(d.FileSystem+", "+d.MountOptions, ", ")
}

func probe(d results.Disk) string {
	if d.FsyncP50MS == 0 && d.WriteBytesPerSecond == 0 {
		return "not probed"
	}
	text := fmt.Sprintf("fsync %s ms at the median, %s ms at the 99th percentile; %s/s written and synced", short(d.FsyncP50MS), short(d.FsyncP99MS), size(int64(d.WriteBytesPerSecond)))
	if d.ReadBytesPerSecond > 0 {
		text += ", " + size(int64(d.ReadBytesPerSecond)) + "/s read from the page cache"
	}
	return text
}

func strain(e results.Environment) string {
	return fmt.Sprintf("some task waited for CPU %s %%, I/O %s %%, memory %s %% of the ten seconds before the campaign; %s %%, %s %%, %s %% of its last ten",
		tenth(e.Before.CPUPressure), tenth(e.Before.IOPressure), tenth(e.Before.MemoryPressure),
		tenth(e.After.CPUPressure), tenth(e.After.IOPressure), tenth(e.After.MemoryPressure))
}

// mostPressure is the CPU pressure before a campaign, in percent, above which
// others were at work.
const mostPressure = 10

func pressureCare(e results.Environment) []string {
	if e.Before.CPUPressure <= mostPressure {
		return nil
	}
	return []string{fmt.Sprintf("Tasks waited for a core %s %% of the ten seconds before the campaign: something else was running.", tenth(e.Before.CPUPressure))}
}

func gogc(v string) string {
	if v == "" {
		return ""
	}
	return ", GOGC " + v
}

func pairs(m map[string]string, between string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+between+m[k])
	}
	return strings.Join(parts, ", ")
}

func known(facts []fact) []fact {
	return slices.DeleteFunc(facts, func(f fact) bool { return strings.TrimSpace(f.Text) == "" })
}

func tenth(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// plain writes a number that was set, not measured, as it was set.
func plain(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func short(v float64) string { return results.FormatNumber(v) }

// size writes bytes with a decimal unit.
func size(bytes int64) string {
	factor, unit := results.DisplayUnit(results.ByteCount, float64(bytes))
	return short(float64(bytes)/factor) + " " + unit
}

// health is the section on whether anything is wrong.
type health struct {
	Verdict  string
	Outputs  []row // per cell: repetitions, exact, as declared, wrong
	AA       []row
	Warnings []warning
	Care     []string
}

func newHealth(r *results.Results) health {
	h := health{Outputs: outputs(r)}
	wrong := 0
	for _, s := range r.Samples {
		if s.Output == results.OutputWrong {
			wrong++
		}
	}
	switch {
	case len(r.Samples) == 0:
		h.Verdict = "Nothing was recorded."
	case wrong == 0:
		h.Verdict = fmt.Sprintf("The committed output of all %d repetitions was checked: each is the reference answer, or differs only as its algorithm declares.", len(r.Samples))
	default:
		h.Verdict = fmt.Sprintf("%d of %d repetitions committed a wrong output. They have no numbers, and the campaign is invalid.", wrong, len(r.Samples))
	}
	for _, a := range r.Manifest.Validity.AA {
		h.AA = append(h.AA, row{
			Heads: []string{r.NameOf(a.Cell), label(a.Metric)},
			Cells: []cell{
				summaryCell(a.Ratio, 1),
				{Text: verdictText(a.Verdict)}, {Text: fmt.Sprintf("%s %%", short(100*a.NoiseFloor))},
			},
		})
	}
	h.Warnings = warnings(r)
	h.Care = append(calibrationCare(r), pressureCare(r.Manifest.Environment)...)
	h.Care = append(h.Care, "An A/A comparison measures one cell twice; the noise floor is how far its ratio may be from 1. A difference between algorithms below it is no finding.")
	return h
}

func outputs(r *results.Results) []row {
	var rows []row
	for _, c := range r.Cells() {
		count := map[results.OutputVerdict]int{}
		samples := r.SamplesOf(c)
		for _, s := range samples {
			count[s.Output]++
		}
		rows = append(rows, row{Heads: []string{r.NameOf(c)}, Cells: []cell{
			{Text: strconv.Itoa(len(samples))}, {Text: strconv.Itoa(count[results.OutputExact])},
			{Text: strconv.Itoa(count[results.OutputDeclared])}, {Text: strconv.Itoa(count[results.OutputWrong])},
			{Text: cmp.Or(shortDigest(samples), "-")},
		}})
	}
	return rows
}

// shortDigest is the beginning of the digests, or of each that differs.
func shortDigest(samples []results.Sample) string {
	var digests []string
	for _, s := range samples {
		d := s.OutputDigest[:min(len(s.OutputDigest), 12)]
		if !slices.Contains(digests, d) {
			digests = append(digests, d)
		}
	}
	if len(digests) > 3 {
		return fmt.Sprintf("%d different", len(digests))
	}
	return strings.Join(digests, ", ")
}

// calibrated returns the shortest and longest time of the calibration loop beside
// the jobs, in milliseconds; zeros when it was not timed.
func calibrated(r *results.Results) (low, high float64) {
	for i := range r.Samples {
		v, timed := r.Samples[i].Metrics["calibration_ms"]
		if !timed {
			continue
		}
		if low == 0 || v.Value < low {
			low = v.Value
		}
		high = max(high, v.Value)
	}
	return low, high
}

func calibration(r *results.Results) string {
	low, high := calibrated(r)
	if low == 0 {
		return "not timed"
	}
	return fmt.Sprintf("%s to %s ms beside the jobs, medians of the repetitions", short(low), short(high))
}

// steady is how far apart two times of the calibration loop may be, as a ratio.
const steady = 1.1

func calibrationCare(r *results.Results) []string {
	low, high := calibrated(r)
	switch {
	case low == 0:
		return []string{"No calibration loop was timed: how steady the machine was is not known."}
	case high > steady*low:
		return []string{fmt.Sprintf("The calibration loop took %s to %s ms, %s %% apart: the machine's speed changed while measuring, and differences of that size may come from it.", short(low), short(high), short(100*(high/low-1)))}
	default:
		return []string{fmt.Sprintf("The calibration loop took %s to %s ms: the machine's speed was steady.", short(low), short(high))}
	}
}
