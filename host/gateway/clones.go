package gateway

import "sync"

// maxClones bounds how many lines of a kind have connections at once; one more drops
// the idle ones of all.
const maxClones = 256

// clones are lines that differ from the common one in what K says: a connection that
// was opened in one way is never used in another. The zero value is ready. Safe for
// concurrent use.
type clones[K comparable] struct {
	mu sync.Mutex
	m  map[K]*line
}

// get returns the line of a key: the one that is kept, or a clone of base that change
// has made different.
func (x *clones[K]) get(key K, base *line, change func(*line) error) (*line, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if t, ok := x.m[key]; ok {
		return t, nil
	}
	t := base.clone()
	if err := change(t); err != nil {
		return nil, err
	}
	if len(x.m) >= maxClones {
		x.close()
		x.m = nil
	}
	if x.m == nil {
		x.m = map[K]*line{}
	}
	x.m[key] = t
	return t, nil
}

// closeIdle drops the idle connections.
func (x *clones[K]) closeIdle() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.close()
}

func (x *clones[K]) close() {
	for _, t := range x.m {
		t.idle.closeAll()
	}
}
