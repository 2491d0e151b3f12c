package store

import (
	"context"
	"fmt"

	"github.com/culmhq/culm/host/audit"
)

var _ audit.Exporter = (*Store)(nil)

// AuditSpan implements audit.Exporter.
func (s *Store) AuditSpan(ctx context.Context, f audit.Filter) (after, through int64, err error) {
	err = s.db.Read().QueryRowContext(ctx, `SELECT coalesce(min(seq), 1) - 1, coalesce(max(seq), 0) FROM audit`).Scan(&after, &through)
	if err == nil && !f.From.IsZero() {
		err = s.db.Read().QueryRowContext(ctx, `SELECT coalesce((SELECT seq FROM audit WHERE at >= ? ORDER BY at, seq LIMIT 1) - 1, ?)`,
			micros(f.From.Add(-slackOfTime)), through).Scan(&after)
	}
	if err == nil && !f.To.IsZero() {
		err = s.db.Read().QueryRowContext(ctx, `SELECT coalesce((SELECT seq FROM audit WHERE at < ? ORDER BY at DESC, seq DESC LIMIT 1), ?)`,
			micros(f.To.Add(slackOfTime)), after).Scan(&through)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("store: read the audit: %w", err)
	}
	return after, through, nil
}

// AuditAfter implements audit.Exporter.
func (s *Store) AuditAfter(ctx context.Context, f audit.Filter, after, through int64, limit int) ([]audit.Line, error) {
	where, args := auditWhere(f, through+1)
	rows, err := s.db.Read().QueryContext(ctx, `SELECT entry, hash FROM audit `+where+` AND seq > ? ORDER BY seq LIMIT ?`, append(args, after, limit)...)
	if err != nil {
		return nil, fmt.Errorf("store: read the audit: %w", err)
	}
	return collect(rows, scanLine)
}
