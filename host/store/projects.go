package store

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/projects"
)

var _ projects.Repository = (*Store)(nil)

// Project implements projects.Repository.
func (s *Store) Project(ctx context.Context, id string) (projects.Project, error) {
	row := s.db.Read().QueryRowContext(ctx, `SELECT id, name, zone, env FROM projects WHERE id = ?`, id)
	p, err := scanProject(row)
	return p, missing(err, "read project", "project", id)
}

// Projects implements projects.Repository.
func (s *Store) Projects(ctx context.Context, q page.Query) (page.Of[projects.Project], error) {
	none := page.Of[projects.Project]{}
	limit, err := q.Size()
	if err != nil {
		return none, err
	}
	after := ""
	if _, err := q.After(&after); err != nil {
		return none, err
	}
	rows, err := s.db.Read().QueryContext(ctx,
		`SELECT id, name, zone, env FROM projects WHERE id > ? ORDER BY id LIMIT ?`, after, limit+1)
	if err != nil {
		return none, fault.Wrap("list projects", err)
	}
	items, err := collect(rows, scanProject)
	if err != nil {
		return none, fault.Wrap("list projects", err)
	}
	return page.Cut(items, limit, func(p projects.Project) any { return p.ID })
}

// PutProject implements projects.Repository.
func (s *Store) PutProject(ctx context.Context, p projects.Project) error {
	if p.Env == nil {
		p.Env = map[string]json.RawMessage{}
	}
	env, err := asJSON(p.Env)
	if err != nil {
		return fault.Wrap("store project", err)
	}
	return fault.Wrap("store project", s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO projects (id, name, zone, env) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET name = excluded.name, zone = excluded.zone, env = excluded.env`,
			p.ID, p.Name, p.Zone, env)
		return err
	}))
}

func scanProject(row scanner) (projects.Project, error) {
	var p projects.Project
	var env []byte
	if err := row.Scan(&p.ID, &p.Name, &p.Zone, &env); err != nil {
		return p, err
	}
	return p, json.Unmarshal(env, &p.Env)
}
