package sqlite

import (
	"database/sql/driver"
	"fmt"
	"io"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

// errNoRow ends the rows of the driver.
var errNoRow = io.EOF

const (
	// chunkBytesMax bounds one row of records, unless a single record is larger.
	chunkBytesMax = 1 << 20
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
	run         string
	first, last uint64
	data        []byte
	row         *runRow
}

// part is what a commit writes of one batch besides its records.
type part struct {
	runner.Batch
	first, last uint64
}

// commitment is a commit made ready outside the writer's goroutine.
type commitment struct {
	parts  []part
	pieces []piece
	pages  int
}

// newCommitment checks the batches and encodes their records: the records of one run
// go into one piece as long as it is not too large.
func newCommitment(batches []runner.Batch) (*commitment, error) {
	c := &commitment{parts: make([]part, len(batches)), pages: 4}
	open := make(map[string]int, len(batches)) // run -> its last piece
	var total int
	var room []byte
	for i := range batches {
		b := &batches[i]
		if err := b.Check(); err != nil {
			return nil, err
		}
		n := len(b.Records)
		c.parts[i] = part{Batch: *b, first: b.Records[0].Seq, last: b.Records[n-1].Seq}
		at, ok := open[b.Run]
		if !ok || len(c.pieces[at].data) >= chunkBytesMax {
			at = len(c.pieces)
			open[b.Run] = at
			c.pieces = append(c.pieces, piece{run: b.Run, first: b.Records[0].Seq})
		}
		p := &c.pieces[at]
		before := len(p.data)
		p.data, room = appendChunk(p.data, room, b.Records)
		p.last = b.Records[n-1].Seq
		total += len(p.data) - before
	}
	c.pages += total/pageBytes + len(c.pieces)/64
	return c, nil
}

// write does the work of a commit inside the transaction.
func (c *commitment) write(w *writer) error {
	for i := range c.parts {
		if err := w.part(&c.parts[i]); err != nil {
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
	if err := w.pieces(c.pieces); err != nil {
		return err
	}
	for i := range c.parts {
		p := &c.parts[i]
		if p.State.Ended() {
			delete(w.runs.rows, p.Run)
		}
	}
	return nil
}

// part writes what a batch says besides its records, and checks that these follow.
func (w *writer) part(p *part) error {
	if p.New != nil {
		if err := w.newRun(p); err != nil {
			return err
		}
	}
	row, err := w.row(p.Run)
	if err != nil {
		return err
	}
	if p.first != row.seq+1 {
		return fmt.Errorf("%w: run %s is at %d, records begin at %d", runner.ErrSequence, p.Run, row.seq, p.first)
	}
	row.seq = p.last
	if p.State != row.state {
		if err := p.CheckState(row.state); err != nil {
			return err
		}
		var ended driver.Value
		if p.EndedAt != nil {
			ended = micros(*p.EndedAt)
		}
		if err := w.exec(w.stmt.state, string(p.State), ended, row.n); err != nil {
			return err
		}
		row.state = p.State
	}
	return w.timers(row, p)
}

func (w *writer) newRun(p *part) error {
	h := p.New
	if !w.runs.documents[h.Digest] {
		if err := w.exec(w.stmt.document, h.Digest, h.Document); err != nil {
			return err
		}
		if len(w.runs.documents) >= documentsKnownMax {
			clear(w.runs.documents)
		}
		w.runs.documents[h.Digest] = true
	}
	var key, ended driver.Value
	if h.StartKey != "" {
		key = h.StartKey
	}
	if p.EndedAt != nil {
		ended = micros(*p.EndedAt)
	}
	r, err := w.execResult(w.stmt.run, h.ID, h.Project, h.Name, h.Flow, int64(h.Version), h.Digest, h.Operator,
		string(p.State), key, h.StartHash, micros(h.CreatedAt), ended)
	if err != nil {
		return fmt.Errorf("sqlite: new run %s: %w", h.ID, err)
	}
	n, err := r.LastInsertId()
	if err != nil {
		return fmt.Errorf("sqlite: new run %s: %w", h.ID, err)
	}
	w.runs.rows[h.ID] = &runRow{n: n, state: p.State}
	return nil
}

func (w *writer) timers(row *runRow, p *part) error {
	if p.EndedAt != nil {
		return w.exec(w.stmt.clearTimers, row.n)
	}
	for _, t := range p.Timers {
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
func (w *writer) pieces(ps []piece) error {
	args := make([]driver.Value, 0, 3*chunkRows)
	for len(ps) > 0 {
		n, st := 1, w.stmt.chunk
		if len(ps) >= chunkRows {
			n, st = chunkRows, w.stmt.chunkMany
		}
		args = args[:0]
		for _, p := range ps[:n] {
			args = append(args, p.row.n, int64(p.last), p.data)
		}
		if err := w.exec(st, args...); err != nil {
			return err
		}
		ps = ps[n:]
	}
	return nil
}
