package runner

import (
	"errors"
	"fmt"

	"github.com/culmhq/culm/engine"
)

// errBatch is wrapped by what Check refuses: a bug of whoever made the batch.
var errBatch = errors.New("runner: broken batch")

// Check verifies what can be told from the batch alone, so that every store refuses the
// same: there are records, without a gap; a new run begins at 1 and only a new run does;
// the run has a state, and a time of its end only with a final one.
func (b *Batch) Check() error {
	broken := func(format string, args ...any) error {
		return fmt.Errorf("%w of run %q: %s", errBatch, b.Run, fmt.Sprintf(format, args...))
	}
	if b.Run == "" || b.State == "" {
		return broken("run id or state is missing")
	}
	if len(b.Records) == 0 {
		return broken("no records")
	}
	for i := range b.Records {
		if got, want := b.Records[i].Seq, b.Records[0].Seq+uint64(i); got != want {
			return fmt.Errorf("%w: run %s has record %d where %d should be", ErrSequence, b.Run, got, want)
		}
		if b.Records[i].Data == nil {
			return broken("record %d has no data", b.Records[i].Seq)
		}
	}
	if b.EndedAt != nil && !b.State.Ended() {
		return broken("a time of its end in state %s", b.State)
	}
	if b.New == nil {
		if b.Records[0].Seq == 1 {
			return broken("record 1 without a head")
		}
		return nil
	}
	return b.checkNew(broken)
}

// CheckState verifies the change of a run's state from what the store has.
func (b *Batch) CheckState(from engine.RunState) error {
	if from.Ended() {
		return fmt.Errorf("%w of run %q: state %s after its end as %s", errBatch, b.Run, b.State, from)
	}
	if b.State.Ended() && b.EndedAt == nil {
		return fmt.Errorf("%w of run %q: state %s without a time of its end", errBatch, b.Run, b.State)
	}
	return nil
}

func sameParent(a, b *engine.Parent) bool { return a == b || a != nil && b != nil && *a == *b }

func (b *Batch) checkNew(broken func(string, ...any) error) error {
	h := b.New
	switch {
	case b.Records[0].Seq != 1:
		return fmt.Errorf("%w: new run %s begins with record %d", ErrSequence, b.Run, b.Records[0].Seq)
	case h.ID != b.Run:
		return broken("its head is that of %q", h.ID)
	case h.Digest == "" || len(h.Document) == 0:
		return broken("its flow document is missing")
	case h.Project == "":
		return broken("its project is missing")
	case h.CreatedAt.IsZero():
		return broken("the time of its start is missing")
	case b.State.Ended() && b.EndedAt == nil:
		return broken("state %s without a time of its end", b.State)
	}
	if d, ok := b.Records[0].Data.(engine.RunStarted); ok && !sameParent(d.Parent, h.Parent) {
		return broken("its head and its first record name different parents")
	}
	return nil
}
