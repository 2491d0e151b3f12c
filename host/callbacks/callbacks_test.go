package callbacks_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/culmhq/culm/host/callbacks"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/store"
	"github.com/culmhq/culm/host/systems"
)

// world is the use cases over a real store, with runs, systems and time of the test's own.
type world struct {
	t       *testing.T
	store   *store.Store
	issuer  *callbacks.Issuer
	service *callbacks.Service
	log     bytes.Buffer

	mu      sync.Mutex
	now     time.Time
	refusal error           // of CheckCallback
	busy    int             // so many times Callback cannot take anything
	got     []string        // what runs were given: run, data
	seen    map[string]bool // command ids
	signed  *systems.CallbackSignature
	ticks   chan time.Time
	gave    chan struct{} // one for each callback that a run got
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, store: hosttest.OpenStore(t, filepath.Join(t.TempDir(), "data", "culm.db")), now: time.Date(2026, 11, 26, 1, 0, 0, 0, time.UTC),
		seen: map[string]bool{}, ticks: make(chan time.Time), gave: make(chan struct{}, 10_000),
	}
	w.issuer = callbacks.NewIssuer(w.store, w.Now, time.Hour)
	w.open()
	return w
}

func (w *world) open() {
	w.service = callbacks.New(callbacks.Options{
		Repository: w.store, Runs: w, Systems: w, Secrets: w, Clock: w, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	})
}

// run hands callbacks on until the test ends.
func (w *world) run() {
	ctx, stop := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); w.service.Run(ctx) }()
	w.t.Cleanup(func() { stop(); <-done })
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) After(time.Duration) (<-chan time.Time, func()) { return w.ticks, func() {} }

func (w *world) CheckCallback(context.Context, runs.CallbackRequest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refusal
}

func (w *world) Callback(_ context.Context, r runs.CallbackRequest) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy > 0 {
		w.busy--
		return fault.New(fault.Stopping, "busy")
	}
	if !w.seen[r.CommandID] {
		w.seen[r.CommandID] = true
		w.got = append(w.got, r.Run+" "+string(r.Data))
		w.gave <- struct{}{}
	}
	return nil
}

func (w *world) Scrub(_ context.Context, _, _ string, data json.RawMessage) (json.RawMessage, error) {
	return bytes.ReplaceAll(data, []byte("hunter2"), []byte("***")), nil
}

func (w *world) Document(context.Context, string, string) (*systems.System, error) {
	return &systems.System{ID: "jobs", Callbacks: systems.Callbacks{Signature: w.signed}}, nil
}

func (w *world) Resolve(_ context.Context, project, ref string) (secrets.Secret, error) {
	if project != "ops" || ref != secrets.ProjectRef("JOBS_KEY") {
		return secrets.Secret{}, secrets.ErrNotFound
	}
	return secrets.NewSecret("the-key-of-both"), nil
}

func (w *world) issue(run string) string {
	w.t.Helper()
	token, err := w.issuer.Issue(w.t.Context(), gateway.CallbackPlace{Project: "ops", Run: run, Node: "n", Attempt: 1, System: "jobs", Operation: "start"})
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

func (w *world) accept(token, body string) (callbacks.Answer, error) {
	return w.service.Accept(w.t.Context(), callbacks.Request{Token: token, Body: []byte(body), Header: func(string) string { return "" }})
}

func (w *world) must(token, body string) callbacks.Answer {
	w.t.Helper()
	a, err := w.accept(token, body)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) refused(token, body string, code fault.Code) {
	w.t.Helper()
	if a, err := w.accept(token, body); !fault.Is(err, code) {
		w.t.Errorf("%.40q: %+v, %v; want %s", body, a, err, code)
	}
}

// C01: tokens that are guessed, cut, or changed in a bit are not found, and whoever tries
// many is slowed down; the right token gets in all the while.
func TestGuessedTokensAreNotFoundAndSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.issue("r")
	raw, _ := base64.RawURLEncoding.DecodeString(token)
	if len(raw) != 32 {
		t.Fatalf("a token has %d bytes", len(raw))
	}
	r := rand.New(rand.NewPCG(1, 2))
	slowed := 0
	for i := range 100_000 {
		guess := slices.Clone(raw)
		text := ""
		switch i % 10 {
		case 0: // random
			for j := range guess {
				guess[j] = byte(r.Uint32())
			}
			text = base64.RawURLEncoding.EncodeToString(guess)
		case 1: // a bit flipped
			guess[r.IntN(32)] ^= 1 << r.IntN(8)
			text = base64.RawURLEncoding.EncodeToString(guess)
		default: // cut, or with more at the end
			text = (token + "A")[:[]int{0, 1, 10, 20, 30, 40, 42, 44}[i%8]]
		}
		_, err := w.accept(text, "{}")
		switch {
		case fault.Is(err, fault.TooMany):
			slowed++
		case !fault.Is(err, fault.NotFound):
			t.Fatalf("guess %d: %v", i, err)
		}
		if err := w.service.Look(t.Context(), text); err == nil {
			t.Fatalf("guess %d is shown", i)
		}
	}
	if slowed < 99_000 {
		t.Errorf("only %d guesses were slowed down", slowed)
	}
	if a := w.must(token, "{}"); !a.Accepted {
		t.Error("the right token does not get in")
	}
}

