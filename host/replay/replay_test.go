package replay_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

const digest = "sha256:1"

// call is a recording of a call that asked these events.
func call(events ...replay.Event) *replay.Recording {
	return &replay.Recording{
		Format: replay.Format, Digest: digest, Export: "execute", At: time.Unix(1000, 0).UTC(), Events: events,
		Outcome: replay.Outcome{Output: replay.Data(`{"status":"succeeded"}`)},
	}
}

func gateway(ask, answer string) replay.Event {
	return replay.Event{Kind: replay.KindGateway, Ask: replay.Data(ask), Answer: replay.Data(answer)}
}

func clock(at int64) replay.Event {
	return replay.Event{Kind: replay.KindClock, Name: replay.ClockMonotonic, Value: at}
}

func logged(text string) replay.Event {
	return replay.Event{Kind: replay.KindLog, Name: "info", Ask: replay.Data(text)}
}

// ask is what the guest passes of an event.
func ask(e replay.Event) replay.Event {
	return replay.Event{Kind: e.Kind, Name: e.Name, Number: e.Number, Ask: e.Ask}
}

func TestTheSameModuleIsComparedEventByEvent(t *testing.T) {
	t.Parallel()
	rec := call(clock(1), gateway(`{"a":1}`, "one"), logged("x"), clock(2))
	p := replay.NewPlayer(rec, digest)
	for _, e := range rec.Events {
		if e.Kind == replay.KindLog {
			if stop := p.Say(e); stop != nil {
				t.Fatalf("stopped at a line: %+v", stop)
			}
			continue
		}
		got, stop := p.Answer(ask(e))
		if stop != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("%+v, %+v; want %+v", got, stop, e)
		}
	}
	p.End(rec.Outcome)
	if r := p.Report(digest); r.Difference != nil || r.Used != 4 || r.Events != 4 || r.Changed {
		t.Errorf("%+v", r)
	}

	p = replay.NewPlayer(rec, digest)
	if _, stop := p.Answer(ask(rec.Events[1])); stop != nil {
		t.Fatalf("the answer is in the recording: %+v", stop)
	}
	if d := p.Report(digest).Difference; d == nil || d.At != 0 || d.Recorded.Kind != replay.KindClock || d.Now.Kind != replay.KindGateway {
		t.Errorf("a clock that was not read is no difference: %+v", d)
	}
}

func TestAnotherModuleMayReadClocksAsItLikes(t *testing.T) {
	t.Parallel()
	rec := call(clock(10), gateway(`{"a":1,"b":2}`, "one"), clock(20))
	p := replay.NewPlayer(rec, "sha256:2")
	var times []int64
	for range 4 {
		e, stop := p.Answer(ask(clock(0)))
		if stop != nil {
			t.Fatal(stop)
		}
		times = append(times, e.Value)
	}
	if want := []int64{10, 20, 1_000_020, 2_000_020}; !reflect.DeepEqual(times, want) {
		t.Errorf("times %v, want %v", times, want)
	}
	if e, stop := p.Answer(ask(gateway(`{"b": 2, "a": 1}`, ""))); stop != nil || string(e.Answer) != "one" {
		t.Errorf("the order of members is a difference: %+v", stop)
	}
	random := replay.Event{Kind: replay.KindRandom, Number: 8}
	a, _ := p.Answer(random)
	b, _ := replay.NewPlayer(rec, "sha256:2").Answer(random)
	if len(a.Answer) != 8 || !reflect.DeepEqual(a, b) {
		t.Errorf("made-up randomness is %x in one replay and %x in another", a.Answer, b.Answer)
	}
	p.End(rec.Outcome)
	if r := p.Report("sha256:2"); r.Difference != nil || !r.Changed {
		t.Errorf("%+v", r)
	}
}

