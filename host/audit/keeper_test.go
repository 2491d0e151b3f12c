package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/store"
)

// clock stands still where a test puts it.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func (c *clock) After(time.Duration) (<-chan time.Time, func()) { return nil, func() {} }

// kept is a log in a real database, with its keeper.
type kept struct {
	*store.Store
	keeper  *audit.Keeper
	anchors *audit.Anchors
	clock   *clock
	log     bytes.Buffer
	path    string
	dir     string
}

func keep(t *testing.T, dir string) *kept {
	t.Helper()
	k := &kept{clock: &clock{at(0)}, dir: dir, path: filepath.Join(dir, "culm.db")}
	k.Store = hosttest.OpenAt(t, k.path).Store
	var err error
	if k.anchors, err = audit.OpenAnchors(filepath.Join(dir, "anchors"), filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	k.keeper = audit.NewKeeper(audit.KeeperOptions{
		Log: k.Store, Anchors: k.anchors, Clock: k.clock, Logger: slog.New(slog.NewTextHandler(&k.log, nil)), Every: time.Minute, Keep: 30 * 24 * time.Hour,
	})
	return k
}

func (k *kept) add(t *testing.T, n int, when time.Time) {
	t.Helper()
	for range n {
		if _, err := k.AppendAudit(t.Context(), audit.Entry{At: when, Kind: audit.KindAdmin, Action: "a", Outcome: audit.OutcomeOK}); err != nil {
			t.Fatal(err)
		}
	}
}

func (k *kept) anchor(t *testing.T) {
	t.Helper()
	if err := k.keeper.Anchor(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// verify reads the database file as culm audit verify does.
func (k *kept) verify(t *testing.T) audit.Report {
	t.Helper()
	all, err := audit.ReadAnchors(filepath.Join(k.dir, "anchors"))
	if err != nil {
		t.Fatal(err)
	}
	places, bad := audit.CheckAnchors(all, k.anchors.Public())
	r, err := audit.Verify(store.ReadAudit(t.Context(), k.path), places)
	if err != nil {
		t.Fatal(err)
	}
	r.Findings = append(bad, r.Findings...)
	return r
}

func TestALogThatWasShortenedStaysVerifiable(t *testing.T) {
	t.Parallel()
	k := keep(t, filepath.Join(t.TempDir(), "data"))
	k.add(t, 1500, at(0))
	k.anchor(t)
	k.add(t, 700, at(0).Add(24*time.Hour))
	k.add(t, 3, at(0).Add(50*24*time.Hour))
	for round, want := range []int64{0, 2200, 0} {
		k.clock.now = at(0).Add(time.Duration(round) * 50 * 24 * time.Hour)
		if round == 2 {
			k.clock.now = at(0).Add(51 * 24 * time.Hour)
		}
		n, err := k.keeper.Shorten(t.Context())
		if err != nil || n != want {
			t.Fatalf("round %d: deleted %d, %v, want %d", round, n, err, want)
		}
		k.anchor(t)
		if r := k.verify(t); !r.OK() || r.Anchors == 0 {
			t.Fatalf("round %d: %+v", round, r)
		}
	}
	// Long after, only what says that everything was deleted is left, and the newest.
	k.clock.now = at(0).Add(500 * 24 * time.Hour)
	if _, err := k.keeper.Shorten(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := k.verify(t); !r.OK() || r.Entries > 2 || r.Head.Seq < 2203 {
		t.Fatalf("%+v", r)
	}
}

func TestALogThatLostItsEndSaysSoAtTheNextStart(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	t.Run("before", func(t *testing.T) {
		k := keep(t, dir)
		k.add(t, 10, at(0))
		k.anchor(t)
	})
	t.Run("cut", func(t *testing.T) {
		p := hosttest.OpenAt(t, filepath.Join(dir, "culm.db"))
		cut(t, p, `DELETE FROM audit WHERE seq > 6`)
	})
	k := keep(t, dir)
	if r := k.verify(t); len(r.Findings) != 1 || r.Findings[0].Code != audit.FoundEnd {
		t.Errorf("%+v", r)
	}
	if err := k.keeper.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(k.log.String(), "its end is missing") {
		t.Errorf("the log of the server: %s", k.log.String())
	}
	lines, err := k.AuditLines(t.Context(), audit.Filter{Action: audit.ActionEndMissing}, 0, 9)
	if err != nil || len(lines) != 1 || !strings.Contains(string(lines[0].Entry), `"seq":10`) {
		t.Errorf("%s, %v", lines, err)
	}
	// Going on does not heal it: entry 10 is another one now.
	k.add(t, 10, at(0))
	k.anchor(t)
	if r := k.verify(t); r.OK() {
		t.Error("what was lost is not found any more")
	}
}

func TestAnchorsNeedTheKey(t *testing.T) {
	t.Parallel()
	k := keep(t, filepath.Join(t.TempDir(), "data"))
	k.add(t, 5, at(0))
	k.anchor(t)
	k.anchor(t) // nothing new: no second one
	path := filepath.Join(k.dir, "anchors")
	all, err := audit.ReadAnchors(path)
	if err != nil || len(all) != 1 || !strings.Contains(k.log.String(), all[0].Signature) {
		t.Fatalf("%+v, %v; log %s", all, err, k.log.String())
	}
	forged := all[0]
	forged.Seq = 4
	line, err := json.Marshal(forged)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(line, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := k.verify(t); len(r.Findings) != 1 || r.Findings[0].Code != audit.FoundForged {
		t.Errorf("%+v", r)
	}
	key := filepath.Join(k.dir, "key")
	if public, err := audit.ReadPublic(key + audit.PublicSuffix); err != nil || !public.Equal(k.anchors.Public()) {
		t.Errorf("public key: %v", err)
	}
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.OpenAnchors(path, key); err == nil {
		t.Error("a key that everybody may read is used")
	}
}

func TestOldAnchorsAreThinned(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "anchors")
	a, err := audit.OpenAnchors(path, filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 { // ten days, four a day
		if _, err := a.Add(audit.Head{Seq: int64(i) + 1, Hash: "h"}, at(i*6*60)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"seq":`); err != nil { // the process died here
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.Thin(at(39 * 6 * 60)); err != nil {
		t.Fatal(err)
	}
	left, err := audit.ReadAnchors(path)
	if err != nil || len(left) >= 40 || len(left) < 28 || left[len(left)-1].Seq != 40 {
		t.Errorf("%d left, %v", len(left), err)
	}
	for _, n := range left {
		if !n.Valid(a.Public()) {
			t.Errorf("anchor %d is not valid any more", n.Seq)
		}
	}
}

func TestTheKeeperEndsWithItsContext(t *testing.T) {
	t.Parallel()
	k := keep(t, filepath.Join(t.TempDir(), "data"))
	k.add(t, 1, at(0))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); k.keeper.Run(ctx) }()
	cancel()
	<-done
}
