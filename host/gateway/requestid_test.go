package gateway_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/pdk/contract"
)

func TestAnAnswerSaysUnderWhichIDTheSystemKnowsTheRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer map[string]string
		own    bool // the id that was sent is the one
		want   string
	}{
		"the system says nothing": {own: true},
		"the system has its own":  {answer: map[string]string{"X-Request-Id": "abc-1", "X-Correlation-Id": "other"}, want: "abc-1"},
		"a BlueKing gateway":      {answer: map[string]string{"X-Bkapi-Request-Id": "bk/7", "X-Request-Id": "abc-1"}, want: "bk/7"},
		"one that breaks a line":  {answer: map[string]string{"X-Request-Id": "a b<script>"}, own: true},
		"one that is too long":    {answer: map[string]string{"X-Request-Id": strings.Repeat("x", 129)}, own: true},
		"a reflected credential":  {answer: map[string]string{"X-Request-Id": hex.EncodeToString([]byte(canary))}, want: "***"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range c.answer {
					w.Header().Set(k, v)
				}
				writeJSON(w, `{}`)
			}, setting{})
			res := b.call("read", map[string]any{"id": "1"}, "")
			sent := b.up.all()[0].Header.Get("X-Request-Id")
			if !strings.HasPrefix(sent, "culm-") {
				t.Fatalf("the id %q was sent", sent)
			}
			want := c.want
			if c.own {
				want = sent
			}
			if res.RequestID != want || res.Attempts != 1 {
				t.Errorf("got %q after %d attempts, want %q", res.RequestID, res.Attempts, want)
			}
		})
	}
}

func TestAFailureSaysHowOftenUnderWhichIDAndWhatToDo(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, setting{limits: "{timeout_ms: 700}"})
	res := b.call("create", nil, `{"name":"x"}`)
	fails(t, res, gateway.CodeOutcomeUnknown, contract.OriginGateway)
	f := res.Failure
	if sent := b.up.all()[0].Header.Get("X-Request-Id"); f.RequestID != sent || f.Attempts != 1 || f.Hint != contract.HintFindOut {
		t.Errorf("got %+v, sent as %q", f, sent)
	}
	res = b.call("read", map[string]any{"id": "1"}, "")
	fails(t, res, gateway.CodeUpstreamDown, contract.OriginSystem)
	if f := res.Failure; f.RequestID == "" || f.Attempts < 1 || f.Hint != contract.HintCheckSystem {
		t.Errorf("got %+v", f)
	}
	res = b.gateway.Open(gateway.Caller{Project: project, Plugin: "other"}).Call(t.Context(), ask(t, "read", nil, ""))
	fails(t, res, gateway.CodeDenied, contract.OriginGateway)
	if f := res.Failure; f.RequestID != "" || f.Attempts != 0 || f.Hint != contract.HintAskGrant {
		t.Errorf("got %+v for a call that was not sent", f)
	}
}
