package pdktest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

// AskIn asks a system.
type AskIn struct {
	// Which operation.
	Operation string `json:"operation" jsonschema:"maxLength=5"`
}

// AskOut is what it answered.
type AskOut struct {
	// The number.
	N int `json:"n" jsonschema:"minimum=1"`
}

func plugin() *pdk.Plugin {
	return pdk.Register(pdk.Plugin{
		ID: "ask", Version: "1.0.0", Title: pdk.Text{En: "Ask"},
		Needs: []pdk.Need{{System: "s", Operation: "one"}, {System: "s", Operation: "longer"}},
		Actions: []pdk.Actor{pdk.Action[AskIn, AskOut]{
			ID: "ask", Title: pdk.Text{En: "Ask"},
			Execute: func(c *pdk.Ctx, in AskIn) (out AskOut, err error) {
				return out, c.Gateway("s", in.Operation, nil, nil, &out)
			},
		}},
	})
}

// record is a testing.TB that keeps what a bench complains about.
type record struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (r *record) Helper()           {}
func (r *record) Error(args ...any) { r.said = append(r.said, fmt.Sprint(args...)) }
func (r *record) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}
func (r *record) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func TestABenchComplains(t *testing.T) {
	t.Parallel()
	for says, script := range map[string]func(*pdktest.Bench){
		"": func(b *pdktest.Bench) {
			b.Reply("s", "one", 200, `{"n":1}`)
			b.Execute("ask", AskIn{"one"})
		},
		"which its Needs does not list": func(b *pdktest.Bench) { b.Execute("ask", AskIn{"two"}) },
		"is scripted":                   func(b *pdktest.Bench) { b.Execute("ask", AskIn{"one"}) },
		"never asked for":               func(b *pdktest.Bench) { b.Reply("s", "one", 200, `{}`) },
		"outputs do not fit": func(b *pdktest.Bench) {
			b.Reply("s", "one", 200, `{"n":0}`)
			b.Execute("ask", AskIn{"one"})
		},
		"accepted inputs that its schema refuses": func(b *pdktest.Bench) {
			b.Reply("s", "longer", 200, `{"n":1}`)
			b.Execute("ask", AskIn{"longer"})
		},
	} {
		r := &record{TB: t}
		script(pdktest.New(r, plugin()))
		for _, f := range r.cleanups {
			f()
		}
		got := strings.Join(r.said, "; ")
		if says == "" && got != "" || !strings.Contains(got, says) {
			t.Errorf("the bench says %q, want %q", got, says)
		}
	}
}

func TestRepliesComeInOrderAndTextIsText(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin())
	b.Reply("s", "one", 200, `{"n":1}`)
	b.Reply("s", "one", 200, `<html>`)
	b.Refuse("s", "one", contract.Failure{Code: "DENIED", Message: "no"})
	pdktest.Succeeded[AskOut](t, b.Execute("ask", AskIn{"one"}))
	pdktest.Failed(t, b.Execute("ask", AskIn{"one"}), pdk.CodeAnswer)
	pdktest.Failed(t, b.Execute("ask", AskIn{"one"}), "DENIED")
	if len(b.Calls()) != 1 {
		t.Fatalf("%d calls since the last Execute", len(b.Calls()))
	}
	if err := b.Validate("ask", json.RawMessage(`{"operation":"longer"}`)); err == nil {
		t.Fatal("the schema lets a long name through")
	}
}
