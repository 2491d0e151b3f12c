package store

import (
	"context"
	"fmt"
	"sync"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
)

// pileMax bounds how many entries one part of a transaction puts.
const pileMax = 256

// piles gathers the entries of calls that end at the same moment, so that they are put in one
// part of a transaction: what a part costs by itself is as much as several entries. Nobody
// waits for others to come; a pile grows while the transaction before it is made durable. The
// zero value is ready. It is safe for concurrent use.
type piles struct {
	mu   sync.Mutex
	open *pile // the one that further entries join; nil when the writer has the last
}

// pile is entries that are put together. entries and isTaken are guarded by piles.mu until the
// writer has taken the pile; from then on they are the writer's.
type pile struct {
	entries []*audit.Entry // nil is one whose caller gave up
	isTaken bool
	done    chan struct{} // closed when err is set
	err     error
}

// join puts an entry on the open pile, or begins one, which the caller then has to write.
func (x *piles) join(e *audit.Entry) (p *pile, at int, isFirst bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == nil || len(x.open.entries) >= pileMax {
		x.open, isFirst = &pile{done: make(chan struct{})}, true
	}
	p = x.open
	p.entries = append(p.entries, e)
	return p, len(p.entries) - 1, isFirst
}

// take closes a pile for further entries.
func (x *piles) take(p *pile) {
	x.mu.Lock()
	defer x.mu.Unlock()
	p.isTaken = true
	if x.open == p {
		x.open = nil
	}
}

// giveUp takes an entry off a pile, and reports false when it is too late for that.
func (x *piles) giveUp(p *pile, at int) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !p.isTaken {
		p.entries[at] = nil
	}
	return !p.isTaken
}

// appendCall is append for the entry of a call, of which many come at once. When a pile
// cannot be written, each of its entries is tried by itself: one that cannot be stored, or
// whose caller has no time left, is none of the others' business.
func (d database) appendCall(ctx context.Context, e audit.Entry) error {
	p, at, isFirst := d.piles.join(&e)
	if isFirst {
		d.writePile(ctx, p)
	} else {
		select {
		case <-p.done:
		case <-ctx.Done():
			if d.piles.giveUp(p, at) {
				return ctx.Err()
			}
			<-p.done
		}
	}
	if p.err == nil || len(p.entries) == 1 {
		return p.err
	}
	_, err := d.append(ctx, e)
	return err
}

// writePile puts the entries of a pile, and tells those who wait.
func (d database) writePile(ctx context.Context, p *pile) {
	var head audit.Head
	p.err = d.DB.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		d.piles.take(p)
		var err error
		if head, err = d.chain.end(ctx, tx); err != nil {
			return err
		}
		for _, e := range p.entries {
			if e == nil {
				continue
			}
			if head, err = d.chain.putBehind(tx, head, *e); err != nil {
				return err
			}
		}
		return nil
	})
	d.piles.take(p) // the transaction may not have come to it
	if p.err == nil {
		d.chain.known(head)
	} else {
		p.err = fmt.Errorf("store: audit: %w", p.err)
	}
	close(p.done)
}
