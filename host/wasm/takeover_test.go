package wasm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/host/wasm/confine"
	"github.com/culmhq/culm/host/wasm/wire"
	"github.com/culmhq/culm/pdk/contract"
)

// takeoverArgument makes the test binary a worker process that was taken over by what it
// ran; the mode follows.
const takeoverArgument = "__taken-over"

// takenOver is such a process: it says that it is ready, takes one call, and then does
// as its mode says.
func takenOver(mode string) int {
	in, out := wire.NewReader(os.Stdin, 1<<30), wire.NewWriter(os.Stdout)
	open, err := in.Next()
	if err != nil || out.Send(wire.Ready, 0, []byte("{}")) != nil {
		return 1
	}
	if mode == "deaf" { // takes nothing any more
		select {}
	}
	if strings.HasPrefix(mode, "lane: ") {
		return takenOverLane(mode, open, out)
	}
	call, err := in.Next()
	if err != nil {
		return 1
	}
	t := takeover{in, out, open, call.Call}
	t.modes()[mode]()
	select {} // until it is killed
}

type takeover struct {
	in   *wire.Reader
	out  *wire.Writer
	open wire.Frame
	call uint64
}

// send sends a frame; a host that is gone is no concern here.
func (t takeover) send(k wire.Kind, body []byte) { _ = t.out.Send(k, t.call, body) }

// modes are the things that such a process does.
func (t takeover) modes() map[string]func() {
	line := new(wire.Encoder).Text("info").Text(strings.Repeat("x", 4000)).Body()
	request := []byte(`{"system":"s","operation":"o"}`)
	result := func(failed, output string) []byte {
		return new(wire.Encoder).Text(failed).Text(output).Int(0).Int(0).Int(0).Int(0).Int(0).Body()
	}
	forever := func(f func()) func() {
		return func() {
			for {
				f()
			}
		}
	}
	raw := func(b []byte) func() { return func() { _, _ = os.Stdout.Write(b) } }
	return map[string]func(){
		"log flood":      forever(func() { t.send(wire.Log, line) }),
		"progress flood": forever(func() { t.send(wire.Progress, new(wire.Encoder).Int(1).Text("").Body()) }),
		"gateway flood":  forever(func() { t.send(wire.Gateway, request) }),
		"many calls":     forever(func() { t.send(wire.Gateway, request); _, _ = t.in.Next() }),
		"huge frame":     raw([]byte{0xff, 0xff, 0xff, 0xff, 11, 1}),
		"large frame":    raw([]byte{0, 0, 0, 0x40, 11, 1}),
		"noise":          forever(raw(bytes.Repeat([]byte{0x5a, 0xc3, 1}, 10_000))),
		"unknown kind":   raw([]byte{2, 0, 0, 0, 200, 1}),
		"another call":   func() { t.call += 7; t.send(wire.Log, line) },
		"order":          func() { t.send(wire.Open, nil) },
		"cut fields":     func() { t.send(wire.Log, []byte{0xff}) },
		"two results":    func() { t.send(wire.Result, result("", "1")); t.send(wire.Result, result("", "2")) },
		"large output":   func() { t.send(wire.Result, result("", strings.Repeat("x", 1<<20+1))) },
		"deep request":   func() { t.send(wire.Gateway, []byte(strings.Repeat(`{"params":`, 10_000))) },
		"odd request":    func() { t.send(wire.Gateway, []byte(`{"system":"s","operation":"o","url":"file:///etc/passwd"}`)) },
		"odd variable":   func() { t.send(wire.SetVar, new(wire.Encoder).Text("v").Text("NaN").Body()) },
		"recording":      forever(func() { t.send(wire.Recording, line) }),
		"lies": func() {
			t.send(wire.Result, result(`{"code":"ROOT","origin":"gateway","message":"a\nb\u001b[31m goroutine 1","detail":{"a":1}}`, ""))
		},
		"silent": func() {},
		"dies waiting": func() {
			t.send(wire.Gateway, request)
			_, _ = t.in.Next()
			os.Exit(0)
		},
		"dies asking": func() {
			t.send(wire.Gateway, request)
			os.Exit(3)
		},
		"dies": func() { os.Exit(3) },
		"takes memory": func() {
			var order struct{ Limits wasm.Limits }
			d := wire.NewDecoder(t.open.Body)
			if json.Unmarshal(d.Bytes(), &order) != nil || confine.Limit(confine.Limits{DataBytes: order.Limits.WorkerBytes}) != nil {
				os.Exit(64)
			}
			var kept [][]byte
			for {
				kept = append(kept, bytes.Repeat([]byte{byte(len(kept))}, 16<<20))
			}
		},
	}
}

// takenOverHost is a host whose worker processes are taken over.
func takenOverHost(t *testing.T, mode string, change ...func(*wasm.Config)) *wasm.Host {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	h := newHost(t, func(c *wasm.Config) {
		c.Limits = wasm.DefaultLimits()
		c.Limits.Timeout, c.Limits.GuestTime, c.Limits.StartTime = 2*time.Second, 100*time.Millisecond, 100*time.Millisecond
		c.Limits.WorkerGrace = 200 * time.Millisecond
		if !strings.HasSuffix(mode, "silent") && mode != "deaf" { // a process takes a second to end under the race detector
			c.Limits.GuestTime = 10 * time.Second
			c.Limits.Timeout = 10 * time.Second
		}
		c.Worker = func(ctx context.Context) *exec.Cmd { return exec.CommandContext(ctx, self, takeoverArgument, mode) }
		for _, f := range change {
			f(c)
		}
	})
	if strings.HasPrefix(mode, "lane: ") { // on a busy machine, too
		h.Workers().SetLanePatience(5 * time.Second)
	}
	return h
}

