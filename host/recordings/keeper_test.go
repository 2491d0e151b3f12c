package recordings_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

const (
	run, node = "run-1", "deploy"
	canary    = "c4nary-hunter2-secret"
)

// open makes a keeper over a product's store.
func open(t *testing.T, p *hosttest.Product, policy recordings.Policy) (*recordings.Keeper, *secrets.Vault) {
	t.Helper()
	return keeper(t, p, p.Vault, policy), p.Vault
}

func keeper(t *testing.T, p *hosttest.Product, s recordings.Secrets, policy recordings.Policy) *recordings.Keeper {
	t.Helper()
	k := recordings.New(recordings.Options{
		Repository: p.Store, Secrets: s, Clock: clock{p.Clock, make(chan time.Time)}, Logger: slog.New(slog.DiscardHandler), Policy: policy,
	})
	t.Cleanup(func() { _ = k.Close() })
	return k
}

// clock is the product's clock; it waits until the test says that it is time.
type clock struct {
	*hosttest.Clock
	tick chan time.Time
}

func (c clock) After(time.Duration) (<-chan time.Time, func()) { return c.tick, func() {} }

func policy(m recordings.Mode) recordings.Policy {
	return recordings.Policy{Mode: m, CallBytes: 1 << 20, TotalBytes: 1 << 20, Age: time.Hour}
}

// ended is a call of an attempt, made now.
func ended(p *hosttest.Product, attempt, call int, status recordings.Status, text string) recordings.Call {
	return recordings.Call{
		Place: recordings.Place{
			Project: hosttest.Project, Run: run, Node: node, Attempt: attempt, Call: call,
		},
		Reason: contract.ReasonExecute, Plugin: "toy", Action: "add", Status: status,
		Recording: &replay.Recording{
			Format: replay.Format, Digest: "sha256:1", Export: "execute", At: p.Clock.Now(), Input: replay.Data(text),
			Events: []replay.Event{{Kind: replay.KindGateway, Ask: replay.Data("{}"), Answer: replay.Data(text)}},
		},
	}
}

func list(t *testing.T, k *recordings.Keeper) []recordings.Meta {
	t.Helper()
	var all []recordings.Meta
	q := page.Query{Limit: 3}
	for {
		got, err := k.List(t.Context(), hosttest.Project, run, node, q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got.Items...)
		if q.Cursor = got.Next; q.Cursor == "" {
			return all
		}
	}
}