// C02: the same callback a hundred times at once has one effect, and each caller learns that
// it was accepted; another one under the token is refused.
func TestACallbackSentManyTimesHasOneEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run()
	token := w.issue("r")
	var wg sync.WaitGroup
	var mu sync.Mutex
	first := 0
	for range 100 {
		wg.Go(func() {
			a, err := w.accept(token, `{"ok":true}`)
			if err != nil || !a.Accepted {
				t.Errorf("%+v %v", a, err)
			}
			if !a.Repeated {
				mu.Lock()
				defer mu.Unlock()
				first++
			}
		})
	}
	wg.Wait()
	<-w.gave
	w.refused(token, `{"ok":false}`, fault.Conflict)
	if a := w.must(token, `{"ok":true}`); !a.Repeated {
		t.Error("it has a second effect")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if first != 1 || len(w.got) != 1 {
		t.Errorf("%d were the first, the run got %q", first, w.got)
	}
}

// C04: a callback that comes too late is told so, is on record, and stays refused.
func TestALateCallbackIsGoneAndOnRecord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		refusal error
		pass    time.Duration
		code    fault.Code
	}{
		"expired":          {pass: time.Hour, code: fault.Gone},
		"the run is over":  {refusal: fault.New(fault.RunEnded, "over"), code: fault.Gone},
		"the run is gone":  {refusal: fault.Missing("run", "r"), code: fault.Gone},
		"the node is over": {refusal: fault.New(fault.WrongState, "over"), code: fault.Gone},
		"another attempt":  {refusal: fault.New(fault.Conflict, "another attempt"), code: fault.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			token := w.issue("r")
			w.refusal = c.refusal
			w.pass(c.pass)
			w.refused(token, `{}`, c.code)
			w.refusal = nil
			w.refused(token, `{}`, fault.Gone)
			if p, err := w.store.PendingCallbacks(t.Context(), 0, 10); err != nil || len(p) != 0 {
				t.Errorf("pending: %v %v", p, err)
			}
			if !strings.Contains(w.log.String(), "a callback came late") || strings.Contains(w.log.String(), token) {
				t.Errorf("the log says %s", w.log.String())
			}
			w.pass(60 * 24 * time.Hour)
			if n, err := w.store.SweepCallbacks(t.Context(), w.Now().Add(-30*24*time.Hour)); err != nil || n != 1 {
				t.Errorf("forgot %d tokens, %v", n, err)
			}
			w.refused(token, `{}`, fault.NotFound)
		})
	}
}

// C06: callbacks of one run are handed on in the order in which they came, also when the
// run cannot take any for a while; a restart in between loses none and repeats none.
func TestCallbacksWaitForABusyRunInTheirOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.busy = 3
	var want []string
	for i := range 20 {
		body := fmt.Sprintf(`{"ok":%t,"n":%d}`, i%2 == 1, i)
		w.must(w.issue("r"), body)
		want = append(want, "r "+body)
	}
	w.open() // as after a restart: only the store knows of them
	w.run()
	for range 3 {
		w.ticks <- time.Time{}
	}
	for range want {
		<-w.gave
	}
	w.mu.Lock()
	got := slices.Clone(w.got)
	w.mu.Unlock()
	if !slices.Equal(got, want) {
		t.Errorf("the run got %q", got)
	}
	select { // the tick is taken only when everything before was handed on
	case w.ticks <- time.Time{}:
	case <-t.Context().Done():
	}
	if p, err := w.store.PendingCallbacks(t.Context(), 0, 100); err != nil || len(p) != 0 {
		t.Errorf("%d are pending still, %v", len(p), err)
	}
}

