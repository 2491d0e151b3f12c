package secrets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// bareMax bounds how many runs without secrets, and how many uses, are known; a full set
// starts anew.
const bareMax = 4096

// bare are the runs that are known to have been handed no secrets, which most are: what
// comes in for them need not be searched. The zero value is ready. It is safe for
// concurrent use.
type bare struct {
	mu      sync.Mutex
	changes uint64 // counts handed secrets
	runs    map[string]bool
	noted   map[use]bool // what the store knows
}

// use is a secret that a run was handed.
type use struct{ run, ref string }

// at returns whether a run is known to have none, and a mark for know.
func (b *bare) at(run string) (known bool, mark uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.runs[run], b.changes
}

// know notes that a run had none after the mark, unless a secret was handed out since.
func (b *bare) know(run string, mark uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.changes != mark {
		return
	}
	if b.runs == nil || len(b.runs) >= bareMax {
		b.runs = map[string]bool{}
	}
	b.runs[run] = true
}

// handed notes that a run has one.
func (b *bare) handed(run string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.changes++
	delete(b.runs, run)
}

// isNoted reports whether the store knows of a use.
func (b *bare) isNoted(u use) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.noted[u]
}

func (b *bare) note(u use) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.noted == nil || len(b.noted) >= bareMax {
		b.noted = map[use]bool{}
	}
	b.noted[u] = true
}

// forget is for the time when secrets of runs are deleted.
func (b *bare) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.noted)
}

// Use notes that a run is handed a secret before it is. One of its own is known anyway.
func (v *Vault) Use(ctx context.Context, project, run, ref string) error {
	u := use{run, ref}
	if strings.HasPrefix(ref, runRefPrefix+run+"/") || v.bare.isNoted(u) {
		return nil
	}
	defer v.bare.handed(run)
	if err := v.rows.AddSecretUse(ctx, project, run, ref, v.clock.Now()); err != nil {
		return fmt.Errorf("secrets: note the use of a secret by run %s: %w", run, err)
	}
	v.bare.note(u)
	return nil
}

// OfRun returns all the values that a run was given or handed: what has to be taken out of
// what comes in for it.
func (v *Vault) OfRun(ctx context.Context, project, run string) ([]Secret, error) {
	none, mark := v.bare.at(run)
	if none {
		return nil, nil
	}
	rows, err := v.rows.RunSecrets(ctx, project, run)
	if err != nil {
		return nil, fmt.Errorf("secrets: read the secrets of run %s: %w", run, err)
	}
	refs, err := v.rows.SecretUses(ctx, project, run)
	if err != nil {
		return nil, fmt.Errorf("secrets: read the secrets of run %s: %w", run, err)
	}
	out := make([]Secret, 0, len(rows)+len(refs))
	for _, row := range rows {
		s, err := v.open(row.Cipher, row.associated(), row.alarm())
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	for _, ref := range refs {
		switch s, err := v.Resolve(ctx, project, ref); {
		case errors.Is(err, ErrNotFound): // it was deleted since
		case err != nil:
			return nil, err
		default:
			out = append(out, s)
		}
	}
	if len(rows)+len(refs) == 0 {
		v.bare.know(run, mark)
	}
	return out, nil
}
