package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/runs"
)

// Audit is the store as the audit of the gateway.
type Audit struct{ db *sqlite.DB }

var (
	_ gateway.Audit = Audit{}
	_ runs.Audit    = Audit{}
)

// Audit returns the store as the audit of the gateway.
func (s *Store) Audit() Audit { return Audit{s.db} }

// Append implements gateway.Audit.
func (a Audit) Append(ctx context.Context, r gateway.AuditRow) error {
	var failure []byte
	var code string
	if r.Failure != nil {
		var err error
		if failure, err = json.Marshal(r.Failure); err != nil {
			return fmt.Errorf("store: audit: %w", err)
		}
		code = r.Failure.Code
	}
	err := a.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO gateway_audit (at, project, run, flow, node, iteration, attempt, call, actor,
			plugin, digest, system, operation, method, credential, request_hash, http_status, failure, code, replayed, secret_echo, duration_us)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			micros(r.At), r.Project, r.Run, r.Flow, r.Node, r.Iteration, r.Attempt, r.Call, r.Actor, r.Plugin, r.Digest,
			r.System, r.Operation, r.Method, r.CredentialID, r.RequestHash, r.HTTPStatus, failure, code, r.Replayed, r.Echoed, r.Duration.Microseconds())
		return err
	})
	if err != nil {
		return fmt.Errorf("store: audit: %w", err)
	}
	return nil
}

const auditColumns = `at, project, run, flow, node, iteration, attempt, call, actor, plugin, digest, system, operation, method,
	credential, request_hash, http_status, failure, replayed, secret_echo, duration_us`

// Rows returns the audit of one node of a run, in the order of the calls' ends.
func (a Audit) Rows(ctx context.Context, project, run, node string) ([]gateway.AuditRow, error) {
	rows, err := a.db.Read().QueryContext(ctx, `SELECT `+auditColumns+` FROM gateway_audit
		WHERE project = ? AND run = ? AND node = ? ORDER BY id`, project, run, node)
	if err != nil {
		return nil, fault.Wrap("read the calls", err)
	}
	out, err := collect(rows, scanAudit)
	return out, fault.Wrap("read the calls", err)
}

// Calls implements runs.Audit.
func (a Audit) Calls(ctx context.Context, project, run, node string) ([]runs.Call, error) {
	rows, err := a.Rows(ctx, project, run, node)
	if err != nil {
		return nil, err
	}
	out := make([]runs.Call, len(rows))
	for i, r := range rows {
		out[i] = runs.Call{
			Iteration: r.Iteration, Attempt: r.Attempt, At: r.At, System: r.System, Operation: r.Operation,
			Method: r.Method, Status: r.HTTPStatus, Failure: r.Failure, SecretEcho: r.Echoed, DurationMS: r.Duration.Milliseconds(),
		}
	}
	return out, nil
}

func scanAudit(row scanner) (gateway.AuditRow, error) {
	var r gateway.AuditRow
	var at, us int64
	var failure []byte
	err := row.Scan(&at, &r.Project, &r.Run, &r.Flow, &r.Node, &r.Iteration, &r.Attempt, &r.Call, &r.Actor, &r.Plugin, &r.Digest,
		&r.System, &r.Operation, &r.Method, &r.CredentialID, &r.RequestHash, &r.HTTPStatus, &failure, &r.Replayed, &r.Echoed, &us)
	r.At, r.Duration = instant(at), time.Duration(us)*time.Microsecond
	if err == nil && failure != nil {
		err = json.Unmarshal(failure, &r.Failure)
	}
	return r, err
}
