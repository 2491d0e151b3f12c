package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/store"
	"github.com/culmhq/culm/pdk/contract"
)

// auditedAt is when the entries of the tests begin, a minute apart.
func auditedAt() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

// fill writes calls of three systems in two projects.
func fill(t *testing.T, s *store.Store, n int) {
	t.Helper()
	for i := range n {
		row := gateway.AuditRow{
			At: auditedAt().Add(time.Duration(i) * time.Minute), Project: []string{"demo", "other"}[i%2], Run: fmt.Sprintf("run-%d", i%4), Node: "n",
			Actor: "local", Plugin: "http", System: fmt.Sprintf("s%d", i%3), Operation: "read", HTTPStatus: 200, Duration: time.Millisecond,
		}
		switch i % 5 {
		case 3:
			row.Failure = &contract.Failure{Code: gateway.CodeDenied, Message: "no", Origin: contract.OriginGateway}
		case 4:
			row.Failure = &contract.Failure{Code: gateway.CodeUpstreamTimeout, Message: "late", Origin: contract.OriginSystem}
		}
		if err := s.Audit().Append(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheCallLogIsFilteredAndPaged(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	p := hosttest.OpenAt(t, path)
	for _, id := range []string{"demo", "other"} {
		if err := p.Store.PutProject(t.Context(), projects.Project{ID: id, Name: id, Zone: "UTC"}); err != nil {
			t.Fatal(err)
		}
	}
	fill(t, p.Store, 60)
	service := audit.NewService(p.Store, projects.New(p.Store), time.Now)
	every := func(i int) bool { return i%2 == 0 }
	for name, tc := range map[string]struct {
		filter audit.Filter
		wanted func(i int) bool
	}{
		"all":           {audit.Filter{}, func(int) bool { return true }},
		"a project":     {audit.Filter{Project: "demo"}, every},
		"a system":      {audit.Filter{Project: "demo", System: "s1"}, func(i int) bool { return every(i) && i%3 == 1 }},
		"an outcome":    {audit.Filter{Project: "demo", Outcome: audit.OutcomeRefused}, func(i int) bool { return every(i) && i%5 == 3 }},
		"a run":         {audit.Filter{Run: "run-1", Kind: audit.KindCall}, func(i int) bool { return i%4 == 1 }},
		"a time":        {audit.Filter{From: auditedAt().Add(10 * time.Minute), To: auditedAt().Add(20 * time.Minute)}, func(i int) bool { return i >= 10 && i < 20 }},
		"another kind":  {audit.Filter{Kind: audit.KindAdmin}, func(int) bool { return false }},
		"somebody else": {audit.Filter{Actor: "mallory"}, func(int) bool { return false }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var want, got []int64
			for i := 59; i >= 0; i-- {
				if tc.wanted(i) {
					want = append(want, int64(i)+1)
				}
			}
			q := page.Query{Limit: 7}
			for {
				some, err := service.List(t.Context(), tc.filter, q)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range some.Items {
					got = append(got, e.Seq)
				}
				if q.Cursor = some.Next; q.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			// Who reads the file itself chooses alike.
			got = nil
			for l, err := range store.ReadAudit(t.Context(), path) {
				var e audit.Entry
				if err = errors.Join(err, json.Unmarshal(l.Entry, &e)); err != nil {
					t.Fatal(err)
				}
				if (audit.Range{Filter: tc.filter}).Holds(e) {
					got = append([]int64{e.Seq}, got...)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("of the file %v, want %v", got, want)
			}
		})
	}
}

func TestAChangeAndItsEntryAreOneTransaction(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Store
	put := func(id string) (*audit.Pending, error) {
		pending := audit.NewPending(audit.Entry{At: auditedAt(), Kind: audit.KindAdmin, Action: "systems.put", Project: "demo"})
		ctx := audit.WithPending(t.Context(), pending)
		_, err := s.PutSystem(ctx, registry.Stored{Project: "demo", ID: id, Version: 1, Document: []byte(`{}`), Digest: id}, registry.Entry{Version: 1})
		return pending, err
	}
	pending, err := put("a")
	if err != nil || !pending.Written() {
		t.Fatalf("%v, written %v", err, pending.Written())
	}
	lines, err := s.AuditLines(t.Context(), audit.Filter{Action: "systems.put"}, 0, 10)
	if err != nil || len(lines) != 1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
}

func TestWhatCannotBeAuditedIsNotDone(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	fill(t, p.Store, 3)
	// Somebody cuts the end off while the server runs.
	cut(t, p.DB, `DELETE FROM audit WHERE seq > 1`)
	pending := audit.NewPending(audit.Entry{At: auditedAt(), Kind: audit.KindAdmin, Action: "systems.put"})
	_, err := p.Store.PutSystem(audit.WithPending(t.Context(), pending),
		registry.Stored{Project: "demo", ID: "a", Version: 1, Document: []byte(`{}`)}, registry.Entry{Version: 1})
	if !errors.Is(err, audit.ErrUnwritable) || pending.Written() {
		t.Errorf("%v, written %v", err, pending.Written())
	}
	if _, err := p.Store.System(t.Context(), "demo", "a"); err == nil {
		t.Error("the system is there")
	}
	if err := p.Store.Audit().Append(t.Context(), gateway.AuditRow{At: auditedAt()}); err == nil {
		t.Error("a call was audited behind a log whose end is missing")
	}
}

func TestCallsFromBeforeTheChainAreTakenIntoIt(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	t.Run("before", func(t *testing.T) {
		p := hosttest.OpenAt(t, path)
		cut(t, p.DB, `INSERT INTO gateway_audit (at, project, run, flow, node, iteration, attempt, call, actor, plugin, digest, system, operation,
			method, credential, request_hash, http_status, failure, code, replayed, duration_us)
			VALUES (1, 'demo', 'r', 'f', 'n', 1, 2, 3, 'local', 'p', 'd', 's', 'o', 'GET', 'c', 'h', 200, NULL, '', 0, 7)`)
	})
	s := hosttest.OpenAt(t, path).Store
	rows, err := s.Audit().Rows(t.Context(), "demo", "r", "n")
	if err != nil || len(rows) != 1 || rows[0].Attempt != 2 || rows[0].CredentialID != "c" || rows[0].Duration != 7*time.Microsecond {
		t.Fatalf("%+v, %v", rows, err)
	}
}

// cut changes the database behind the back of the store.
func cut(t *testing.T, db *sqlite.DB, statement string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(ctx context.Context, tx *sqlite.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
