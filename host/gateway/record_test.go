package gateway_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/host/gateway"
)

// tape is a recorder that keeps everything.
type tape struct {
	mu   sync.Mutex
	seen []gateway.Record
}

// Record implements gateway.Recorder.
func (t *tape) Record(_ context.Context, r gateway.Record) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, r)
}

func TestARecorderIsToldOfEveryCallAsThePluginSeesIt(t *testing.T) {
	t.Parallel()
	kept := &tape{}
	b := newBench(t, ailing(503, 503, 200), setting{limits: quick, tweak: func(g *gateway.Config) { g.Recorder = kept }})
	b.call("read", map[string]any{"id": "1"}, "")
	b.call("read", map[string]any{"id": "../x"}, "")
	c := caller()
	c.Plugin = "other"
	b.gateway.Open(c).Call(t.Context(), ask(t, "read", map[string]any{"id": "1"}, ""))
	if len(kept.seen) != 3 {
		t.Fatalf("it was told of %d calls", len(kept.seen))
	}
	if r := kept.seen[0]; r.Response.Status != 200 || r.Response.Attempts != 3 || r.Took <= 0 || r.Request.Operation != "read" || r.Caller.Run != "run-1" {
		t.Errorf("the first is %+v", r)
	}
	if f := kept.seen[1].Response.Failure; f == nil || f.Code != gateway.CodeParamInvalid {
		t.Errorf("the second is %+v", kept.seen[1])
	}
	if f := kept.seen[2].Response.Failure; f == nil || f.Code != gateway.CodeDenied {
		t.Errorf("the third is %+v", kept.seen[2])
	}
}

func TestTheLogOfCallsHoldsNoValue(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, setting{tweak: func(g *gateway.Config) { g.Recorder = gateway.LogRecorder(g.Logger) }})
	b.call("read", map[string]any{"id": "hunter2"}, "")
	b.call("create", nil, `{"name":"hunter2","more":1}`)
	log := b.log.String()
	for _, want := range []string{`"msg":"gateway: call"`, `"operation":"read"`, `"status":200`, `"code":"PARAM_INVALID"`, `"tries":1`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	if strings.Contains(log, "hunter2") || strings.Contains(log, canary) {
		t.Errorf("the log holds a value: %s", log)
	}
}
