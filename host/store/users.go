package store

import (
	"context"
	"encoding/json"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
)

var _ flows.Users = (*Store)(nil)

// PluginUsages implements flows.Users. Documents are read as they are: this is asked
// rarely, and a table of who uses what would have to be kept right by every other
// statement. The quoted id is looked for in the text first, which is much quicker.
func (s *Store) PluginUsages(ctx context.Context, project, plugin string, most, versions int) ([]flows.Usage, error) {
	rows, err := s.db.Read().QueryContext(ctx, `
		WITH documents (flow, number, body) AS (
			SELECT id, 0, CAST(document AS TEXT) FROM flows WHERE project = ?1
			UNION ALL
			SELECT v.flow, v.number, CAST(v.document AS TEXT) FROM flow_versions v
			JOIN flows f ON f.project = v.project AND f.id = v.flow AND v.number > f.version - ?4
			WHERE v.project = ?1),
		nodes (flow, number, node) AS (
			SELECT d.flow, d.number, n.value FROM documents d, json_each(d.body, '$.nodes') n
			WHERE instr(d.body, '"' || ?2 || '"') > 0
			UNION ALL
			SELECT d.flow, d.number, n.value FROM documents d, json_each(d.body, '$.subflows') s, json_each(s.value, '$.nodes') n
			WHERE instr(d.body, '"' || ?2 || '"') > 0),
		used (flow, number, action) AS (
			SELECT DISTINCT flow, number, node ->> 'action' FROM nodes
			WHERE node ->> 'type' = 'task' AND node ->> 'plugin' = ?2)
		SELECT u.flow, f.name, f.version, u.number, coalesce(u.action, '') FROM used u
		JOIN flows f ON f.project = ?1 AND f.id = u.flow
		WHERE u.flow IN (SELECT DISTINCT flow FROM used ORDER BY flow LIMIT ?3)
		ORDER BY u.flow, u.number, u.action`, project, plugin, most, versions)
	if err != nil {
		return nil, fault.Wrap("read the flows that use a plugin", err)
	}
	out, err := collect(rows, func(row scanner) (flows.Usage, error) {
		var u flows.Usage
		var name []byte
		if err := row.Scan(&u.Flow, &name, &u.Latest, &u.Number, &u.Action); err != nil {
			return u, err
		}
		return u, json.Unmarshal(name, &u.Name)
	})
	return out, fault.Wrap("read the flows that use a plugin", err)
}
