package store

import (
	"context"
	"strings"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/page"
)

// place is where a page of flows starts: At where they are listed by change, Name where
// they are by name; then by id.
type place struct {
	At   int64  `json:"at,omitempty"`
	Name string `json:"name,omitempty"`
	ID   string `json:"id"`
}

// Flows implements flows.Repository.
func (s *Store) Flows(ctx context.Context, q flows.ListQuery) (page.Of[flows.Draft], error) {
	none := page.Of[flows.Draft]{}
	limit, err := q.Page.Size()
	if err != nil {
		return none, err
	}
	var after place
	further, err := q.Page.After(&after)
	if err != nil {
		return none, err
	}
	where, args := flowFilter(&q)
	key, cursor := flowKey(q.Sort)
	order, beyond := "DESC", "<"
	if q.Ascending {
		order, beyond = "ASC", ">"
	}
	if further {
		where = append(where, "("+key+", id) "+beyond+" (?, ?)")
		args = append(args, cursor(after), after.ID)
	}
	// Only constants are joined into the text; every value is a parameter.
	rows, err := s.db.Read().QueryContext(ctx, `SELECT `+draftColumns+`, `+key+` FROM flows WHERE `+strings.Join(where, " AND ")+
		` ORDER BY `+key+` `+order+`, id `+order+` LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return none, fault.Wrap("list flows", err)
	}
	type item struct {
		draft flows.Draft
		key   any
	}
	items, err := collect(rows, func(row scanner) (item, error) {
		var i item
		var err error
		i.draft, err = scanDraft(row, &i.key)
		return i, err
	})
	if err != nil {
		return none, fault.Wrap("list flows", err)
	}
	cut, err := page.Cut(items, limit, func(i item) any {
		p := place{ID: i.draft.ID}
		switch k := i.key.(type) {
		case int64:
			p.At = k
		case string:
			p.Name = k
		}
		return p
	})
	if err != nil {
		return none, err
	}
	out := page.Of[flows.Draft]{Items: make([]flows.Draft, 0, len(cut.Items)), Next: cut.Next}
	for i := range cut.Items {
		out.Items = append(out.Items, cut.Items[i].draft)
	}
	return out, nil
}

// flowKey returns what flows are sorted by, and how a cursor holds it.
func flowKey(s flows.Sort) (key string, cursor func(place) any) {
	byName := func(p place) any { return p.Name }
	switch s {
	case flows.SortNameEn:
		return `lower(coalesce(name ->> '$.en', name ->> '$.zh', name ->> '$'))`, byName
	case flows.SortNameZh:
		return `lower(coalesce(name ->> '$.zh', name ->> '$.en', name ->> '$'))`, byName
	case flows.SortUpdated:
	}
	return "updated_at", func(p place) any { return p.At }
}

func flowFilter(q *flows.ListQuery) (where []string, args []any) {
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	add("project = ?", q.Project)
	if q.Search != "" {
		add("instr(search, ?) > 0", strings.ToLower(q.Search))
	}
	if q.By != "" {
		add("updated_by = ?", q.By)
	}
	if !q.From.IsZero() {
		add("updated_at >= ?", micros(q.From))
	}
	if !q.To.IsZero() {
		add("updated_at < ?", micros(q.To))
	}
	switch q.Stage {
	case flows.StageDraft:
		add("version = 0")
	case flows.StagePublished:
		add("version > 0")
	case flows.StageChanged:
		add("version > 0 AND revision <> published_revision")
	case flows.StageInvalid:
		add("valid = 0")
	}
	return where, args
}
