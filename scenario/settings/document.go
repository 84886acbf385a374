package settings

import (
	"fmt"
	"strings"

	"weir/dataflow"
)

// head is what docs/configuration.md begins with.
const head = `# Settings of the coordinator

This file is made from the table in ` + "`dataflow/setting.go`" + `: ` + "`go test ./scenario/settings -update`" + ` writes it, and the tests fail where it is not as the table has it.

Every setting has one name, under which it stands in files, saved runs (` + "`.weir`" + `), results and errors, and one flag of ` + "`sim run`, `sim sweep` and `bench run`" + `.
` + "`--config FILE`" + ` reads them from YAML, with whole names or one part inside the other; flags have the last word:

` + "```yaml" + `
checkpoint:
  interval: 500ms
  retain: 2
  fallback: true
restart.strategy: exponential-delay
restart.exponential-delay.max-backoff: 10s
` + "```" + `

A default holds live and in measurements, apart from the interval of ` + "`sim run --driver live`" + `, which is 20 ms. In the simulator times are virtual; what is not given is drawn from the seed where faults are
drawn, and else a constant of the build. What was in effect stands with every result: ` + "`sim run --json`" + ` has an object ` + "`settings`" + `, ` + "`sim run --settings`" + ` a line, and the manifest of a campaign its environment's settings.

Not settings here, since they are said elsewhere: the mode is the name of the algorithm, and whether snapshots are incremental that of the state backend.

What makes no sense is refused with one error that names both sides:

- a setting and an algorithm that does not read it: ` + "`checkpoint.alignment-timeout`" + ` without barriers that turn, ` + "`checkpoint.retain`" + ` without job-wide checkpoints. Of several algorithms each takes what it reads, and a setting that none reads is refused;
- a setting of one restart strategy and ` + "`restart.strategy`" + ` naming another;
- ` + "`checkpoint.fallback`" + ` with ` + "`checkpoint.retain`" + ` below 2, where checkpoints are job-wide: there is nothing to go back to;
- ` + "`checkpoint.concurrent`" + ` above what the algorithm bears;
- ` + "`restart.exponential-delay.initial-backoff`" + ` above its ` + "`max-backoff`" + `.

A minimum pause above the interval is no conflict: the pause decides.
`

// restartsText says what the strategies are.
const restartsText = `
A failure is a lost worker, a task that gave up by itself, or a checkpoint more than ` + "`checkpoint.tolerated`" + ` that failed. While a delay runs further failures are part of it. A coordinator that dies
forgets what it has counted, and its successor starts the job at once. A job whose strategy gives up fails with an error that names the strategy, the count and the last cause.

| strategy | restarts | gives up |
|---|---|---|
| ` + "`none`" + ` | never | at the first failure |
| ` + "`progress`" + ` (the default) | at once | when a task gives up by itself after more than ` + "`attempts`" + ` recoveries in a row without a checkpoint between them; never for lost workers |
| ` + "`fixed-delay`" + ` | after ` + "`delay`" + ` | at failure ` + "`attempts`" + ` + 1 |
| ` + "`exponential-delay`" + ` | after ` + "`initial-backoff`" + `, each time ` + "`backoff-multiplier`" + ` as long up to ` + "`max-backoff`" + ` | never |
| ` + "`failure-rate`" + ` | after ` + "`delay`" + ` | at more than ` + "`max-failures-per-interval`" + ` failures within ` + "`failure-rate-interval`" + ` |

With ` + "`restart.failover-strategy` `region`" + ` a failure restarts the tasks that edges connect with one that failed, in a job of pipelines that nothing connects one of them; all of it restarts with a new coordinator, when too many checkpoints failed, or to
go back behind a damaged one (` + "`docs/rfcs/0011-regions.md`" + `). The names are Flink's, whose default is ` + "`region`" + `.

Names, meanings and defaults of ` + "`fixed-delay`, `exponential-delay` and `failure-rate`" + ` are Flink's; ` + "`progress`" + ` is not in Flink.
`

// Document returns docs/configuration.md.
func Document() string {
	var b strings.Builder
	b.WriteString(head)
	section(&b, "Checkpoints", "checkpoint.")
	section(&b, "Restarts", "restart.")
	b.WriteString(restartsText)
	return b.String()
}

// section writes the table of the settings whose names begin with a prefix.
func section(b *strings.Builder, title, prefix string) {
	fmt.Fprintf(b, "\n## %s\n\n| setting | flag | type | default | read by | what it does |\n|---|---|---|---|---|---|\n", title)
	c := dataflow.DefaultConfig()
	for _, s := range dataflow.Settings() {
		if !strings.HasPrefix(s.Name, prefix) {
			continue
		}
		readers := s.Readers.String()
		if s.Of != "" {
			readers = fmt.Sprintf("strategy `%s`", s.Of)
		}
		fmt.Fprintf(b, "| `%s` | `--%s` | %s | `%s` | %s | %s |\n", s.Name, s.Flag, strings.ReplaceAll(s.Type(), "|", ", "), s.Text(&c), readers, s.Does)
	}
}
