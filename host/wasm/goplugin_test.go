package wasm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// TestGoPluginRandom: nothing random is the same in two calls, although both start
// from one memory image.
func TestGoPluginRandom(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := goPlugin(t, h)
	if !m.FromImage() {
		t.Error("the Go plugin is initialised in every call: its generators were not found")
	}
	const calls = 10
	seen := map[string]map[string]bool{}
	for range calls {
		var got map[string]any
		out := output(t, m, wasm.Call{Export: "random"})
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
		for k := range got {
			b, _ := json.Marshal(got[k])
			if seen[k] == nil {
				seen[k] = map[string]bool{}
			}
			seen[k][string(b)] = true
		}
	}
	for k, values := range seen {
		// A map that is made once has only some dozens of orders, in any Go program.
		if want := map[bool]int{false: calls, true: 2}[k == "old"]; len(values) < want {
			t.Errorf("%s had %d different values in %d calls: %v", k, len(values), calls, values)
		}
	}
}

// TestGoPluginSeedsItself: a program that keeps what it drew during its
// initialisation is noticed and initialised in every call.
func TestGoPluginSeedsItself(t *testing.T) {
	t.Parallel()
	m := goModule(t, newHost(t), "goseeds")
	if m.FromImage() {
		t.Error("the random numbers of the initialisation are part of the image")
	}
	seen := map[string]bool{}
	for range 5 {
		seen[output(t, m, wasm.Call{Export: "show"})] = true
	}
	if len(seen) != 5 {
		t.Errorf("5 calls show %d different values: %v", len(seen), seen)
	}
}

// TestGoPluginRewritten: the Go plugin answers as it does without the rewrite.
func TestGoPluginRewritten(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := goPlugin(t, h)
	module, err := goBuild(t, "goplugin")
	if err != nil {
		t.Fatal(err)
	}
	for export, input := range map[string]string{
		"execute": `{"inputs":{"name":"it"}}`, "echo": strings.Repeat("0123456789", 50), "boom": "",
	} {
		wantOut, wantTrap := wasm.PlainCall(t, h, module, export, []byte(input))
		r, err := m.Call(t.Context(), wasm.Call{Export: export, Input: []byte(input)})
		f := wasm.AsFailure(err)
		if f == nil && string(r.Output) != wantOut || (f != nil && f.Code == wasm.CodeTrap) != wantTrap {
			t.Errorf("%s gives %q, %v; without the rewrite %q, trap %t", export, r.Output, f, wantOut, wantTrap)
		}
	}
}

// TestGoPluginBehaviour calls the exports of a plugin that uses the Extism library
// as it is.
func TestGoPluginBehaviour(t *testing.T) { inBothTiers(t, testGoPluginBehaviour) }