// TestAWorkerThatWasTakenOverIsKilled: whatever a process says that it may not say, it is
// killed, its call fails with a typed failure, the host's memory stays where it is, and
// the next call gets a process of its own.
func TestAWorkerThatWasTakenOverIsKilled(t *testing.T) {
	t.Parallel()
	plugin, limit := contract.OriginPlugin, contract.OriginLimit
	for mode, want := range map[string]struct {
		code   string
		origin contract.Origin
	}{
		"log flood":       {wasm.CodeTrap, plugin},
		"progress flood":  {wasm.CodeTrap, plugin},
		"gateway flood":   {wasm.CodeTrap, plugin},
		"many calls":      {wasm.CodeTrap, plugin},
		"huge frame":      {wasm.CodeTrap, plugin},
		"large frame":     {wasm.CodeTrap, plugin},
		"noise":           {wasm.CodeTrap, plugin},
		"unknown kind":    {wasm.CodeTrap, plugin},
		"another call":    {wasm.CodeTrap, plugin},
		"order":           {wasm.CodeTrap, plugin},
		"cut fields":      {wasm.CodeTrap, plugin},
		"large output":    {wasm.CodeTrap, plugin},
		"deep request":    {wasm.CodeTrap, plugin},
		"odd request":     {wasm.CodeTrap, plugin},
		"odd variable":    {wasm.CodeTrap, plugin},
		"recording":       {wasm.CodeTrap, plugin},
		"lies":            {wasm.CodeTrap, plugin},
		"lane: noise":     {wasm.CodeTrap, plugin},
		"lane: log flood": {wasm.CodeTrap, plugin},
		"lane: questions": {wasm.CodeTrap, plugin},
		"lane: no frame":  {wasm.CodeTrap, plugin},
		"lane: nothing":   {wasm.CodeTrap, plugin},
		"lane: not last":  {wasm.CodeTrap, plugin},
		"lane: no end":    {wasm.CodeTrap, plugin},
		"lane: length":    {wasm.CodeTrap, plugin},
		"lane: lies":      {wasm.CodeTrap, plugin},
		"lane: silent":    {wasm.CodeTimeout, limit},
		"lane: dies":      {wasm.CodeResource, limit},
		"silent":          {wasm.CodeTimeout, limit},
		"deaf":            {wasm.CodeTimeout, limit},
		"dies":            {wasm.CodeResource, limit},
		"dies waiting":    {wasm.CodeResource, limit},
		"takes memory":    {wasm.CodeResource, limit},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			h := takenOverHost(t, mode)
			s := &services{vars: map[string]json.RawMessage{}}
			c := wasm.Call{Export: "execute", Services: s}
			if mode == "deaf" { // more than a pipe holds
				c.Input = make([]byte, 3<<20)
			}
			_, err := isolate(h, evil(t, "state-image"), "a").Call(t.Context(), c)
			f := wantFailure(t, err, want.code, want.origin)
			for _, leak := range []string{"goroutine", "\n", "\x1b", ".go:", "/work"} {
				if strings.Contains(f.Message, leak) && !strings.HasSuffix(mode, "lies") || strings.ContainsAny(f.Message, "\n\x1b") {
					t.Errorf("the failure shows %q: %q", leak, f.Message)
				}
			}
			if total := s.logged(); total > h.Limits().LogBytes+2*h.Limits().LogLineBytes {
				t.Errorf("%d bytes of log came through", total)
			}
		})
	}
}

// logged counts the bytes of the log.
func (s *services) logged() (n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		n += int64(len(l.Text))
	}
	return n
}

// TestAFloodLeavesTheHostsMemoryFlat is not parallel: it weighs the whole process.
func TestAFloodLeavesTheHostsMemoryFlat(t *testing.T) { //nolint:paralleltest // weighs the process
	weigh := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := weigh()
	for _, mode := range []string{"log flood", "huge frame", "large frame", "noise", "recording", "lane: log flood", "lane: length"} {
		h := takenOverHost(t, mode)
		for range 3 {
			_, err := isolate(h, evil(t, "state-image"), "a").Call(t.Context(), wasm.Call{Export: "execute"})
			wantFailure(t, err, wasm.CodeTrap, contract.OriginPlugin)
		}
	}
	if after := weigh(); after > before+(8<<20) {
		t.Errorf("the heap went from %d to %d MiB", before>>20, after>>20)
	}
}

// TestADeadWorkerTakesOnlyItsOwnCalls: a call that waits in the host when its process
// dies is told that it was not its fault, and calls in other processes go on.
func TestADeadWorkerTakesOnlyItsOwnCalls(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	s := &services{gateway: func(ctx context.Context, _ contract.GatewayRequest) contract.GatewayResponse {
		close(entered)
		<-ctx.Done()
		return contract.GatewayResponse{Status: 200}
	}}
	h := takenOverHost(t, "dies asking")
	lost := make(chan error, 1)
	go func() {
		_, err := isolate(h, evil(t, "state-image"), "a").Call(t.Context(), wasm.Call{Export: "execute", Services: s})
		lost <- err
	}()
	<-entered
	other := newHost(t)
	if got := output(t, isolate(other, evil(t, "state-image"), "a"), wasm.Call{Export: "execute"}); got != "aaaaaaa" {
		t.Errorf("another process answers %q", got)
	}
	f := wantFailure(t, <-lost, wasm.CodeWorkerLost, contract.OriginHost)
	if !f.Retryable {
		t.Error("a call that was not at fault is not said to be retryable")
	}
}
