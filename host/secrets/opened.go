package secrets

import (
	"bytes"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of what stays open.
const (
	// openedMax is how many versions of credentials are kept; a full set starts anew.
	openedMax = 1024
	// openedFor is how long one that nobody asks for stays, to within the time between two
	// looks (Vault.StoreUses).
	openedFor = 10 * time.Minute
)

// opened keeps the versions of credentials that calls ask for, so that each call does not
// open them anew. What is kept holds for the very bytes of a row: another ciphertext, or the
// same one in another row, is opened again and fails where it should. A version leaves when
// its credential is changed or deleted, and when nobody has asked for it for a while. What
// leaves is dropped and not overwritten: texts of Go cannot be, and calls may still hold it.
// The zero value is ready. It is safe for concurrent use.
type opened struct {
	mu sync.RWMutex
	m  map[string]*openedRow // by id
}

// openedRow is a version that was opened.
type openedRow struct {
	row        Sealed
	payload    payload
	credential *Credential
	asked      atomic.Int64 // when, in nanoseconds since 1970
}

// is reports whether o was opened from c.
func (o *openedRow) is(c Sealed) bool {
	return o.row.Project == c.Project && o.row.System == c.System && o.row.Version == c.Version && bytes.Equal(o.row.Cipher, c.Cipher)
}

// get returns the version that was opened from that row, or nil.
func (x *opened) get(c Sealed, now time.Time) *openedRow {
	x.mu.RLock()
	defer x.mu.RUnlock()
	o := x.m[c.ID]
	if o == nil || !o.is(c) {
		return nil
	}
	o.asked.Store(now.UnixNano())
	return o
}

func (x *opened) put(o *openedRow, now time.Time) {
	o.asked.Store(now.UnixNano())
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.m == nil || len(x.m) >= openedMax {
		x.m = map[string]*openedRow{}
	}
	x.m[o.row.ID] = o
}

// forget drops the versions of a system in a project.
func (x *opened) forget(project, system string) {
	x.drop(func(o *openedRow) bool { return o.row.Project == project && o.row.System == system })
}

// rest drops what nobody has asked for since.
func (x *opened) rest(since time.Time) {
	x.drop(func(o *openedRow) bool { return o.asked.Load() < since.UnixNano() })
}

func (x *opened) drop(which func(*openedRow) bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, o := range x.m {
		if which(o) {
			delete(x.m, id)
		}
	}
}

// openVersion opens a version, or returns it from before.
func (v *Vault) openVersion(c Sealed) (*openedRow, error) {
	now := v.clock.Now()
	if o := v.opened.get(c, now); o != nil {
		return o, nil
	}
	p, err := v.payload(c)
	if err != nil {
		return nil, err
	}
	o := &openedRow{row: c, payload: p, credential: v.credential(c, p)}
	v.opened.put(o, now)
	return o, nil
}
