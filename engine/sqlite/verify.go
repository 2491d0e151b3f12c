package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

// problemsMax is at how many problems Verify stops looking.
const problemsMax = 100

// Verify checks a database file that no process has open: the structure of the file,
// and of every run that its records are without a gap, are a history that
// engine.CheckHistory accepts, and describe what the other tables say of the run: its
// row and its timers. It changes nothing, and returns all problems joined. graphs makes
// the graph of a flow version.
func Verify(ctx context.Context, path string, graphs runner.Graphs) (err error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector{dsn: dsn(path, 5*time.Second, true)})
	defer func() { err = errors.Join(err, db.Close(), unlock(lock)) }()
	if err := quickCheck(ctx, db); err != nil {
		return err
	}
	v := &verifier{store: &Store{db: &DB{path: path, read: db}}, graphs: graphs, timers: map[string][]runner.Timer{}}
	return v.all(ctx)
}

type verifier struct {
	store  *Store
	graphs runner.Graphs
	timers map[string][]runner.Timer // of the table, by run
}

func (v *verifier) all(ctx context.Context) error {
	heads, err := v.store.List(ctx, runner.RunQuery{})
	if err != nil {
		return err
	}
	ts, err := v.store.Timers(ctx)
	if err != nil {
		return err
	}
	for _, t := range ts {
		v.timers[t.Run] = append(v.timers[t.Run], t)
	}
	var problems []error
	for i := range heads {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.run(ctx, &heads[i]); err != nil {
			problems = append(problems, fmt.Errorf("run %s: %w", heads[i].ID, err))
		}
		if len(problems) == problemsMax {
			problems = append(problems, errors.New("and perhaps more"))
			break
		}
	}
	return errors.Join(problems...)
}

func (v *verifier) run(ctx context.Context, h *runner.RunHead) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the core panicked: %v", p)
		}
	}()
	rs, err := v.store.Records(ctx, h.ID, 0, 0)
	if err != nil {
		return err
	}
	if err := gaps(rs); err != nil {
		return err
	}
	first, ok := rs[0].Data.(engine.RunStarted)
	if !ok {
		return fmt.Errorf("its first record is %s", rs[0].Kind)
	}
	if err := sameHead(h, &first); err != nil {
		return err
	}
	document, err := v.store.document(ctx, h.Digest)
	if err != nil {
		return err
	}
	g, err := v.graphs.Graph(ctx, h.Digest, document, first.Plugins)
	if err != nil {
		return err
	}
	if err := engine.CheckHistory(g, rs); err != nil {
		return err
	}
	s, err := engine.Replay(g, rs)
	if err != nil {
		return err
	}
	return v.row(h, g, s)
}

// sameHead compares what the row of a run says of its begin with its first record.
func sameHead(h *runner.RunHead, first *engine.RunStarted) error {
	if first.Run != h.ID || first.Project != h.Project || first.Flow != h.Flow || first.Version != h.Version || first.Digest != h.Digest {
		return fmt.Errorf("its row says %s/%s/%d/%s, its first record %s/%s/%d/%s",
			h.Project, h.Flow, h.Version, h.Digest, first.Project, first.Flow, first.Version, first.Digest)
	}
	if a, b := first.Parent, h.Parent; (a == nil) != (b == nil) || a != nil && *a != *b {
		return fmt.Errorf("its row says that its parent is %+v, its first record %+v", h.Parent, first.Parent)
	}
	return nil
}

// gaps checks the numbers of all records.
func gaps(rs []engine.Record) error {
	if len(rs) == 0 {
		return errors.New("it has no records")
	}
	for i := range rs {
		if rs[i].Seq != uint64(i)+1 {
			return fmt.Errorf("record %d stands where %d should", rs[i].Seq, i+1)
		}
	}
	return nil
}

// row compares what the tables say with what the records say.
func (v *verifier) row(h *runner.RunHead, g *engine.Graph, s *engine.State) error {
	if h.Seq != s.Seq() || h.State != s.RunState() {
		return fmt.Errorf("its row is at %d (%s), its records at %d (%s)", h.Seq, h.State, s.Seq(), s.RunState())
	}
	if (h.EndedAt != nil) != h.State.Ended() {
		return fmt.Errorf("it is %s, and the time of its end is %v", h.State, h.EndedAt)
	}
	var want []runner.Timer
	for _, c := range engine.Outstanding(g, s) {
		if c, ok := c.(engine.SetTimer); ok {
			want = append(want, runner.Timer{Run: h.ID, Node: c.Node, Epoch: c.Epoch, Due: fromMicros(micros(c.Due))})
		}
	}
	got := v.timers[h.ID]
	for _, ts := range [][]runner.Timer{want, got} {
		slices.SortFunc(ts, func(a, b runner.Timer) int { return cmp.Compare(a.Node, b.Node) })
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("its timers are %v, its records say %v", got, want)
	}
	return nil
}