func TestAnotherModuleIsStoppedInTheSleepThatTheRecordedCallWasStoppedIn(t *testing.T) {
	t.Parallel()
	sleep := replay.Event{Kind: replay.KindSleep, Number: 1, Value: int64(time.Hour)}
	nap, open := sleep, sleep
	nap.Answer, open.Open = replay.Data{0}, true
	rec := call(clock(10), nap, gateway(`{}`, "one"), clock(20), open)
	late := &contract.Failure{Code: "PLUGIN_TIMEOUT", Origin: contract.OriginHost}
	rec.Outcome = replay.Outcome{Failure: late, Stopped: true}

	p := replay.NewPlayer(rec, "sha256:2")
	if e, stop := p.Answer(sleep); stop != nil || e.Absent || len(e.Answer) != 1 {
		t.Fatalf("the first sleep: %+v, %+v", e, stop)
	}
	if e, stop := p.Answer(ask(rec.Events[2])); stop != nil || string(e.Answer) != "one" {
		t.Fatalf("%+v, %+v", e, stop)
	}
	if _, stop := p.Answer(sleep); stop == nil || !stop.Ended {
		t.Fatalf("the call goes on after the sleep that it was stopped in: %+v", stop)
	}
	p.End(rec.Outcome)
	if d := p.Report("sha256:2").Difference; d != nil {
		t.Errorf("%+v", d)
	}

	// What sleeps once more before it does what the recorded call did is not at that place.
	p = replay.NewPlayer(rec, "sha256:2")
	for range 2 {
		if _, stop := p.Answer(sleep); stop != nil {
			t.Fatalf("%+v", stop)
		}
	}
	p.End(rec.Outcome)
	if d := p.Report("sha256:2").Difference; d == nil || d.Way != replay.WayMissing || d.At != 2 {
		t.Errorf("%+v", d)
	}
}

func TestASleepThatWasNotRecordedIsOverAtOnce(t *testing.T) {
	t.Parallel()
	p := replay.NewPlayer(call(clock(10)), "sha256:2")
	at := func() int64 {
		e, _ := p.Answer(ask(clock(0)))
		return e.Value
	}
	before := at()
	for _, wait := range []time.Duration{time.Hour, 0, math.MaxInt64, math.MaxInt64} {
		e, stop := p.Answer(replay.Event{Kind: replay.KindSleep, Number: 1, Value: int64(wait)})
		if stop != nil || !e.Absent {
			t.Fatalf("%+v, %+v", e, stop)
		}
		now := at()
		if now < before || wait == time.Hour && now < before+int64(wait) {
			t.Fatalf("a sleep of %v: from %d to %d", wait, before, now)
		}
		before = now
	}
}

func TestAfterADifferenceAnswersGoByTheQuestion(t *testing.T) {
	t.Parallel()
	rec := call(
		gateway(`{"operation":"first"}`, "1"), gateway(`{"operation":"second"}`, "2"),
		replay.Event{Kind: replay.KindVarGet, Name: "v", Answer: replay.Data("7")},
	)
	p := replay.NewPlayer(rec, "sha256:2")
	if e, stop := p.Answer(ask(rec.Events[1])); stop != nil || string(e.Answer) != "2" {
		t.Fatalf("%+v %+v", e, stop)
	}
	if d := p.Report("").Difference; d == nil || d.Field != "/operation" || d.Was != `"first"` || d.Is != `"second"` {
		t.Fatalf("%+v", d)
	}
	if _, stop := p.Answer(ask(rec.Events[1])); stop == nil || !stop.Unanswered {
		t.Errorf("a second call of what was called once has an answer: %+v", stop)
	}
	if e, stop := p.Answer(ask(rec.Events[0])); stop != nil || string(e.Answer) != "1" {
		t.Errorf("%+v %+v", e, stop)
	}
	for range 2 {
		if e, stop := p.Answer(ask(rec.Events[2])); stop != nil || string(e.Answer) != "7" {
			t.Errorf("a variable can be read again: %+v %+v", e, stop)
		}
	}
	if e, stop := p.Answer(replay.Event{Kind: replay.KindVarGet, Name: "w"}); stop != nil || !e.Absent {
		t.Errorf("a variable that was never read: %+v %+v", e, stop)
	}
}

