package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// interrupt is why a command ended that was asked to by a signal.
type interrupt struct{ signal syscall.Signal }

func (i *interrupt) Error() string { return "interrupted by " + unix.SignalName(i.signal) }

// exitCode is the status that shells give to what a signal ended.
func (i *interrupt) exitCode() int { return 128 + int(i.signal) }

// ended returns what tells a run that it is interrupted because ctx has ended.
func ended(ctx context.Context) func() bool {
	return func() bool { return ctx.Err() != nil }
}

// untilSignal returns a context that SIGINT and SIGTERM end, with an *interrupt
// as its cause. The second signal ends the process at once.
func untilSignal(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			cancel(&interrupt{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}
