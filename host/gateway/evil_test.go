package gateway_test

import (
	"context"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

func evil(t *testing.T) *hosttest.Evil {
	t.Helper()
	e, err := hosttest.NewEvil()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// evilEnd is how a call to an Evil ends: as a failure, or as an answer of a status.
type evilEnd struct {
	code   string
	origin contract.Origin
	status int
	again  bool
}

// evilEnds says how each mode ends.
func evilEnds() map[hosttest.EvilMode]evilEnd {
	const system, limit = contract.OriginSystem, contract.OriginLimit
	return map[hosttest.EvilMode]evilEnd{
		hosttest.EvilHang:         {gateway.CodeUpstreamTimeout, system, 0, true},
		hosttest.EvilHangBody:     {gateway.CodeUpstreamTimeout, system, 200, true},
		hosttest.EvilDrip:         {gateway.CodeUpstreamTimeout, system, 200, true},
		hosttest.EvilTrickle:      {gateway.CodeUpstreamTimeout, system, 200, true},
		hosttest.EvilReset:        {gateway.CodeUpstreamDown, system, 0, true},
		hosttest.EvilResetBody:    {gateway.CodeUpstreamDown, system, 200, true},
		hosttest.EvilClose:        {gateway.CodeUpstreamDown, system, 0, true},
		hosttest.EvilShort:        {gateway.CodeUpstreamDown, system, 200, true},
		hosttest.EvilDeclared:     {gateway.CodeResponseLimit, limit, 200, false},
		hosttest.EvilEndless:      {gateway.CodeResponseLimit, limit, 200, false},
		hosttest.EvilZipBomb:      {gateway.CodeResponseLimit, limit, 200, false},
		hosttest.EvilDamagedZip:   {gateway.CodeUpstreamInvalid, system, 200, false},
		hosttest.EvilZipTwice:     {gateway.CodeUpstreamInvalid, system, 200, false},
		hosttest.EvilUnasked:      {gateway.CodeUpstreamInvalid, system, 200, false},
		hosttest.EvilNotHTTP:      {gateway.CodeUpstreamInvalid, system, 0, false},
		hosttest.EvilTwoLengths:   {gateway.CodeUpstreamInvalid, system, 0, false},
		hosttest.EvilBadLength:    {gateway.CodeUpstreamInvalid, system, 0, false},
		hosttest.EvilBadHeader:    {gateway.CodeUpstreamInvalid, system, 0, false},
		hosttest.EvilBadChunk:     {gateway.CodeUpstreamInvalid, system, 200, false},
		hosttest.EvilHugeHeader:   {gateway.CodeUpstreamInvalid, system, 0, false},
		hosttest.EvilManyHeaders:  {gateway.CodeUpstreamInvalid, system, 0, false},
		hosttest.EvilInterim:      {gateway.CodeUpstreamInvalid, system, 0, false},
		hosttest.EvilUpgrade:      {gateway.CodeUpstreamInvalid, system, 101, false},
		hosttest.EvilOddStatus:    {gateway.CodeUpstreamInvalid, system, 999, false},
		hosttest.EvilTrailers:     {gateway.CodeUpstreamInvalid, system, 200, false},
		hosttest.EvilTooMany:      {status: 429},
		hosttest.EvilStorm:        {status: 500},
		hosttest.EvilRedirect:     {status: 302},
		hosttest.EvilRedirectAway: {status: 307},
		hosttest.EvilReflect:      {status: 200},
		hosttest.EvilBadJSON:      {status: 200},
	}
}

const evilLimits = "{timeout_ms: 700, response_bytes: 65536, concurrency: 4}"

// An upstream that does its worst ends in its typed failure, within its time.
func TestEvilUpstreams(t *testing.T) {
	t.Parallel()
	e := evil(t)
	for mode, want := range evilEnds() {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			limits, timeout := strings.Replace(evilLimits, "}", ", breaker: {failures: 1000}}", 1), 700*time.Millisecond
			if want.code != gateway.CodeUpstreamTimeout { // what ends otherwise may take its time on a slow machine
				limits, timeout = strings.Replace(limits, "700", "20000", 1), 20*time.Second
			}
			b := newBench(t, nil, setting{base: e.URL(mode), allow: []string{e.Address()}, limits: limits})
			var res contract.GatewayResponse
			hosttest.InTime(t, "a call", timeout+time.Second, func() time.Duration {
				start := time.Now()
				res = b.call("read", map[string]any{"id": "1"}, "")
				return time.Since(start)
			})
			if want.code == "" {
				if res.Failure != nil || res.Status != want.status {
					t.Errorf("got %+v", res)
				}
				return
			}
			fails(t, res, want.code, want.origin)
			if res.Failure.HTTPStatus != want.status || res.Failure.Retryable != want.again {
				t.Errorf("got status %d, retryable %v: %s", res.Failure.HTTPStatus, res.Failure.Retryable, res.Failure.Message)
			}
			if strings.Contains(res.Failure.Message, e.Address()) {
				t.Errorf("the failure names the address: %s", res.Failure.Message)
			}
		})
	}
}

