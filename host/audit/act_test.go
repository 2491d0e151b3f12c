package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/registry"
)

// cut changes the database behind the back of the store.
func cut(t *testing.T, p *hosttest.Product, statement string) {
	t.Helper()
	err := p.DB.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryActHasOneEntryWithItsOutcome(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		do      func(context.Context, *hosttest.Product) error
		entries int
		outcome audit.Outcome
		code    string
	}{
		"a change": {func(ctx context.Context, p *hosttest.Product) error { return put(ctx, p, "a") }, 1, audit.OutcomeOK, ""},
		"two changes": {func(ctx context.Context, p *hosttest.Product) error {
			return errors.Join(put(ctx, p, "a"), put(ctx, p, "b"))
		}, 1, audit.OutcomeOK, ""},
		"nothing to change": {func(context.Context, *hosttest.Product) error { return nil }, 1, audit.OutcomeOK, ""},
		"somebody was faster": {func(ctx context.Context, p *hosttest.Product) error {
			stale := registry.Stored{Project: "demo", ID: "a", Version: 7, Document: []byte(`{}`)}
			if ok, err := p.Store.PutSystem(ctx, stale, registry.Entry{Version: 7}); ok || err != nil {
				return errors.New("the stale version was stored")
			}
			return fault.New(fault.Conflict, "somebody was faster")
		}, 1, audit.OutcomeRefused, "CONFLICT"},
		"a refusal": {
			func(context.Context, *hosttest.Product) error { return fault.Missing("system", "x") }, 1, audit.OutcomeRefused, "NOT_FOUND",
		},
		"a failure": {
			func(context.Context, *hosttest.Product) error { return errors.New("disk") }, 1, audit.OutcomeFailed, "INTERNAL",
		},
		"a failure behind a change": {func(ctx context.Context, p *hosttest.Product) error {
			return errors.Join(put(ctx, p, "a"), fault.New(fault.Conflict, "later"))
		}, 2, audit.OutcomeRefused, "CONFLICT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := hosttest.Open(t)
			s := audit.NewService(p.Store, projects.New(p.Store), time.Now)
			act := audit.Entry{Actor: "local", Action: "systems.put", Project: "demo"}
			err := s.Act(t.Context(), act, func(ctx context.Context) error { return tc.do(ctx, p) })
			if (err == nil) != (tc.outcome == audit.OutcomeOK) {
				t.Fatal(err)
			}
			lines, err := p.Store.AuditLines(t.Context(), audit.Filter{Action: "systems.put"}, 0, 9)
			if err != nil || len(lines) != tc.entries {
				t.Fatalf("%d entries, %v", len(lines), err)
			}
			var e audit.Entry
			if err := json.Unmarshal(lines[0].Entry, &e); err != nil || e.Outcome != tc.outcome || e.Code != tc.code || e.Actor != "local" {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

func TestAnActThatCannotBeEnteredIsAFailure(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s := audit.NewService(p.Store, projects.New(p.Store), time.Now)
	act := func(do func(context.Context) error) error {
		return s.Act(t.Context(), audit.Entry{Action: "x"}, do)
	}
	nothing := func(context.Context) error { return nil }
	if err := errors.Join(act(nothing), act(nothing)); err != nil {
		t.Fatal(err)
	}
	cut(t, p, `DELETE FROM audit WHERE seq > 1`)
	if err := act(nothing); !fault.Is(err, fault.Internal) {
		t.Errorf("%v", err)
	}
	if err := act(func(ctx context.Context) error { return put(ctx, p, "a") }); err == nil {
		t.Error("done without an entry")
	}
	if _, err := p.Store.System(t.Context(), "demo", "a"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the system is there: %v", err)
	}
}

func put(ctx context.Context, p *hosttest.Product, id string) error {
	_, err := p.Store.PutSystem(ctx, registry.Stored{Project: "demo", ID: id, Version: 1, Document: []byte(`{}`), Digest: id}, registry.Entry{Version: 1})
	return err
}