// statuses writes what is kept as attempt.call status.
func statuses(ms []recordings.Meta) string {
	var b strings.Builder
	for _, m := range ms {
		b.WriteString(string(rune('0'+m.Attempt)) + "." + string(rune('0'+m.Call)) + " " + string(m.Status) + "; ")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestModesSayWhichCallsAreKept(t *testing.T) {
	t.Parallel()
	for mode, want := range map[recordings.Mode]string{
		recordings.Off:      "",
		recordings.Failures: "2.0 waiting; 2.1 failed; 3.0 unknown; 4.0 waiting",
		recordings.All:      "1.0 waiting; 1.1 succeeded; 2.0 waiting; 2.1 failed; 3.0 unknown; 4.0 waiting; 5.0 succeeded",
	} {
		p := hosttest.Open(t)
		k, _ := open(t, p, policy(mode))
		for _, c := range []struct {
			attempt, call int
			status        recordings.Status
		}{
			{1, 0, recordings.Waiting},
			{1, 1, recordings.Succeeded},
			{2, 0, recordings.Waiting},
			{2, 1, recordings.Failed},
			{3, 0, recordings.Unknown},
			{4, 0, recordings.Waiting},
			{5, 0, recordings.Succeeded},
		} {
			k.Keep(t.Context(), ended(p, c.attempt, c.call, c.status, "x"))
		}
		if got := statuses(list(t, k)); got != want {
			t.Errorf("%s keeps %q, want %q", mode, got, want)
		}
		if (k.Bytes() == 0) != (mode == recordings.Off) {
			t.Errorf("%s asks for recordings of %d bytes", mode, k.Bytes())
		}
	}
}

// Calls for choices belong to no run: they are numbered, the last ones of each project stay,
// and one of those that brought choices is kept only where everything is.
func TestCallsForChoicesAreKeptByField(t *testing.T) {
	t.Parallel()
	for mode, want := range map[recordings.Mode]int{recordings.Off: 0, recordings.Failures: recordings.CallsMax, recordings.All: recordings.CallsMax} {
		p := hosttest.Open(t)
		k, _ := open(t, p, policy(mode))
		keep := func(project string, status recordings.Status) {
			c := ended(p, 0, 0, status, canary)
			c.Place, c.Reason = recordings.Choices(project, "toy", "add", "hosts"), contract.ReasonOptions
			c.Form, c.Inputs = json.RawMessage(`{"type":"object","properties":{"pin":{"type":"string","writeOnly":true}}}`), json.RawMessage(`{"pin":"`+canary+`"}`)
			k.Keep(t.Context(), c)
		}
		keep("another", recordings.Failed)
		keep(hosttest.Project, recordings.Succeeded)
		for range recordings.CallsMax + 5 {
			keep(hosttest.Project, recordings.Failed)
		}
		at := recordings.Choices(hosttest.Project, "toy", "add", "hosts")
		got, err := k.List(t.Context(), at.Project, at.Run, at.Node, page.Query{Limit: page.LimitMax})
		if err != nil || len(got.Items) != want {
			t.Fatalf("%s keeps %d calls, %v; want %d", mode, len(got.Items), err, want)
		}
		if other, err := k.List(t.Context(), "another", at.Run, at.Node, page.Query{}); err != nil || len(other.Items) != min(want, 1) {
			t.Errorf("%s keeps %d calls of the other project, %v", mode, len(other.Items), err)
		}
		if want == 0 {
			continue
		}
		if first, last := got.Items[0], got.Items[want-1]; last.Attempt != first.Attempt+want-1 || last.Phase != "options" {
			t.Errorf("%s numbers calls from %d to %d", mode, first.Attempt, last.Attempt)
		}
		view, err := k.Get(t.Context(), at.Project, at.Run, at.Node, got.Items[0].ID)
		if b, _ := json.Marshal(view); err != nil || strings.Contains(string(b), canary) {
			t.Errorf("read %s, %v", b, err)
		}
	}
}

func TestAFailedCallIsStoredWhenKeepReturns(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	k, _ := open(t, p, policy(recordings.Failures))
	c := ended(p, 1, 0, recordings.Failed, "x")
	c.Failure = &contract.Failure{Code: "NO_HOST"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the call was stopped
	k.Keep(ctx, c)
	rows, err := p.Store.Recordings(t.Context(), hosttest.Project, run, node, 0, 10)
	if err != nil || len(rows) != 1 || rows[0].Code != "NO_HOST" || rows[0].Events != 1 || rows[0].Bytes == 0 {
		t.Fatalf("%v, %+v", err, rows)
	}
	v, err := k.Get(t.Context(), hosttest.Project, run, node, rows[0].ID)
	if err != nil || string(v.Recording.Input) != "x" || v.Meta != rows[0] {
		t.Errorf("%v, %+v", err, v)
	}
	for _, other := range [][2]string{{"other", run}, {hosttest.Project, "other"}} {
		if _, err := k.Get(t.Context(), other[0], other[1], node, rows[0].ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("of %v: %v", other, err)
		}
	}
	if _, err := k.Get(t.Context(), hosttest.Project, run, node, "x"); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// A call that is made again after a crash takes the place of the one before it.
func TestACallIsKeptOnce(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	k, _ := open(t, p, policy(recordings.All))
	k.Keep(t.Context(), ended(p, 1, 0, recordings.Failed, "before"))
	k.Keep(t.Context(), ended(p, 1, 0, recordings.Succeeded, "after"))
	rows := list(t, k)
	if len(rows) != 1 {
		t.Fatalf("%+v", rows)
	}
	if v, err := k.Get(t.Context(), hosttest.Project, run, node, rows[0].ID); err != nil || string(v.Recording.Input) != "after" {
		t.Errorf("%v %+v", err, v)
	}
}

func TestALongPollKeepsItsFirstAndLastCalls(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	k, _ := open(t, p, policy(recordings.Failures))
	for call := range 100 {
		k.Keep(t.Context(), ended(p, 1, call, recordings.Waiting, "x"))
	}
	rows := list(t, k)
	if len(rows) != recordings.CallsMax || rows[0].Call != 0 || rows[1].Call != 37 || rows[len(rows)-1].Call != 99 {
		t.Errorf("%d: %s", len(rows), statuses(rows))
	}
}

func TestRecordingsGoByAgeAndBySize(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	k, vault := open(t, p, policy(recordings.All))
	k.Keep(t.Context(), ended(p, 1, 0, recordings.Failed, "old"))
	p.Clock.Advance(2 * time.Hour)
	k.Keep(t.Context(), ended(p, 2, 0, recordings.Failed, "new"))
	if got := statuses(list(t, k)); got != "1.0 failed; 2.0 failed" {
		t.Errorf("before Run: %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	k.Run(ctx)
	if got := statuses(list(t, k)); got != "2.0 failed" {
		t.Errorf("after two hours: %s", got)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	small := policy(recordings.All)
	small.TotalBytes = 2 * list(t, k)[0].Bytes
	k = keeper(t, p, vault, small)
	for attempt := 3; attempt < 8; attempt++ {
		p.Clock.Advance(time.Second)
		k.Keep(t.Context(), ended(p, attempt, 0, recordings.Failed, "new"))
	}
	if got := statuses(list(t, k)); got != "6.0 failed; 7.0 failed" && got != "7.0 failed" {
		t.Errorf("with room for two: %s", got)
	}
}

// Nothing that is stored holds a credential of the project, whoever's answer it was in,
// nor what was typed into a field that is marked as secret.
func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	k, vault := open(t, p, policy(recordings.All))
	target := secrets.Target{Project: hosttest.Project, System: "other", Kind: secrets.KindBearer, Origin: "https://other"}
	if err := vault.Set(t.Context(), target, secrets.Input{Token: secrets.NewSecret(canary)}, "tester"); err != nil {
		t.Fatal(err)
	}
	const typed = "typed-in-a-form"
	c := ended(p, 1, 0, recordings.Failed, `{"a":"\u00634nary-hunter2-secret","b":"`+typed+`"}`)
	c.Form, c.Inputs = json.RawMessage(`{"properties":{"b":{"x-secret":true}}}`), json.RawMessage(`{"b":"`+typed+`"}`)
	c.Recording.Outcome.Failure = &contract.Failure{Code: "X", Message: "no " + canary}
	k.Keep(t.Context(), c)
	rows := list(t, k)
	if len(rows) != 1 {
		t.Fatal(rows)
	}
	v, err := k.Get(t.Context(), hosttest.Project, run, node, rows[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	for _, s := range []string{canary, "hunter2", typed} {
		if err != nil || strings.Contains(string(b), s) {
			t.Errorf("%v: %s is in %s", err, s, b)
		}
	}
}

type broken struct{}

func (broken) Scrubber(context.Context, string) (*secrets.Scrubber, error) {
	return nil, errors.New("the key is gone")
}

func TestWhatCannotBeScrubbedIsNotKept(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	k := keeper(t, p, broken{}, policy(recordings.All))
	k.Keep(t.Context(), ended(p, 1, 0, recordings.Failed, "x"))
	if rows := list(t, k); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

func TestACallNeverWaitsForAStoreThatFails(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	k, _ := open(t, p, policy(recordings.All))
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	k.Keep(t.Context(), ended(p, 1, 0, recordings.Failed, "after the end"))
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if rows := list(t, k); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

// stuck is a repository whose first write does not end before the test says so.
type stuck struct {
	recordings.Repository
	begun, release chan struct{}
}

func (s stuck) SaveRecordings(ctx context.Context, b recordings.Batch) (int64, error) {
	select {
	case s.begun <- struct{}{}:
	default:
	}
	<-s.release
	return s.Repository.SaveRecordings(ctx, b)
}

// While the store is slower than the calls, a bounded number of recordings waits and the
// rest is dropped; no call that succeeds waits, and what waited is stored.
func TestWhatComesFasterThanItIsStoredIsDropped(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	var log strings.Builder
	repo := stuck{p.Store, make(chan struct{}, 1), make(chan struct{})}
	many := policy(recordings.All)
	many.TotalBytes = 1 << 30
	k := recordings.New(recordings.Options{
		Repository: repo, Secrets: p.Vault, Clock: clock{p.Clock, make(chan time.Time)},
		Logger: slog.New(slog.NewTextHandler(&log, nil)), Policy: many,
	})
	k.Keep(t.Context(), ended(p, 1, 0, recordings.Succeeded, "x"))
	<-repo.begun
	for attempt := 2; attempt < 100; attempt++ { // a megabyte each: 32 of them may wait
		k.Keep(t.Context(), ended(p, attempt, 0, recordings.Succeeded, strings.Repeat("x", 512<<10)))
	}
	close(repo.release)
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(list(t, k)); n < 20 || n > 40 {
		t.Errorf("%d were stored", n)
	}
	if !strings.Contains(log.String(), "recordings of plugin calls were dropped") {
		t.Errorf("nobody was told: %s", log.String())
	}
}
