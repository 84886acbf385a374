package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// bar is the progress of a campaign on standard error; a line now and then when
// that is not a terminal.
type bar struct {
	out   io.Writer
	shown *progressbar.ProgressBar
	is    bool
	said  time.Time // when the last line was written
}

// lineEvery is the time between two lines for those without a terminal.
const lineEvery = 15 * time.Second

func newBar(w io.Writer) *bar {
	f, ok := w.(*os.File)
	return &bar{out: w, said: time.Now(), is: ok && term.IsTerminal(int(f.Fd()))}
}

func (b *bar) show(done, total int, left time.Duration, what string) {
	if !b.is {
		b.line(done, total, left)
		return
	}
	if b.shown == nil {
		b.shown = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(b.out), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(true), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	}
	b.shown.Describe(fmt.Sprintf("%-34s %s left", what, left.Round(time.Second)))
	_ = b.shown.Set(done) // a bar that cannot be drawn is no reason to stop
}

// line writes the progress, unless one was written a moment ago.
func (b *bar) line(done, total int, left time.Duration) {
	if time.Since(b.said) < lineEvery {
		return
	}
	b.said = time.Now()
	_, _ = fmt.Fprintf(b.out, "%d of %d repetitions; about %s left\n", done, total, left.Round(time.Second))
}

// log writes a line between two states of the bar.
func (b *bar) log(format string, args ...any) {
	b.clear()
	_, _ = fmt.Fprintf(b.out, format, args...)
}

func (b *bar) clear() {
	if b.shown != nil {
		_ = b.shown.Clear()
	}
}
