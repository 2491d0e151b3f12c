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

// OperationUsages implements flows.Users, in the same way. A task names an operation when one
// of its inputs is the system and another the operation.
func (s *Store) OperationUsages(ctx context.Context, project, system, operation string, most int) ([]flows.OperationUsage, error) {
	const what = "read the flows that use an operation"
	rows, err := s.db.Read().QueryContext(ctx, `
		WITH documents (flow, draft, body) AS (
			SELECT id, 1, CAST(document AS TEXT) FROM flows WHERE project = ?1
			UNION ALL
			SELECT v.flow, 0, CAST(v.document AS TEXT) FROM flow_versions v
			JOIN flows f ON f.project = v.project AND f.id = v.flow AND v.number = f.version
			WHERE v.project = ?1),
		likely (flow, draft, body) AS (
			SELECT flow, draft, body FROM documents
			WHERE instr(body, '"' || ?2 || '"') > 0 AND instr(body, '"' || ?3 || '"') > 0),
		parts (flow, draft, part) AS (
			SELECT flow, draft, body FROM likely
			UNION ALL
			SELECT l.flow, l.draft, s.value FROM likely l, json_each(l.body, '$.subflows') s),
		used (flow, draft, node) AS (
			SELECT p.flow, p.draft, n.value ->> 'id' FROM parts p, json_each(p.part, '$.nodes') n
			WHERE n.value ->> 'type' = 'task'
			AND EXISTS (SELECT 1 FROM json_each(n.value, '$.inputs') i WHERE i.value = ?2)
			AND EXISTS (SELECT 1 FROM json_each(n.value, '$.inputs') i WHERE i.value = ?3)
			UNION
			SELECT p.flow, p.draft, '' FROM parts p, json_each(p.part, '$.variables') v, json_each(v.value, '$.uses') u
			WHERE u.value ->> 'system' = ?2 AND u.value ->> 'operation' = ?3)
		SELECT u.flow, f.name, u.draft, coalesce(u.node, '') FROM used u
		JOIN flows f ON f.project = ?1 AND f.id = u.flow
		WHERE u.flow IN (SELECT DISTINCT flow FROM used ORDER BY flow LIMIT ?4)
		ORDER BY u.flow, u.draft, u.node`, project, system, operation, most)
	if err != nil {
		return nil, fault.Wrap(what, err)
	}
	out, err := collect(rows, func(row scanner) (flows.OperationUsage, error) {
		var u flows.OperationUsage
		var name []byte
		if err := row.Scan(&u.Flow, &name, &u.Draft, &u.Node); err != nil {
			return u, err
		}
		return u, json.Unmarshal(name, &u.Name)
	})
	return out, fault.Wrap(what, err)
}
