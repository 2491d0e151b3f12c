package sqlite

import (
	"database/sql/driver"
	"fmt"
	"io"
	"sync"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

// errNoRow ends the rows of the driver.
var errNoRow = io.EOF

const (
	// chunkBytesMax bounds one row of records, unless a single record is larger.
	chunkBytesMax = 1 << 20
	// roomBytesMax is how large the memory of a commit may be to be used again.
	roomBytesMax = 8 << 20
	// documentsKnownMax bounds the memory of which documents are stored.
	documentsKnownMax = 4096
	// pageBytes is what a page of the log holds of ours, roughly.
	pageBytes = 3500
)

// runRow is what the writer remembers of a run between commits.
type runRow struct {
	n     int64
	seq   uint64
	state engine.RunState
}

// runCache spares the writer a read per batch. It describes what the transaction sees;
// whatever is undone clears it.
type runCache struct {
	rows      map[string]*runRow
	documents map[string]bool
}

func newRunCache() *runCache {
	return &runCache{rows: map[string]*runRow{}, documents: map[string]bool{}}
}

func (c *runCache) clear() {
	clear(c.rows)
	clear(c.documents)
}

// piece is a chunk that is about to be written.
type piece struct {
	run        string
	row        *runRow
	last       uint64
	begin, end int    // of commitment.data
	sum        uint32 // of its run and its records
}

// commitment is a commit made ready outside the writer's goroutine.
type commitment struct {
	batches []runner.Batch
	pieces  []piece
	data    []byte // of all pieces
	// next chains the batches of one run; latest holds the last one of each run.
	next   []link
	latest map[string]int
}

// link leads from a batch to the next one of its run; 0 means that there is none.
type link struct {
	batch   int
	follows bool // whether a batch of the run leads here
}

// room is memory that commits of one store use one after the other.
type room struct{ pool sync.Pool }

func (r *room) take() *commitment {
	if c, ok := r.pool.Get().(*commitment); ok {
		return c
	}
	return &commitment{latest: map[string]int{}}
}

func (r *room) give(c *commitment) {
	if cap(c.data) > roomBytesMax {
		return
	}
	clear(c.pieces)
	c.batches, c.pieces, c.data = nil, c.pieces[:0], c.data[:0]
	r.pool.Put(c)
}

// prepare checks the batches and encodes their records: the records of one run go into
// one piece as long as it is not too large.
func (c *commitment) prepare(batches []runner.Batch) error {
	c.batches = batches
	clear(c.latest)
	c.next = c.next[:0]
	for i := range batches {
		b := &batches[i]
		if err := b.Check(); err != nil {
			return err
		}
		before, ok := c.latest[b.Run]
		if ok {
			c.next[before].batch = i
		}
		c.next = append(c.next, link{follows: ok})
		c.latest[b.Run] = i
	}
	for i := range batches {
		if c.next[i].follows {
			continue
		}
		c.encode(&batches[i], false)
		for k := c.next[i].batch; k > 0; k = c.next[k].batch {
			c.encode(&batches[k], true)
		}
	}
	return nil
}

// encode puts a batch into a piece: the last one, if that is the same run's.
func (c *commitment) encode(b *runner.Batch, same bool) {
	n := len(c.pieces) - 1
	if same && c.pieces[n].end-c.pieces[n].begin < chunkBytesMax {
		c.data = c.data[:len(c.data)-sealBytes] // it is sealed anew
	} else {
		c.pieces = append(c.pieces, piece{run: b.Run, begin: len(c.data), sum: bound(b.Run)})
		n++
	}
	p, begin := &c.pieces[n], len(c.data)
	c.data = appendChunk(c.data, b.Records)
	p.sum = checksum(p.sum, c.data[begin:])
	c.data = appendSeal(c.data, p.sum)
	p.end, p.last = len(c.data), b.Records[len(b.Records)-1].Seq
}

// pages estimates what the commit adds to the log.
func (c *commitment) pages() int { return 4 + len(c.data)/pageBytes + len(c.pieces)/64 }

// write does the work of a commit inside the transaction.
func (c *commitment) write(w *writer) error {
	for i := range c.batches {
		if err := w.batch(&c.batches[i]); err != nil {
			return err
		}
	}
	for i := range c.pieces {
		row, err := w.row(c.pieces[i].run)
		if err != nil {
			return err
		}
		c.pieces[i].row = row
	}
	if err := w.pieces(c); err != nil {
		return err
	}
	for i := range c.batches {
		if c.batches[i].State.Ended() {
			delete(w.runs.rows, c.batches[i].Run)
		}
	}
	return nil
}

// batch writes what a batch says besides its records, and checks that these follow.
func (w *writer) batch(b *runner.Batch) error {
	if b.New != nil {
		if err := w.newRun(b); err != nil {
			return err
		}
	}
	row, err := w.row(b.Run)
	if err != nil {
		return err
	}
	if b.Records[0].Seq != row.seq+1 {
		return fmt.Errorf("%w: run %s is at %d, records begin at %d", runner.ErrSequence, b.Run, row.seq, b.Records[0].Seq)
	}
	row.seq = b.Records[len(b.Records)-1].Seq
	if b.State != row.state {
		if err := b.CheckState(row.state); err != nil {
			return err
		}
		var ended driver.Value
		if b.EndedAt != nil {
			ended = micros(*b.EndedAt)
		}
		if err := w.exec(w.stmt.state, string(b.State), ended, row.n); err != nil {
			return err
		}
		row.state = b.State
	}
	return w.timers(row, b)
}

func (w *writer) newRun(b *runner.Batch) error {
	h := b.New
	if !w.runs.documents[h.Digest] {
		if err := w.exec(w.stmt.document, h.Digest, h.Document); err != nil {
			return err
		}
		if len(w.runs.documents) >= documentsKnownMax {
			clear(w.runs.documents)
		}
		w.runs.documents[h.Digest] = true
	}
	var key, ended, parent, node, epoch, depth driver.Value
	if h.StartKey != "" {
		key = h.StartKey
	}
	if b.EndedAt != nil {
		ended = micros(*b.EndedAt)
	}
	if p := h.Parent; p != nil {
		parent, node, epoch, depth = p.Run, p.Node, int64(p.Epoch), int64(p.Depth)
	}
	r, err := w.execResult(w.stmt.run, h.ID, h.Project, h.Name, h.Flow, int64(h.Version), h.Digest, h.Operator,
		string(b.State), key, h.StartHash, micros(h.CreatedAt), ended, parent, node, epoch, depth)
	if err != nil {
		return fmt.Errorf("sqlite: new run %s: %w", h.ID, err)
	}
	n, err := r.LastInsertId()
	if err != nil {
		return fmt.Errorf("sqlite: new run %s: %w", h.ID, err)
	}
	w.runs.rows[h.ID] = &runRow{n: n, state: b.State}
	return nil
}

func (w *writer) timers(row *runRow, b *runner.Batch) error {
	if b.EndedAt != nil {
		return w.exec(w.stmt.clearTimers, row.n)
	}
	for _, t := range b.Timers {
		var err error
		if t.Due.IsZero() {
			err = w.exec(w.stmt.clearTimer, row.n, t.Node, int64(t.Epoch))
		} else {
			err = w.exec(w.stmt.setTimer, row.n, t.Node, int64(t.Epoch), micros(t.Due))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// row finds a run, in memory or in the database.
func (w *writer) row(id string) (*runRow, error) {
	if r, ok := w.runs.rows[id]; ok {
		return r, nil
	}
	var v [3]driver.Value
	found, err := w.queryRow(w.stmt.find, v[:], id)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%w: %s", runner.ErrNotFound, id)
	}
	n, _ := v[0].(int64)
	state, _ := v[1].(string)
	seq, _ := v[2].(int64)
	r := &runRow{n: n, seq: uint64(seq), state: engine.RunState(state)}
	w.runs.rows[id] = r
	return r, nil
}

// pieces inserts the records, many rows a statement.
func (w *writer) pieces(c *commitment) error {
	args := make([]driver.Value, 0, 3*chunkRows)
	for ps := c.pieces; len(ps) > 0; {
		n, st := 1, w.stmt.chunk
		if len(ps) >= chunkRows {
			n, st = chunkRows, w.stmt.chunkMany
		}
		args = args[:0]
		for _, p := range ps[:n] {
			args = append(args, p.row.n, int64(p.last), c.data[p.begin:p.end])
		}
		if err := w.exec(st, args...); err != nil {
			return err
		}
		ps = ps[n:]
	}
	return nil
}
