package gateway_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// crash is what a killed process leaves: from a moment on, nothing is stored.
type crash struct {
	gateway.Journal
	// at is the step before which the process dies: "begin", "finish", or "" for
	// never.
	at string
	// began, if set, is called when an intent is stored.
	began func()
	// finished, if set, is called when an answer is stored.
	finished func()
}

var errDied = errors.New("the process died")

func (c *crash) Begin(ctx context.Context, k gateway.Key, in gateway.Intent) (gateway.Entry, error) {
	if c.at == "begin" {
		return gateway.Entry{}, errDied
	}
	e, err := c.Journal.Begin(ctx, k, in)
	if c.began != nil {
		c.began()
	}
	return e, err
}

func (c *crash) Finish(ctx context.Context, k gateway.Key, a gateway.Answer) error {
	if c.at == "finish" {
		return errDied
	}
	err := c.Journal.Finish(ctx, k, a)
	if c.finished != nil {
		c.finished()
	}
	return err
}

// The same plugin call is made before and after a crash at every step, for every
// retry class: how often does the system get the request, under which key, and what
// does the plugin see?
func TestJournalCrashMatrix(t *testing.T) {
	t.Parallel()
	create := ask(t, "create", nil, `{"name":"a"}`)
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	read := ask(t, "read", map[string]any{"id": "1"}, "")
	for name, c := range map[string]struct {
		req     contract.GatewayRequest
		at      string
		reaches int // what the system gets, over both lives
		status  int // what the plugin sees in the second life
		unknown bool
	}{
		"never, killed before the intent":         {create, "begin", 1, 200, false},
		"never, killed before the answer":         {create, "finish", 1, 0, true},
		"never, killed after the answer":          {create, "", 1, 200, false},
		"keyed, killed before the intent":         {replace, "begin", 1, 200, false},
		"keyed, killed before the answer":         {replace, "finish", 2, 200, false},
		"keyed, killed after the answer":          {replace, "", 1, 200, false},
		"safe is simply done again":               {read, "finish", 2, 200, false},
		"safe is done again after its answer too": {read, "", 2, 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var die *crash
			b := newBench(t, nil, setting{tweak: func(g *gateway.Config) {
				die = &crash{Journal: g.Journal, at: c.at}
				g.Journal = die
			}})
			first := b.gateway.Open(caller())
			first.Call(t.Context(), c.req)

			die.at = ""
			again := caller()
			again.Recovered = true
			second := b.gateway.Open(again)
			res := second.Call(t.Context(), c.req)
			if res.Status != c.status || (res.Failure == nil) == c.unknown {
				t.Errorf("the plugin sees %+v", res)
			}
			if got := second.Unknown(); (got != nil) != c.unknown {
				t.Errorf("unknown: %+v", got)
			}
			if got := b.up.all(); len(got) != c.reaches {
				t.Errorf("the system got %d requests, want %d", len(got), c.reaches)
			}
			keys := map[string]bool{}
			for _, r := range b.up.all() {
				keys[r.Header.Get("X-Key")] = true
			}
			if len(keys) != 1 {
				t.Errorf("the requests came under the keys %v", keys)
			}
			if c.unknown {
				fails(t, res, gateway.CodeOutcomeUnknown, contract.OriginGateway)
				if more := second.Call(t.Context(), read); more.Failure == nil {
					t.Error("an attempt that is unknown went on calling")
				}
			}
		})
	}
}

func TestKeyNamesTheCallAndSurvivesARepetition(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	c := caller()
	c.Iteration, c.Attempt, c.Call = 2, 3, 4
	s := b.gateway.Open(c)
	s.Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, "")) // takes no place in the journal
	s.Call(t.Context(), ask(t, "replace", map[string]any{"id": "1"}, ""))
	s.Call(t.Context(), ask(t, "replace", map[string]any{"id": "2"}, ""))
	got := b.up.all()
	if a, z := got[1].Header.Get("X-Key"), got[2].Header.Get("X-Key"); a != "run-1/n1/2/3/4.0" || z != "run-1/n1/2/3/4.1" {
		t.Fatalf("got the keys %q and %q", a, z)
	}
	if got[0].Header.Get("X-Key") != "" || got[0].Header.Get("Idempotency-Key") != "" {
		t.Fatal("a call that is safe has a key")
	}
}