func TestWhatIsNotDoneAnyMoreIsADifference(t *testing.T) {
	t.Parallel()
	rec := call(gateway(`{}`, "1"), logged("done"))
	p := replay.NewPlayer(rec, "sha256:2")
	if _, stop := p.Answer(ask(rec.Events[0])); stop != nil {
		t.Fatal(stop)
	}
	p.End(rec.Outcome)
	if d := p.Report("").Difference; d == nil || d.Way != replay.WayMissing || d.At != 1 || string(d.Recorded.Ask) != "done" {
		t.Errorf("%+v", d)
	}
	p = replay.NewPlayer(call(), "sha256:2")
	p.Say(logged("more"))
	if d := p.Report("").Difference; d == nil || d.Way != replay.WayExtra || string(d.Now.Ask) != "more" {
		t.Errorf("%+v", d)
	}
}

func TestOutcomesAreCompared(t *testing.T) {
	t.Parallel()
	failed := func(code, message string) replay.Outcome {
		return replay.Outcome{Failure: &contract.Failure{Code: code, Message: message}}
	}
	stopped := failed("PLUGIN_TIMEOUT", "after 1s")
	stopped.Stopped = true
	for _, c := range []struct {
		was, is replay.Outcome
		same    bool
	}{
		{replay.Outcome{Output: replay.Data(`{"a":1,"b":2}`)}, replay.Outcome{Output: replay.Data(`{"b":2,"a":1}`)}, true},
		{replay.Outcome{Output: replay.Data(`{"a":1}`)}, replay.Outcome{Output: replay.Data(`{"a":1.0}`)}, false},
		{replay.Outcome{Output: replay.Data(`{}`)}, replay.Outcome{Output: replay.Data(`{} {}`)}, false},
		{replay.Outcome{Output: replay.Data(`{}`)}, failed("A", ""), false},
		{failed("A", "x"), failed("A", "x"), true},
		{failed("A", "x"), failed("A", "y"), false},
		{failed("A", "x"), failed("B", "x"), false},
		{stopped, failed("PLUGIN_TIMEOUT", "after 60s"), true},
	} {
		rec := call()
		rec.Outcome = c.was
		p := replay.NewPlayer(rec, digest)
		p.End(c.is)
		if d := p.Report("").Difference; (d == nil) != c.same {
			t.Errorf("%s and %s: %+v", c.was.Output, c.is.Output, d)
		}
	}
}

func TestTheFirstPartThatDiffersIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ was, is, field, a, b string }{
		{`{"a":[1,{"x/y":2}]}`, `{"a":[1,{"x/y":3}]}`, "/a/1/x~1y", "2", "3"},
		{`{"a":1}`, `{"a":1,"b":true}`, "/b", "", "true"},
		{`{"a":1,"b":"<&>"}`, `{"a":1}`, "/b", `"<&>"`, ""},
		{`[1,2]`, `[1]`, "/1", "2", ""},
		{`[1]`, `[1,2]`, "/1", "", "2"},
		{`{"a":1}`, `[1]`, "", `{"a":1}`, `[1]`},
		{`not json`, `{}`, "", "", ""},
	} {
		p := replay.NewPlayer(call(gateway(c.was, "")), digest)
		_, _ = p.Answer(ask(gateway(c.is, "")))
		if d := p.Report("").Difference; d == nil || d.Field != c.field || d.Was != c.a || d.Is != c.b {
			t.Errorf("%s and %s: %+v", c.was, c.is, d)
		}
	}
}