// C05: whatever is acknowledged reaches its run, ten thousand that come 256 at a time.
func TestEveryAcknowledgedCallbackReachesItsRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run()
	const n, atOnce = 10_000, 256
	var wg sync.WaitGroup
	var next atomic.Int64
	for range atOnce {
		wg.Go(func() {
			for i := next.Add(1); i <= n && !t.Failed(); i = next.Add(1) {
				token, err := w.issuer.Issue(t.Context(), gateway.CallbackPlace{Project: "ops", Run: "r" + strconv.FormatInt(i, 10), Node: "n", Attempt: 1, System: "jobs"})
				if err == nil {
					_, err = w.accept(token, `{}`)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for range n {
		<-w.gave
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if slices.Sort(w.got); len(slices.Compact(w.got)) != n {
		t.Errorf("%d runs got one", len(w.got))
	}
}

// C07: what is no callback is refused, and the token is good for the right one afterwards.
func TestABodyThatIsRefusedLeavesTheTokenAsItWas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.issue("r")
	w.refused(token, strings.Repeat(" ", callbacks.BodyBytesMax+1), fault.TooLarge)
	for _, body := range []string{`{`, `no`, `{} {}`, "\xff", strings.Repeat("[", 65) + strings.Repeat("]", 65), `{"a":` + strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat("}", 65)} {
		w.refused(token, body, fault.Invalid)
	}
	w.refusal = fault.At("/data/n", "must be a number") // the schema of the wait
	w.refused(token, `{"n":"x"}`, fault.Invalid)
	w.refusal = nil
	if a := w.must(token, strings.Repeat("[", 64)+strings.Repeat("]", 64)); a.Repeated {
		t.Error("the token was used up")
	}
}

// C08: neither the database nor the log holds a token, and the store holds no secret that a
// system calls back with.
func TestTheStoreHoldsNoTokenAndNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.issue("r")
	w.must(token, `{"password":"hunter2"}`)
	p, err := w.store.PendingCallbacks(t.Context(), 0, 10)
	if err != nil || len(p) != 1 || string(p[0].Data) != `{"password":"***"}` {
		t.Fatalf("stored %+v, %v", p, err)
	}
	if all := fmt.Sprintf("%s %+v", w.log.String(), p); strings.Contains(all, token) {
		t.Errorf("the token is in %s", all)
	}
}

// C09: where a system signs its callbacks, one that is old, changed, or sent again under
// another token does not get in.
func TestSignedCallbacks(t *testing.T) {
	t.Parallel()
	const body = `{"b":1,"a":2}`
	key := []byte("the-key-of-both")
	type signed struct {
		at    time.Duration
		nonce string
		body  string // what is sent
		sign  func(at, nonce string) string
	}
	right := func(at, nonce string) string { return callbacks.Sign(key, at, nonce, []byte(body)) }
	for name, c := range map[string]struct {
		signed
		ok bool
	}{
		"right":                     {signed{0, "n1", body, right}, true},
		"a clock that is slow":      {signed{-5 * time.Minute, "n1", body, right}, true},
		"a clock that is fast":      {signed{5 * time.Minute, "n1", body, right}, true},
		"too old":                   {signed{-5*time.Minute - time.Second, "n1", body, right}, false},
		"from the future":           {signed{5*time.Minute + time.Second, "n1", body, right}, false},
		"a changed body":            {signed{0, "n1", `{"b":2,"a":2}`, right}, false},
		"the same in another order": {signed{0, "n1", `{"a":2,"b":1}`, right}, false},
		"another key":               {signed{0, "n1", body, func(at, n string) string { return callbacks.Sign([]byte("x"), at, n, []byte(body)) }}, false},
		"another nonce":             {signed{0, "n1", body, func(at, _ string) string { return right(at, "n2") }}, false},
		"another time":              {signed{0, "n1", body, func(_, n string) string { return right("1", n) }}, false},
		"no nonce":                  {signed{0, "", body, right}, false},
		"a long nonce":              {signed{0, strings.Repeat("n", 129), body, right}, false},
		"no signature":              {signed{0, "n1", body, func(string, string) string { return "" }}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.signed = &systems.CallbackSignature{Secret: "JOBS_KEY"}
			send := func(token string) error {
				at := strconv.FormatInt(w.Now().Add(c.at).Unix(), 10)
				h := map[string]string{"X-Culm-Timestamp": at, "X-Culm-Nonce": c.nonce, "X-Culm-Signature": c.sign(at, c.nonce)}
				_, err := w.service.Accept(t.Context(), callbacks.Request{Token: token, Body: []byte(c.body), Header: func(n string) string { return h[n] }})
				return err
			}
			token := w.issue("r")
			err := send(token)
			if c.ok && err != nil || !c.ok && !fault.Is(err, fault.Unsigned) {
				t.Fatalf("answered %v", err)
			}
			if !c.ok {
				return
			}
			if err := send(token); err != nil {
				t.Errorf("the same again: %v", err)
			}
			if err := send(w.issue("other")); !fault.Is(err, fault.Unsigned) {
				t.Errorf("replayed under another token: %v", err)
			}
			w.pass(11 * time.Minute)
			if c.at == 0 {
				old := c
				old.at = -11 * time.Minute
				c = old
				if err := send(token); !fault.Is(err, fault.Unsigned) {
					t.Errorf("replayed after eleven minutes: %v", err)
				}
			}
		})
	}
}

func TestAMissingKeyLetsNobodyIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signed = &systems.CallbackSignature{Secret: "NONE"}
	w.refused(w.issue("r"), `{}`, fault.Unsigned)
}

// C11: where a person is asked, a link does not answer, whoever has it; it stays good.
func TestALinkDoesNotAnswerForAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := w.issue("r")
	w.refusal = fault.New(fault.Forbidden, "the node asks a person")
	w.refused(token, `{"approved":true}`, fault.Forbidden)
	w.refusal = nil
	w.must(token, `{}`)
}