func TestCancelAndRollbackHaveANumberingOfTheirOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	for _, reason := range []contract.Reason{contract.ReasonExecute, contract.ReasonCancel, contract.ReasonRollback} {
		c := caller()
		c.Reason = reason
		s := b.gateway.Open(c)
		if res := s.Call(t.Context(), ask(t, "create", nil, `{"name":"`+string(reason)+`"}`)); res.Status != http.StatusOK {
			t.Errorf("%s: %+v", reason, res)
		}
		if s.Unknown() != nil {
			t.Errorf("%s: unknown", reason)
		}
	}
	if got := b.up.all(); len(got) != 3 {
		t.Fatalf("the system got %d requests", len(got))
	}
}

func TestAnotherRequestAtTheSamePlaceIsUnknown(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{})
	b.gateway.Open(caller()).Call(t.Context(), ask(t, "create", nil, `{"name":"a"}`))
	c := caller()
	c.Recovered = true
	s := b.gateway.Open(c)
	fails(t, s.Call(t.Context(), ask(t, "create", nil, `{"name":"b"}`)), gateway.CodeOutcomeUnknown, contract.OriginGateway)
	if s.Unknown() == nil || len(b.up.all()) != 1 {
		t.Fatalf("unknown %v, %d requests", s.Unknown(), len(b.up.all()))
	}
}

// The system moves while the server is down: what is known is answered, and what is
// open is not sent to a server that does not know the key.
func TestJournalWhenTheSystemMoves(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "finish"} {
		var die *crash
		b := newBench(t, nil, setting{auth: "{type: none}", tweak: func(g *gateway.Config) {
			die = &crash{Journal: g.Journal, at: at}
			g.Journal = die
		}})
		req := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
		b.gateway.Open(caller()).Call(t.Context(), req)
		elsewhere := listen(t, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, `{}`) })
		b.mu.Lock()
		b.systems["things"] = register(t, setting{base: elsewhere.URL + "/moved", auth: "{type: none}", limits: "{}"})
		b.mu.Unlock()
		die.at = ""
		c := caller()
		c.Recovered = true
		s := b.gateway.Open(c)
		res := s.Call(t.Context(), req)
		if at == "" && (res.Status != http.StatusOK || s.Unknown() != nil) {
			t.Errorf("the known answer is %+v", res)
		}
		if at != "" {
			fails(t, res, gateway.CodeOutcomeUnknown, contract.OriginGateway)
		}
		if len(elsewhere.all()) != 0 {
			t.Error("the new place got the request")
		}
	}
}

// The plugin goes another way when it is called again, and forgets what it did.
func TestCallThatIsNotAskedForAgainIsUnknown(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"", "finish"} {
		var die *crash
		b := newBench(t, nil, setting{tweak: func(g *gateway.Config) {
			die = &crash{Journal: g.Journal, at: at}
			g.Journal = die
		}})
		b.gateway.Open(caller()).Call(t.Context(), ask(t, "create", nil, `{"name":"a"}`))
		c := caller()
		c.Recovered = true
		s := b.gateway.Open(c)
		s.Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, ""))
		f := s.Unknown()
		if f == nil || f.Code != gateway.CodeOutcomeUnknown || f.System != "things" || f.Operation != "create" {
			t.Fatalf("crash at %q: unknown %+v", at, f)
		}
		// A new attempt starts afresh.
		c.Attempt, c.Recovered = 2, false
		if s := b.gateway.Open(c); s.Unknown() != nil {
			t.Fatal("a new attempt is unknown")
		}
	}
}

func TestFailedCallIsRememberedAsFailed(t *testing.T) {
	t.Parallel()
	at := raw(t, reset)
	b := newBench(t, nil, setting{base: "http://" + at, allow: []string{at}})
	replace := ask(t, "replace", map[string]any{"id": "1"}, `{"a":"b"}`)
	fails(t, b.gateway.Open(caller()).Call(t.Context(), replace), gateway.CodeUpstreamDown, contract.OriginSystem)
	c := caller()
	c.Recovered = true
	s := b.gateway.Open(c)
	fails(t, s.Call(t.Context(), replace), gateway.CodeUpstreamDown, contract.OriginSystem)
	if s.Unknown() != nil {
		t.Fatalf("unknown %+v", s.Unknown())
	}
}

