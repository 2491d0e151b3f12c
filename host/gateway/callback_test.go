package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

// issuer makes tokens that say what for, and counts them.
type issuer struct {
	mu     sync.Mutex
	issued []gateway.CallbackPlace
	err    error
}

func (i *issuer) Issue(_ context.Context, p gateway.CallbackPlace) (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.issued = append(i.issued, p)
	return fmt.Sprintf("tok-%d-of-%s-and-unguessable", len(i.issued), p.System), i.err
}

func callbackBench(t *testing.T, i *issuer, h http.HandlerFunc) (*bench, gateway.Session) {
	t.Helper()
	b := newBench(t, h, setting{tweak: func(c *gateway.Config) { c.Callbacks = i }})
	c := caller()
	c.Callbacks = true
	return b, b.gateway.Open(c)
}

const hookURL = "https://culm.example.com/callbacks/" + contract.CallbackToken

// The token is on the wire, in a body or a parameter, and nothing that the plugin, the
// journal or the audit sees holds it.
func TestATokenGoesOutAndDoesNotComeBack(t *testing.T) {
	t.Parallel()
	i := &issuer{}
	b, s := callbackBench(t, i, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", r.RequestURI)
		writeJSON(w, `{"hook":"tok-1-of-things-and-unguessable","uri":"`+r.RequestURI+`"}`)
	})
	for _, res := range []contract.GatewayResponse{
		s.Call(t.Context(), ask(t, "create", nil, `{"name":"x","at":"`+hookURL+`"}`)),
		s.Call(t.Context(), ask(t, "search", map[string]any{"q": hookURL}, "")),
		s.Call(t.Context(), ask(t, "read", map[string]any{"id": contract.CallbackToken}, "")),
	} {
		if res.Status != 200 || strings.Contains(fmt.Sprintf("%s %s %v", res.Body, res.Text, res.Headers), "tok-1") {
			t.Errorf("the plugin sees %s %v %+v", res.Body, res.Headers, res.Failure)
		}
	}
	sent := b.up.all()
	if len(i.issued) != 1 || i.issued[0].Node != "n1" || i.issued[0].Attempt != 1 || i.issued[0].System != "things" || i.issued[0].Operation != "create" {
		t.Errorf("issued %+v", i.issued)
	}
	if !strings.Contains(sent[0].Body, "/callbacks/tok-1-of-things") || !strings.Contains(sent[1].URI, "tok-1-of-things") || !strings.Contains(sent[2].URI, "tok-1-of-things") {
		t.Errorf("sent %+v", sent)
	}
	entries, err := b.store.Journal().List(t.Context(), gateway.Key{Run: "run-1", Node: "n1", Attempt: 1})
	if err != nil || len(entries) != 1 || strings.Contains(fmt.Sprintf("%+v", entries), "tok-1") {
		t.Errorf("the journal has %+v %v", entries, err)
	}
	if strings.Contains(b.log.String(), "tok-1") {
		t.Error("the log has it")
	}
}

func TestEachSystemGetsATokenOfItsOwn(t *testing.T) {
	t.Parallel()
	i := &issuer{}
	b, s := callbackBench(t, i, nil)
	other := *b.systems["things"]
	b.systems["others"] = &other
	b.grant(project, "tool", "others", "search")
	s.Call(t.Context(), ask(t, "search", map[string]any{"q": hookURL}, ""))
	req := ask(t, "search", map[string]any{"q": hookURL}, "")
	req.System = "others"
	if res := s.Call(t.Context(), req); res.Status != 200 {
		t.Fatalf("%+v", res.Failure)
	}
	sent := b.up.all()
	if !strings.Contains(sent[0].URI, "tok-1-of-things") || !strings.Contains(sent[1].URI, "tok-2-of-others") {
		t.Errorf("sent %s and %s", sent[0].URI, sent[1].URI)
	}
}

// The text that stands for a token is one like any other where nobody may call back.
func TestNoTokenIsMadeWhereNobodyCallsBack(t *testing.T) {
	t.Parallel()
	i := &issuer{}
	b, s := callbackBench(t, i, nil)
	b.call("search", map[string]any{"q": hookURL}, "")
	s.Call(t.Context(), ask(t, "search", map[string]any{"q": "x"}, ""))
	if len(i.issued) != 0 || !strings.Contains(b.up.all()[0].URI, contract.CallbackToken) {
		t.Errorf("issued %+v", i.issued)
	}
	i.err = errors.New("disk full")
	fails(t, s.Call(t.Context(), ask(t, "search", map[string]any{"q": hookURL}, "")), gateway.CodeGatewayUnavailable, contract.OriginHost)
	if len(b.up.all()) != 2 {
		t.Error("it went out without a token")
	}
}
