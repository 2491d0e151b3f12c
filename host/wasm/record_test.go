package wasm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// recordBytes is room enough for the calls of these tests.
const recordBytes = 4 << 20

// recorded makes a call and takes its recording through the form in which it is kept.
func recorded(tb testing.TB, m caller, c wasm.Call) *replay.Recording {
	tb.Helper()
	c.RecordBytes = recordBytes
	r, _ := m.Call(tb.Context(), c)
	if r.Recording == nil {
		tb.Fatalf("no recording of %s", c.Export)
	}
	b, err := json.Marshal(r.Recording)
	if err != nil {
		tb.Fatal(err)
	}
	rec, err := replay.Decode(b)
	if err != nil {
		tb.Fatal(err)
	}
	return rec
}

// elsewhere is a host as on another machine: with another clock, with the recorded
// limits, and with nothing to reach.
func elsewhere(tb testing.TB, rec *replay.Recording) *wasm.Host {
	tb.Helper()
	return newHost(tb, func(c *wasm.Config) {
		c.Limits = wasm.LimitsOf(rec)
		c.Limits.GuestTime, c.Limits.Timeout = time.Minute, time.Minute // a busy machine is not what differs
		c.Now = func() time.Time { return time.Now().Add(1000 * time.Hour) }
	})
}

func replayed(tb testing.TB, m *wasm.Module, rec *replay.Recording) (wasm.Result, error) {
	tb.Helper()
	r, err := m.Call(tb.Context(), wasm.Call{Export: rec.Export, Input: rec.Input, Replay: rec})
	if r.Replay == nil {
		tb.Fatalf("no report of the replay: %v", err)
	}
	return r, err
}

// recordingCases are calls of the Go plugin that use what a host decides.
func recordingCases() map[string]wasm.Call {
	answering := &services{gateway: func(_ context.Context, r contract.GatewayRequest) contract.GatewayResponse {
		return contract.GatewayResponse{Status: 200, Body: json.RawMessage(`{"at":"` + time.Now().String() + `"}`)}
	}}
	return map[string]wasm.Call{
		"random": {Export: "random"}, "clock": {Export: "clock"}, "speak": {Export: "speak"}, "boom": {Export: "boom"},
		"fail": {Export: "fail"}, "count": {Export: "count"},
		"execute":   {Export: "execute", Input: []byte(`{"inputs":{"name":"it"}}`)},
		"call":      {Export: "call", Input: []byte(`{"system":"s","operation":"o"}`), Services: answering},
		"refused":   {Export: "call", Input: []byte(`{"system":"s"}`), Services: answering},
		"bytes":     {Export: "echo", Input: []byte("\x00\xff{not text")},
		"memory":    {Export: "hoard", Limits: contract.Limits{MemoryBytes: 16 << 20}},
		"nap":       {Export: "nap", Limits: contract.Limits{TimeoutMS: 30}},
		"recursion": {Export: "nest"},
	}
}

// TestReplayIsTheRecordedCall: a call that is made again from its recording, by another
// host at another time that reaches nothing, asks, says and answers the same to the
// byte: random numbers, the order of maps and the time included. It does not matter
// whether the call ran in this process or in a worker.
func TestReplayIsTheRecordedCall(t *testing.T) { inBothTiers(t, testReplayIsTheRecordedCall) }

func testReplayIsTheRecordedCall(t *testing.T, in tier) {
	h := newHost(t)
	goPlugin(t, h)
	module, err := goBuild(t, "goplugin")
	if err != nil {
		t.Fatal(err)
	}
	m := in.load(t, h, module)
	for name, c := range recordingCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := recorded(t, m, c)
			again := goPlugin(t, elsewhere(t, rec))
			for range 2 {
				r, err := replayed(t, again, rec)
				if d := r.Replay.Difference; d != nil {
					t.Fatalf("%s: %+v; recorded %+v, now %+v\n%v", d.Way, d, d.Recorded, d.Now, err)
				}
				if r.Replay.Cut || r.Replay.Changed || !bytes.Equal(r.Output, rec.Outcome.Output) {
					t.Errorf("report %+v, output %q, recorded %q", r.Replay, r.Output, rec.Outcome.Output)
				}
				if f, was := wasm.AsFailure(err), rec.Outcome.Failure; (f == nil) != (was == nil) || f != nil && f.Code != was.Code {
					t.Errorf("ended with %v, recorded %v", f, was)
				}
			}
		})
	}
}