// The server stops while a call is under way: what may have been sent stays open.
func TestCallCancelledUnderWayStaysOpen(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan struct{})
	var once sync.Once
	stop := make(chan struct{})
	at := raw(t, func(net.Conn) {
		once.Do(func() { close(got) })
		<-stop
	})
	defer close(stop)
	b := newBench(t, nil, setting{base: "http://" + at, allow: []string{at}})
	go func() {
		<-got
		cancel()
	}()
	fails(t, b.gateway.Open(caller()).Call(ctx, ask(t, "create", nil, `{"name":"a"}`)), gateway.CodeOutcomeUnknown, contract.OriginGateway)
	c := caller()
	c.Recovered = true
	s := b.gateway.Open(c)
	fails(t, s.Call(t.Context(), ask(t, "create", nil, `{"name":"a"}`)), gateway.CodeOutcomeUnknown, contract.OriginGateway)
}

// The server stops while a call waits for its place: nothing was sent, nothing is
// left, and the next life makes the call.
func TestCallCancelledBeforeItWasSentIsForgotten(t *testing.T) {
	t.Parallel()
	in, out := make(chan struct{}, 8), make(chan struct{})
	begun := &signal{begun: make(chan struct{})}
	b := newBench(t, func(w http.ResponseWriter, r *http.Request) {
		in <- struct{}{}
		if strings.HasSuffix(r.URL.Path, "/slow") {
			<-out
		}
		writeJSON(w, `{}`)
	}, setting{limits: "{concurrency: 1}", tweak: func(g *gateway.Config) {
		begun.Journal = g.Journal
		g.Journal = begun
	}})
	var wg sync.WaitGroup
	wg.Go(func() {
		c := caller()
		c.Node = "slow"
		b.gateway.Open(c).Call(t.Context(), ask(t, "read", map[string]any{"id": "slow"}, ""))
	})
	<-in
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		<-begun.begun
		cancel()
	})
	fails(t, b.gateway.Open(caller()).Call(ctx, ask(t, "create", nil, `{"name":"a"}`)), gateway.CodeCancelled, contract.OriginHost)
	close(out)
	wg.Wait()
	c := caller()
	c.Recovered = true
	s := b.gateway.Open(c)
	if s.Unknown() != nil {
		t.Fatalf("unknown %+v", s.Unknown())
	}
	if res := b.gateway.Open(c).Call(t.Context(), ask(t, "create", nil, `{"name":"a"}`)); res.Status != http.StatusOK {
		t.Fatalf("got %+v", res)
	}
}

// signal tells when an intent was stored.
type signal struct {
	gateway.Journal
	once  sync.Once
	begun chan struct{}
}

func (s *signal) Begin(ctx context.Context, k gateway.Key, in gateway.Intent) (gateway.Entry, error) {
	e, err := s.Journal.Begin(ctx, k, in)
	s.once.Do(func() { close(s.begun) })
	return e, err
}

func TestJournalFailures(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{tweak: func(g *gateway.Config) { g.Journal = &crash{Journal: g.Journal, at: "begin"} }})
	refused(t, b, b.call("create", nil, `{"name":"a"}`), gateway.CodeJournalFailed, contract.OriginHost)

	// The call was made and cannot be remembered: the attempt is unknown at once.
	// That holds for a keyed call too, since a retry has another key.
	for operation, params := range map[string]map[string]any{"create": nil, "replace": {"id": "1"}} {
		b = newBench(t, nil, setting{tweak: func(g *gateway.Config) { g.Journal = &crash{Journal: g.Journal, at: "finish"} }})
		s := b.gateway.Open(caller())
		fails(t, s.Call(t.Context(), ask(t, operation, params, `{"name":"a"}`)), gateway.CodeJournalFailed, contract.OriginHost)
		if f := s.Unknown(); f == nil || f.Retryable {
			t.Fatalf("%s: unknown %+v", operation, f)
		}
	}
}