func TestARecordingReadsBackAsItWas(t *testing.T) {
	t.Parallel()
	r := call(
		gateway("{\"a\":\"<&>\u2028\"}", "not utf-8 \xff\x00"),
		replay.Event{Kind: replay.KindRandom, Number: 3, Answer: replay.Data{0xff, 0, 1}},
		replay.Event{Kind: replay.KindVarGet, Name: "v", Absent: true}, replay.Event{Kind: replay.KindSleep, Open: true},
	)
	r.Input, r.Limits, r.Image, r.Fresh = replay.Data("{\n}"), replay.Limits{Memory: 1 << 26}, true, replay.Data{1, 0xfe}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	got, err := replay.Decode(b)
	if err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%v\n%+v\n%+v", err, got, r)
	}
}

func TestWhatCannotBePlayedIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*replay.Recording){
		"format": func(r *replay.Recording) { r.Format = 0 }, "newer": func(r *replay.Recording) { r.Format = replay.Format + 1 },
		"export": func(r *replay.Recording) { r.Export = "" }, "digest": func(r *replay.Recording) { r.Digest = "" },
		"no input": func(r *replay.Recording) { r.Truncated = replay.PartInput },
		"no start": func(r *replay.Recording) { r.Truncated = replay.PartStart },
		"kind":     func(r *replay.Recording) { r.Events = []replay.Event{{Kind: "telepathy"}} },
		"limit":    func(r *replay.Recording) { r.Limits.Memory = 1 << 50 },
		"negative": func(r *replay.Recording) { r.Limits.HostCalls = -1 },
	} {
		r := call()
		change(r)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := replay.Decode(b); err == nil && !strings.HasPrefix(name, "no ") || err != nil && !errors.Is(err, replay.ErrRecording) {
			t.Errorf("%s was read: %+v, %v", name, got, err)
		}
		if err := r.Check(); !errors.Is(err, replay.ErrRecording) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestScrubReachesEveryText(t *testing.T) {
	t.Parallel()
	const canary = "c4nary-hunter2"
	d := replay.Data("x" + canary)
	r := call(
		replay.Event{Kind: replay.KindGateway, Ask: d, Answer: d}, replay.Event{Kind: replay.KindVarSet, Name: canary, Ask: d, Answer: d},
		replay.Event{Kind: replay.KindLog, Name: "info", Ask: d}, replay.Event{Kind: replay.KindConfig, Name: canary, Answer: d},
	)
	r.Input = d
	r.Outcome = replay.Outcome{Output: d, Failure: &contract.Failure{
		Code: "A", Message: canary, Detail: json.RawMessage(`"` + canary + `"`),
	}}
	shared := r.Outcome.Failure
	r.Scrub(func(s string) string { return strings.ReplaceAll(s, canary, "***") })
	b, err := json.Marshal(r)
	if err != nil || strings.Contains(string(b), canary) {
		t.Errorf("%v: %s", err, b)
	}
	if shared.Message != canary {
		t.Error("the failure of the call itself was changed")
	}
}

// FuzzPlayer: whatever a recording holds and a guest asks, the player answers or says
// why not.
func FuzzPlayer(f *testing.F) {
	seed, err := json.Marshal(call(clock(1), gateway(`{"a":[1]}`, "x"), logged("y")))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, `{"a":[2]}`, byte(0))
	f.Fuzz(func(t *testing.T, b []byte, text string, same byte) {
		r, err := replay.Decode(b)
		if err != nil {
			return
		}
		who := "sha256:2"
		if same%2 == 0 {
			who = r.Digest
		}
		p := replay.NewPlayer(r, who)
		p.Started()
		for _, k := range []replay.Kind{
			replay.KindGateway, replay.KindClock, replay.KindLog, replay.KindRandom, replay.KindVarGet, replay.KindSleep,
		} {
			e := replay.Event{Kind: k, Name: text, Ask: replay.Data(text), Number: int64(same)}
			if k == replay.KindLog {
				p.Say(e)
			} else if got, stop := p.Answer(e); stop == nil && got.Kind != k {
				t.Errorf("asked for %s, got %s", k, got.Kind)
			}
		}
		p.End(replay.Outcome{Output: replay.Data(text)})
		if rep := p.Report(who); rep.Used > rep.Events {
			t.Errorf("%+v", rep)
		}
	})
}