// TestReplayWithoutImage: programs that initialise themselves in every call are
// replayed too, and so are those of other languages.
func TestReplayWithoutImage(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	small, err := os.ReadFile(filepath.Join("testdata", "small.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	goModule(t, h, "goseeds")
	seeds, err := goBuild(t, "goseeds")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		module []byte
		call   wasm.Call
	}{
		"go":             {seeds, wasm.Call{Export: "show"}},
		"small":          {small, wasm.Call{Export: "execute", Input: []byte("abc")}},
		"assemblyscript": {assemblyScript(t), wasm.Call{Export: "execute", Input: []byte(`{"inputs":{}}`)}},
	} {
		rec := recorded(t, load(t, h, c.module), c.call)
		r, _ := replayed(t, load(t, elsewhere(t, rec), c.module), rec)
		if r.Replay.Difference != nil || !bytes.Equal(r.Output, rec.Outcome.Output) {
			t.Errorf("%s: %+v, output %q, recorded %q", name, r.Replay.Difference, r.Output, rec.Outcome.Output)
		}
	}
}

// changed is the Go plugin with a text in it replaced by one of the same length.
func changed(tb testing.TB, h *wasm.Host, was, is string) *wasm.Module {
	tb.Helper()
	goPlugin(tb, h)
	module, err := goBuild(tb, "goplugin")
	if err != nil {
		tb.Fatal(err)
	}
	if len(was) != len(is) || !bytes.Contains(module, []byte(was)) {
		tb.Fatalf("%q cannot stand for %q", is, was)
	}
	return load(tb, h, bytes.ReplaceAll(module, []byte(was), []byte(is)))
}

// TestReplayShowsTheFirstDifference: another module is shown to go another way at the
// first place where it does.
func TestReplayShowsTheFirstDifference(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := goPlugin(t, h)
	t.Run("an output", func(t *testing.T) {
		t.Parallel()
		rec := recorded(t, m, wasm.Call{Export: "execute", Input: []byte(`{"inputs":{"name":"it"}}`)})
		r, err := replayed(t, changed(t, h, "hello ", "howdy "), rec)
		d := r.Replay.Difference
		if err != nil || d == nil || d.Way != replay.WayOutcome || d.Field != "/outputs/greeting" ||
			d.Was != `"hello it"` || d.Is != `"howdy it"` || !r.Replay.Changed {
			t.Errorf("%v, %+v", err, d)
		}
	})
	t.Run("a line of the log", func(t *testing.T) {
		t.Parallel()
		rec := recorded(t, m, wasm.Call{Export: "speak"})
		r, err := replayed(t, changed(t, h, "complained", "complimented"[:10]), rec)
		d := r.Replay.Difference
		if err != nil || d == nil || d.Way != replay.WayChanged || string(d.Recorded.Ask) != "complained" || string(d.Now.Ask) != "compliment" {
			t.Errorf("%v, %+v", err, d)
		}
	})
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		for name, c := range recordingCases() {
			if name == "recursion" || name == "memory" {
				continue // where these end is a matter of the module's size
			}
			rec := recorded(t, m, c)
			r, _ := replayed(t, changed(t, h, "no such host: db-7", "no such host: db-8"), rec)
			if d := r.Replay.Difference; (d != nil) != (name == "fail") {
				t.Errorf("%s: %+v", name, d)
			}
		}
	})
}

// TestReplayReachesNothing: what the recording does not answer is answered by nobody.
func TestReplayReachesNothing(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	m := goPlugin(t, h)
	s := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
		return contract.GatewayResponse{Status: 200}
	}}
	rec := recorded(t, m, wasm.Call{Export: "call", Input: []byte(`{"system":"s","operation":"o"}`), Services: s})
	rec.Input = replay.Data(`{"system":"s","operation":"other"}`)
	s.gateway = func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
		t.Error("the gateway was asked")
		return contract.GatewayResponse{}
	}
	r, err := m.Call(t.Context(), wasm.Call{Export: rec.Export, Input: rec.Input, Services: s, Replay: rec})
	wantFailure(t, err, wasm.CodeReplayUnanswered, contract.OriginHost)
	d := r.Replay.Difference
	if d == nil || d.Way != replay.WayChanged || d.Field != "/operation" || d.Was != `"o"` || d.Is != `"other"` {
		t.Errorf("difference %+v", d)
	}
}

// TestRecordingIsBounded: a recording over its bound is the beginning of the call and
// says so; the call itself is not concerned.
func TestRecordingIsBounded(t *testing.T) {
	t.Parallel()
	m := goPlugin(t, newHost(t))
	big := []byte(strings.Repeat("x", 10_000))
	for _, c := range []struct {
		call  wasm.Call
		bytes int64
		want  replay.Part
	}{
		{wasm.Call{Export: "echo", Input: big}, 5_000, replay.PartInput},
		{wasm.Call{Export: "echo", Input: big}, 15_000, replay.PartOutput},
		{wasm.Call{Export: "speak"}, 700, replay.PartEvents},
		{wasm.Call{Export: "noop"}, 10, replay.PartStart},
	} {
		c.call.RecordBytes = c.bytes
		r, err := m.Call(t.Context(), c.call)
		if err != nil || r.Recording.Truncated != c.want {
			t.Errorf("%s in %d bytes: %v, cut at %q", c.call.Export, c.bytes, err, r.Recording.Truncated)
			continue
		}
		_, err = m.Call(t.Context(), wasm.Call{Export: c.call.Export, Input: c.call.Input, Replay: r.Recording})
		f := wasm.AsFailure(err)
		want := map[replay.Part]string{
			replay.PartInput: wasm.CodeReplayInvalid, replay.PartStart: wasm.CodeReplayInvalid, replay.PartEvents: wasm.CodeReplayCut,
		}[c.want]
		if (f == nil) != (want == "") || f != nil && f.Code != want {
			t.Errorf("replay of a recording cut at %s: %v", c.want, err)
		}
	}
}

