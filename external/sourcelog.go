package external

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"

	"weir/id"
	"weir/state"
)

// SourceLogConfig says where a source log keeps what it knows.
type SourceLogConfig struct {
	FS  vfs.FS // nil: in memory, exact, nothing is written
	Dir string
	// Ahead is how many records are booked as handed out in advance, so that not
	// every batch costs a sync. After a crash up to so many records count as
	// handed out that never were: a job that goes on from there loses them, and
	// never takes one twice. It must be at least twice the largest batch.
	Ahead uint64
}

// SourceLog is the memory of a replayable source: how far each split was
// handed out, whatever crashes around it. A job without snapshots goes on from
// there. The records themselves are a function of their offset and need no log.
type SourceLog struct {
	c      SourceLogConfig
	log    *journal
	splits []handedOut // by SplitID
	head   []byte
}

type handedOut struct{ handedOut, booked id.Offset }

// OpenSourceLog opens a source log: with a file system, at the offsets booked last.
func OpenSourceLog(c SourceLogConfig) (*SourceLog, error) {
	l := &SourceLog{c: c}
	if c.FS == nil {
		return l, nil
	}
	if err := refuseOld(c.FS, c.Dir); err != nil {
		return nil, fmt.Errorf("source log: %w", err)
	}
	log, err := openJournal(c.FS, c.Dir, sourceJournal, l.replay)
	if err != nil {
		return nil, fmt.Errorf("source log: %w", err)
	}
	l.log = log
	return l, nil
}

// The journals of the format at hand, which counts by split, and of the one
// before, which counted by task.
const (
	sourceJournal    = "splits"
	oldSourceJournal = "offsets"
)

// refuseOld returns an error that wraps state.ErrIncompatible if the directory
// holds a source log of the format before.
func refuseOld(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err != nil {
		return nil // nothing there yet; opening says what else is wrong
	}
	old := journal{fs: fs, dir: dir, name: oldSourceJournal}
	switch last, err := old.lastSegment(); {
	case err != nil:
		return err
	case last > 0:
		return fmt.Errorf("%s: offsets by task, this program keeps them by split: go on with the program that wrote it, or in an empty directory: %w", old.path(last), state.ErrIncompatible)
	}
	return nil
}

func (l *SourceLog) replay(head []byte, _ body, _ func() ([]byte, error)) error {
	r := state.NewReader(head)
	split, o := r.Uvarint(), id.Offset(r.Uvarint())
	if split > maxTask {
		r.Fail("split %d", split)
	}
	if err := r.Done(); err != nil {
		return err
	}
	*l.split(id.SplitID(split)) = handedOut{o, o}
	return nil
}

func (l *SourceLog) split(s id.SplitID) *handedOut {
	for int(s) >= len(l.splits) {
		l.splits = append(l.splits, handedOut{})
	}
	return &l.splits[s]
}

// Offset returns how far a split was handed out, at most. It books the first records that will be handed out from there.
func (l *SourceLog) Offset(s id.SplitID) (id.Offset, error) {
	p := l.split(s)
	return p.handedOut, l.book(s, p)
}

// HandedOut notes that a split was handed out up to o.
// A lower offset than before is ignored: the records were handed out again.
func (l *SourceLog) HandedOut(s id.SplitID, o id.Offset) error {
	p := l.split(s)
	if o <= p.handedOut {
		return nil
	}
	p.handedOut = o
	return l.book(s, p)
}

// book keeps the booked offset at least half of Ahead in front of what was
// handed out, which is where the next batch may end before anybody hears of it.
func (l *SourceLog) book(s id.SplitID, p *handedOut) error {
	if l.log == nil || p.handedOut+id.Offset(l.c.Ahead/2) < p.booked {
		return nil
	}
	p.booked = p.handedOut + id.Offset(l.c.Ahead)
	return l.write(s, p.booked)
}

func (l *SourceLog) write(s id.SplitID, o id.Offset) error {
	l.head = binary.AppendUvarint(l.head[:0], uint64(s))
	l.head = binary.AppendUvarint(l.head, uint64(o))
	l.log.append(l.head, nil, l.log.next(l.head, nil))
	if err := l.log.sync(); err != nil {
		return fmt.Errorf("source log: %w", err)
	}
	return nil
}

// Close books the exact offsets, so that nothing is skipped after a clean end.
func (l *SourceLog) Close() error {
	if l.log == nil {
		return nil
	}
	for s := range l.splits {
		if p := &l.splits[s]; p.booked != p.handedOut {
			if err := l.write(id.SplitID(s), p.handedOut); err != nil {
				return err
			}
		}
	}
	log := l.log
	l.log = nil
	return log.close()
}
