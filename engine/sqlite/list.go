package sqlite

import (
	"context"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
)

// List implements runner.Store.
func (s *Store) List(ctx context.Context, q runner.RunQuery) ([]runner.RunHead, error) {
	w := &selection{}
	w.run(&q)
	w.time(&q)
	from := w.states(q.States)
	order, beyond := "DESC", "r.n < ?"
	if q.Oldest {
		order, beyond = "ASC", "r.n > ?"
	}
	if q.Before != "" {
		n, err := s.number(ctx, q.Before)
		if err != nil {
			return nil, err
		}
		w.add(beyond, n)
	}
	query := `SELECT ` + headColumns + ` FROM runs r ` + from + ` WHERE ` + strings.Join(append(w.where, "true"), " AND ") + ` ORDER BY r.n ` + order
	if q.Limit > 0 {
		query += " LIMIT ?"
		w.args = append(w.args, q.Limit)
	}
	return s.heads(ctx, query, w.args...)
}

// selection collects the conditions of a query. Only constants are joined into its text;
// every value is a parameter.
type selection struct {
	where []string
	args  []any
}

func (w *selection) add(condition string, values ...any) {
	w.where, w.args = append(w.where, condition), append(w.args, values...)
}

// run selects by what a run is.
func (w *selection) run(q *runner.RunQuery) {
	if q.Project != "" {
		w.add("r.project = ?", q.Project)
	}
	if q.Flow != "" {
		w.add("r.flow = ?", q.Flow)
	}
	if q.Operator != "" {
		w.add("r.operator = ?", q.Operator)
	}
	if q.Roots {
		w.add("r.parent IS NULL")
	}
	if q.Parent != "" {
		w.add("r.parent = ?", q.Parent)
	}
	if q.Text != "" {
		// lower changes ASCII letters only, as runner.Fold does.
		text := runner.Fold(q.Text)
		w.add("(instr(lower(r.name), ?) > 0 OR instr(lower(r.id), ?) > 0 OR instr(lower(r.flow), ?) > 0)", text, text, text)
	}
}

// time selects by when a run was created.
func (w *selection) time(q *runner.RunQuery) {
	if !q.From.IsZero() {
		w.add("r.created_at >= ?", q.From.UnixMicro())
	}
	if !q.To.IsZero() {
		w.add("r.created_at < ?", q.To.UnixMicro())
	}
}

// states selects by state, and returns which index to use where few of many runs are
// selected: the planner cannot know that most runs have ended well.
func (w *selection) states(states []engine.RunState) string {
	if len(states) == 0 {
		return ""
	}
	values := make([]any, len(states))
	for i, st := range states {
		values[i] = string(st)
	}
	w.add("r.state IN (?"+strings.Repeat(", ?", len(values)-1)+")", values...)
	switch {
	case !slices.ContainsFunc(states, engine.RunState.Ended):
		w.add("r.ended_at IS NULL")
		return "INDEXED BY runs_live"
	case len(states) == 1 && states[0] == engine.RunFailed:
		w.add("r.state = 'failed'")
		return "INDEXED BY runs_failed"
	default:
		return ""
	}
}