func testGoPluginBehaviour(t *testing.T, in tier) {
	m := goIn(t, in, newHost(t, slowMachine))
	t.Run("echo", func(t *testing.T) {
		t.Parallel()
		for _, n := range []int{0, 1, 7, 8, 9, 1000, 1 << 20} {
			in := bytes.Repeat([]byte("x"), n)
			if got := output(t, m, wasm.Call{Export: "echo", Input: in}); got != string(in) {
				t.Errorf("%d bytes came back as %d", n, len(got))
			}
		}
	})
	t.Run("input over the limit", func(t *testing.T) {
		t.Parallel()
		_, err := m.Call(t.Context(), wasm.Call{Export: "echo", Input: make([]byte, 4<<20+1)})
		wantFailure(t, err, wasm.CodeInputLimit, contract.OriginLimit)
	})
	t.Run("no state", func(t *testing.T) {
		t.Parallel()
		for range 5 {
			if got := output(t, m, wasm.Call{Export: "count"}); got != `1 ""` {
				t.Fatalf("a call finds %q", got)
			}
		}
	})
	t.Run("clock", func(t *testing.T) {
		t.Parallel()
		var now, slept int64
		out := output(t, m, wasm.Call{Export: "clock"})
		if _, err := fmt.Sscan(out, &now, &slept); err != nil {
			t.Fatal(err)
		}
		if off := time.Since(time.Unix(0, now)).Abs(); off > 10*time.Second || now%1e6 != 0 {
			t.Errorf("the clock shows %d, %v off, in steps finer than a millisecond: %t", now, off, now%1e6 != 0)
		}
		if d := time.Duration(slept); d < 2*time.Millisecond || d > 10*time.Second || d%time.Millisecond != 0 {
			t.Errorf("a sleep of 3 ms took %v by the monotonic clock, which goes in steps of a millisecond", d)
		}
	})
	t.Run("failures", func(t *testing.T) {
		t.Parallel()
		for export, want := range map[string]struct {
			code, text string
			timeoutMS  int64
		}{
			"fail":  {wasm.CodeFailed, "no such host: db-7", 0},
			"boom":  {wasm.CodeTrap, "assignment to entry in nil map", 0},
			"hoard": {wasm.CodeResource, "64 MiB", 0},
			"nest":  {wasm.CodeResource, "64 MiB", 0},
			"spin":  {wasm.CodeTimeout, "300ms", 300},
			"nap":   {wasm.CodeTimeout, "300ms", 300},
			"gone":  {wasm.CodeExportMissing, "gone", 0},
		} {
			_, err := m.Call(t.Context(), wasm.Call{Export: export, Limits: contract.Limits{TimeoutMS: want.timeoutMS}})
			f := wasm.AsFailure(err)
			if f == nil || f.Code != want.code || !strings.Contains(f.Message, want.text) {
				t.Errorf("%s: %v, want %s with %q", export, err, want.code, want.text)
			}
		}
	})
	t.Run("log", func(t *testing.T) {
		t.Parallel()
		s := &services{}
		output(t, m, wasm.Call{Export: "speak", Services: s})
		var got []string
		for _, l := range s.lines {
			got = append(got, string(l.Level)+" "+l.Text)
		}
		want := []string{"info one", `info two\u001b[31m red`, "info printed", "warn complained"}
		if !slices.Equal(got, want) {
			t.Errorf("logged %q, want %q", got, want)
		}
	})
	t.Run("nothing of the machine", func(t *testing.T) {
		t.Parallel()
		got := output(t, m, wasm.Call{Export: "look"})
		if !strings.Contains(got, `"args":0,"env":0`) || strings.Contains(got, "root:") {
			t.Errorf("the plugin sees %s", got)
		}
	})
	t.Run("gateway", func(t *testing.T) {
		t.Parallel()
		s := &services{gateway: func(_ context.Context, r contract.GatewayRequest) contract.GatewayResponse {
			return contract.GatewayResponse{Status: 200, Text: r.System + "/" + r.Operation + string(r.Params["id"])}
		}}
		for in, want := range map[string]string{
			`{"system":"cmdb","operation":"find","params":{"id":7}}`: `{"status":200,"text":"cmdb/find7"}`,
			`{"system":"cmdb","operation":"find","url":"http://x/"}`: `"code":"REQUEST_INVALID"`,
			`{"system":"cmdb"}`:                           `"code":"REQUEST_INVALID"`,
			`{"http":{"url":"http://x/","method":"GET"}}`: `"code":"REQUEST_INVALID"`,
			`{"system":"cmdb","operation":"find","http":{"url":"http://x/","method":"GET"}}`: `"code":"REQUEST_INVALID"`,
			`{"system":"a","operation":"b","params":{"x":1,"x":2}}`:                          `twice`,
			`nonsense`: `"code":"REQUEST_INVALID"`,
		} {
			if got := output(t, m, wasm.Call{Export: "call", Input: []byte(in), Services: s}); !strings.Contains(got, want) {
				t.Errorf("gateway_call(%s) = %s, want %s", in, got, want)
			}
		}
	})
	t.Run("gateway panics", func(t *testing.T) {
		t.Parallel()
		s := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
			panic("secret detail")
		}}
		got := output(t, m, wasm.Call{Export: "call", Input: []byte(`{"system":"a","operation":"b"}`), Services: s})
		if !strings.Contains(got, wasm.CodeHostFault) || strings.Contains(got, "secret") {
			t.Errorf("the plugin sees %s", got)
		}
	})
}

// TestGoPluginSlot: a call that waits for the gateway leaves its place to others.
func TestGoPluginSlot(t *testing.T) {
	t.Parallel()
	h := newHost(t, func(c *wasm.Config) { c.Parallel = 1 })
	m := goPlugin(t, h)
	inside, leave := make(chan struct{}), make(chan struct{})
	s := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
		close(inside)
		<-leave
		return contract.GatewayResponse{Status: 204}
	}}
	done := make(chan error, 1)
	go func() {
		_, err := m.Call(t.Context(), wasm.Call{Export: "call", Input: []byte(`{"system":"a","operation":"b"}`), Services: s})
		done <- err
	}()
	<-inside
	output(t, m, wasm.Call{Export: "noop"})
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