// Whatever is read of an answer stays within its limit: the process does not grow with
// what a system sends.
func TestAnswersBeyondTheLimitTakeNoMemory(t *testing.T) { //nolint:paralleltest // it measures the memory of the process
	e := evil(t)
	for _, mode := range []hosttest.EvilMode{hosttest.EvilZipBomb, hosttest.EvilEndless, hosttest.EvilDeclared, hosttest.EvilHugeHeader, hosttest.EvilManyHeaders} {
		b := newBench(t, nil, setting{base: e.URL(mode), allow: []string{e.Address()}, limits: "{timeout_ms: 5000, response_bytes: 65536, breaker: {failures: 1000}}"})
		b.call("read", map[string]any{"id": "1"}, "") // what is kept for later is there
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 8 {
			if res := b.call("read", map[string]any{"id": "1"}, ""); res.Failure == nil {
				t.Fatalf("%s: got %+v", mode, res)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 10<<20 {
			t.Errorf("%s: the process grew by %d MiB", mode, grown>>20)
		}
		// What was taken at all, of server and client together, is far below what was sent: nothing
		// is gathered beyond the limit and thrown away later.
		if taken := (after.TotalAlloc - before.TotalAlloc) / 8; taken > 10<<20 {
			t.Errorf("%s: a call took %d MiB", mode, taken>>20)
		}
		t.Logf("%s: a call took %d KiB", mode, (after.TotalAlloc-before.TotalAlloc)/8>>10)
	}
}

// While every kind of broken system is called all the time, the calls of a sound one take
// no longer than those of a bare client do beside the same rubbish: nothing waits behind a
// system that hangs. The two are measured in turn, so that a busy machine slows both.
func TestBrokenSystemsLeaveTheOthersAlone(t *testing.T) { //nolint:paralleltest // it measures time
	e := evil(t)
	// Without an audit: the disk is shared by all, and what it does is not the point here.
	b := newBench(t, nil, setting{limits: "{timeout_ms: 20000}", tweak: func(g *gateway.Config) { g.Audit = noAudit{} }})
	b.allow(t, e.Address())
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for mode := range evilEnds() {
		id := "evil-" + string(mode)
		b.register(t, id, setting{base: e.URL(mode), auth: "{type: none}", limits: evilLimits})
		for range 2 {
			wg.Go(func() {
				// Each calls again and again, with a pause: a machine that is busy with sending rubbish would
				// measure only that.
				pace := time.NewTicker(100 * time.Millisecond)
				defer pace.Stop()
				for ctx.Err() == nil {
					<-pace.C
					c := caller()
					c.Call = int(b.calls.Add(1))
					req := ask(t, "read", map[string]any{"id": "1"}, "")
					req.System = id
					b.gateway.Open(c).Call(ctx, req)
				}
			})
		}
	}
	const rounds = 100
	// The broken ones take 700 ms each: who waits behind one of them is far beyond this.
	hosttest.InTime(t, "beyond twice a bare client's time, a call", 200*time.Millisecond, func() (beyond time.Duration) {
		ours, bare := make([]time.Duration, rounds), make([]time.Duration, rounds)
		for i := range rounds {
			start := time.Now()
			if res := b.call("read", map[string]any{"id": "1"}, ""); res.Status != http.StatusOK {
				t.Fatalf("the sound system: %+v", res)
			}
			middle := time.Now()
			bareCall(t, http.DefaultClient, http.MethodGet, b.up.URL+"/things/1", canary, "")
			ours[i], bare[i] = middle.Sub(start), time.Since(middle)
		}
		slices.Sort(ours)
		slices.Sort(bare)
		for _, percent := range []int{50, 90, 99} {
			o, b := ours[rounds*percent/100], bare[rounds*percent/100]
			t.Logf("p%d beside %d broken systems: %s, a bare client %s", percent, len(evilEnds()), o, b)
			beyond = max(beyond, o-2*b)
		}
		return beyond
	})
	cancel()
	wg.Wait()
}
