package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/runs"
)

// Audit is the store as the audit of the gateway.
type Audit struct{ db database }

var (
	_ gateway.Audit = Audit{}
	_ runs.Audit    = Audit{}
)

// Audit returns the store as the audit of the gateway.
func (s *Store) Audit() Audit { return Audit{s.db} }

// Append implements gateway.Audit.
func (a Audit) Append(ctx context.Context, r gateway.AuditRow) error {
	e := entryOfCall(r)
	e.Source = audit.SourceOf(ctx) // of a call in a person's name, or for a form
	return a.db.appendCall(ctx, e)
}

func entryOfCall(r gateway.AuditRow) audit.Entry {
	e := audit.Entry{
		At: r.At, Kind: audit.KindCall, Actor: r.Actor, Project: r.Project, Outcome: audit.OutcomeOf(r.Failure),
		Run: r.Run, Flow: r.Flow, Node: r.Node, Iteration: r.Iteration, Attempt: r.Attempt, Call: r.Call, Plugin: r.Plugin, Digest: r.Digest,
		System: r.System, Operation: r.Operation, Method: r.Method, Credential: r.CredentialID, RequestHash: r.RequestHash,
		Status: r.HTTPStatus, Failure: r.Failure, Replayed: r.Replayed, SecretEcho: r.Echoed, DurationUS: r.Duration.Microseconds(),
	}
	if r.Failure != nil {
		e.Code = r.Failure.Code
	}
	return e
}

func callOfEntry(e audit.Entry) gateway.AuditRow {
	return gateway.AuditRow{
		At: e.At, Project: e.Project, Run: e.Run, Flow: e.Flow, Node: e.Node, Iteration: e.Iteration, Attempt: e.Attempt, Call: e.Call,
		Actor: e.Actor, Plugin: e.Plugin, Digest: e.Digest, System: e.System, Operation: e.Operation, Method: e.Method,
		CredentialID: e.Credential, RequestHash: e.RequestHash, HTTPStatus: e.Status, Failure: e.Failure, Replayed: e.Replayed,
		Echoed: e.SecretEcho, Duration: time.Duration(e.DurationUS) * time.Microsecond,
	}
}

// Rows returns the calls of one node of a run, in the order of their ends.
func (a Audit) Rows(ctx context.Context, project, run, node string) ([]gateway.AuditRow, error) {
	rows, err := a.db.Read().QueryContext(ctx, `SELECT entry FROM audit
		WHERE run = ? AND run <> '' AND node = ? AND project = ? AND kind = ? ORDER BY seq`, run, node, project, string(audit.KindCall))
	if err != nil {
		return nil, fault.Wrap("read the calls", err)
	}
	out, err := collect(rows, func(row scanner) (gateway.AuditRow, error) {
		var body []byte
		var e audit.Entry
		if err := row.Scan(&body); err != nil {
			return gateway.AuditRow{}, err
		}
		err := json.Unmarshal(body, &e)
		return callOfEntry(e), err
	})
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

// adoptCalls moves the calls that were audited before there was a chain into it.
func (s *Store) adoptCalls(ctx context.Context) error {
	for {
		moved, err := s.adoptSome(ctx)
		if err != nil || moved == 0 {
			return err
		}
	}
}

// adoptAtOnce is how many rows one transaction moves.
const adoptAtOnce = 1000

func (s *Store) adoptSome(ctx context.Context) (int, error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT id, at, project, run, flow, node, iteration, attempt, call, actor, plugin, digest,
		system, operation, method, credential, request_hash, http_status, failure, replayed, secret_echo, duration_us
		FROM gateway_audit ORDER BY id LIMIT ?`, adoptAtOnce)
	if err != nil {
		return 0, err
	}
	var last int64
	old, err := collect(rows, func(row scanner) (gateway.AuditRow, error) { return scanAudit(row, &last) })
	if err != nil || len(old) == 0 {
		return 0, err
	}
	return len(old), s.db.Write(ctx, func(ctx context.Context, tx *sqlite.Tx) error {
		for _, r := range old {
			if _, err := s.db.chain.put(ctx, tx, entryOfCall(r)); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM gateway_audit WHERE id <= ?`, last)
		return err
	})
}

func scanAudit(row scanner, id *int64) (gateway.AuditRow, error) {
	var r gateway.AuditRow
	var at, us int64
	var failure []byte
	err := row.Scan(id, &at, &r.Project, &r.Run, &r.Flow, &r.Node, &r.Iteration, &r.Attempt, &r.Call, &r.Actor, &r.Plugin, &r.Digest,
		&r.System, &r.Operation, &r.Method, &r.CredentialID, &r.RequestHash, &r.HTTPStatus, &failure, &r.Replayed, &r.Echoed, &us)
	r.At, r.Duration = instant(at), time.Duration(us)*time.Microsecond
	if err == nil && failure != nil {
		err = json.Unmarshal(failure, &r.Failure)
	}
	return r, err
}