// TestReplayOfAStoppedCall ends where the recorded one was stopped.
func TestReplayOfAStoppedCall(t *testing.T) {
	t.Parallel()
	m := goPlugin(t, newHost(t))
	ctx, cancel := context.WithCancel(t.Context())
	s := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
		cancel()
		return contract.GatewayResponse{Status: 200}
	}}
	r, err := m.Call(ctx, wasm.Call{
		Export: "call", Input: []byte(`{"system":"s","operation":"o"}`), Services: s, RecordBytes: recordBytes,
	})
	wantFailure(t, err, wasm.CodeCancelled, contract.OriginHost)
	if !r.Recording.Outcome.Stopped {
		t.Error("the recording does not say that the call was stopped")
	}
	r, err = replayed(t, m, r.Recording)
	wantFailure(t, err, wasm.CodeCancelled, contract.OriginHost)
	if r.Replay.Difference != nil {
		t.Errorf("difference %+v", r.Replay.Difference)
	}
}

// BenchmarkRecord makes calls that are recorded and calls that are not by turns; the least
// time of each is what counts on a busy machine.
func BenchmarkRecord(b *testing.B) {
	m := goPlugin(b, newHost(b))
	best := [2]time.Duration{time.Hour, time.Hour}
	for b.Loop() {
		for i, n := range []int64{0, recordBytes} {
			began := time.Now()
			c := wasm.Call{Export: "execute", Input: []byte(`{"inputs":{"name":"it"}}`), RecordBytes: n}
			if _, err := m.Call(b.Context(), c); err != nil {
				b.Fatal(err)
			}
			best[i] = min(best[i], time.Since(began))
		}
	}
	b.ReportMetric(float64(best[0].Microseconds()), "µs/call")
	b.ReportMetric(float64(best[1].Microseconds()), "µs/recorded")
}

// TestARecordingOutlivesItsProcess: what a call did until its worker process was killed is
// recorded in the host; it can be played as far as it goes, clocks and randomness included.
func TestARecordingOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	goPlugin(t, h)
	module, err := goBuild(t, "goplugin")
	if err != nil {
		t.Fatal(err)
	}
	m := isolate(h, module, "tenant")
	dying := &services{gateway: func(context.Context, contract.GatewayRequest) contract.GatewayResponse {
		h.Workers().KillAll()
		return contract.GatewayResponse{Status: 200, Body: json.RawMessage(`{"answered":true}`)}
	}}
	r, err := m.Call(t.Context(), wasm.Call{
		Export: "call", Input: []byte(`{"system":"s","operation":"o"}`), Services: dying, RecordBytes: recordBytes,
	})
	f := wasm.AsFailure(err)
	rec := r.Recording
	if f == nil || rec == nil || r.HostCalls != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	last := rec.Events[len(rec.Events)-1]
	if rec.Outcome.Failure.Code != f.Code || last.Kind != replay.KindGateway || !strings.Contains(string(last.Answer), "answered") || rec.Truncated != replay.PartEvents || len(rec.Fresh) == 0 {
		t.Errorf("recorded %+v", rec)
	}
	b, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	if rec, err = replay.Decode(b); err != nil {
		t.Fatal(err)
	}
	played, err := replayed(t, goPlugin(t, elsewhere(t, rec)), rec)
	if d := played.Replay.Difference; d != nil || !played.Replay.Cut || played.Replay.Used != played.Replay.Events {
		t.Errorf("played %+v, %+v, %v", played.Replay, d, err)
	}
}

// TestBothEndsOfAWorkerRecordTheSame: the tape that the host keeps beside that of the
// process has everything in its order, whatever a call does, until the process is asked for
// its own.
func TestBothEndsOfAWorkerRecordTheSame(t *testing.T) {
	t.Parallel()
	h := newHost(t)
	module, err := goBuild(t, "goplugin")
	if err != nil {
		t.Fatal(err)
	}
	m := isolate(h, module, "tenant")
	for name, c := range recordingCases() {
		c.RecordBytes = recordBytes
		r, there, _ := h.Workers().CallTaped(t.Context(), m.module, c)
		if r.Recording == nil || there == nil {
			t.Errorf("%s: no recording", name)
			continue
		}
		whole := r.Recording.Events
		if len(there.Events) > len(whole) || !bytes.Equal(there.Fresh, r.Recording.Fresh) && len(there.Fresh) > 0 {
			t.Errorf("%s: the host has %d events, the process %d", name, len(there.Events), len(whole))
			continue
		}
		for i := range there.Events {
			a, b := there.Events[i], whole[i]
			if a.Kind != b.Kind || a.Name != b.Name || a.Number != b.Number || a.Value != b.Value || !bytes.Equal(a.Answer, b.Answer) {
				t.Errorf("%s: event %d is %+v in the host, %+v in the process", name, i, a, b)
				break
			}
		}
	}
}
