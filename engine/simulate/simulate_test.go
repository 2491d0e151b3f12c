package simulate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
)

// TestScripts plays scripts that say themselves what must come out.
func TestScripts(t *testing.T) {
	t.Parallel()
	const serial = "start -> a -> b -> end"
	for name, c := range map[string]struct{ flow, script string }{
		"without a script everything succeeds with examples": {
			serial + "\n flow {\"variables\":[{\"name\":\"v\",\"source\":\"node\",\"schema\":{\"type\":\"integer\"},\"output\":true}]}\n b: {\"outputs\":{\"v\":\"x\"}}",
			`{"nodes":{}, "expect":{"run":"succeeded","elapsed":"2s","outputs":{"v":7},"executed":["start","a","b","end"]}}`,
		},
		"outputs and times of the script": {
			serial + "\n flow {\"variables\":[{\"name\":\"v\",\"source\":\"node\",\"schema\":{\"type\":\"integer\"},\"output\":true}]}\n b: {\"outputs\":{\"v\":\"x\"},\"inputs\":{\"i\":\"${nodes.a.outputs.url}\"}}",
			`{"nodes":{"a":[{"after":"1m","succeed":{"x":9,"url":"https://a"}}],"b":[{"after":"0s","succeed":{"x":10}}]},
			  "expect":{"run":"succeeded","elapsed":"1m","outputs":{"v":10.0},"variables":{"v":10}}}`,
		},
		"a failure blocks, a retry with other inputs goes on": {
			serial,
			`{"nodes":{"a":[{"fail":{"code":"BROKEN","message":"it broke"}},{"succeed":{"x":8}}]},
			  "actions":[{"when":{"node":"a","state":"failed"},"after":"10m","do":"retry","inputs":{"i":1}}],
			  "expect":{"run":"succeeded","attempts":{"a":2,"b":1},"elapsed":"10m3s"}}`,
		},
		"a failure that nobody looks at": {
			serial,
			`{"nodes":{"a":[{"fail":{"code":"BROKEN"},"outputs":{"x":7}}]},
			  "expect":{"run":"blocked","nodes":{"a":"failed"},"failures":{"a":"BROKEN"},"not_executed":["b"]}}`,
		},
		"the second retry waits for the second failure": {
			serial,
			`{"nodes":{"a":[{"fail":{"code":"X"},"times":2}]},
			  "actions":[{"when":{"node":"a","state":"failed"},"do":"retry"},{"when":{"node":"a","state":"failed"},"do":"retry"}],
			  "expect":{"run":"succeeded","attempts":{"a":3}}}`,
		},
		"polls, a timer and a person, one after the other": {
			serial,
			`{"nodes":{"a":[{"waits":[{"kind":"poll","every":"10s","times":3},{"kind":"timer","after":"1h"},{"kind":"human","prompt":"ok?","schema":{"type":"boolean"}}]}]},
			  "actions":[{"when":{"node":"a","state":"waiting","run":"running","idle":true},"after":"5m","do":"callback","data":1,"refused":"INVALID"},
			             {"when":{"idle":true},"after":"6m","do":"callback","node":"a","data":true}],
			  "expect":{"run":"succeeded","elapsed":"1h6m32s"}}`,
		},
		"a wait for a callback that nobody makes ends by itself": {
			serial,
			`{"nodes":{"a":[{"waits":[{"kind":"callback","after":"1h","expire":{"code":"NO_ANSWER","message":"nobody called"}}]}]},
			  "expect":{"run":"blocked","failures":{"a":"NO_ANSWER"}}}`,
		},
		"a callback comes before its wait": {
			serial,
			`{"nodes":{"a":[{"after":"10s","waits":[{"kind":"callback"}]}]},
			  "actions":[{"at":"5s","do":"callback","node":"a","data":{"bit":1}}],
			  "expect":{"run":"succeeded","elapsed":"11s"}}`,
		},
		"pause and resume": {
			serial,
			`{"actions":[{"at":"500ms","do":"pause"},{"at":"1m","do":"resume"}],"expect":{"run":"succeeded","elapsed":"1m1s"}}`,
		},
		"commands that are refused": {
			serial,
			`{"actions":[{"do":"resume","refused":"WRONG_STATE"},{"do":"retry","node":"b","refused":"WRONG_STATE"},
			  {"do":"pause","expected_seq":1,"refused":"CONFLICT"},{"at":"1m","do":"revoke","refused":"RUN_ENDED"}],
			  "expect":{"run":"succeeded","elapsed":"2s"}}`,
		},
		"one command id has one effect": {
			serial,
			`{"actions":[{"id":"once","do":"pause"},{"id":"once","do":"pause"},{"when":{"run":"suspended","idle":true},"do":"resume"}],
			  "expect":{"run":"succeeded"}}`,
		},
		"revoke cancels what runs": {
			serial,
			`{"nodes":{"a":[{"after":"1h"}]},"actions":[{"at":"10s","do":"revoke","reason":"enough"}],
			  "expect":{"run":"revoked","nodes":{"a":"cancelled"},"elapsed":"10s"}}`,
		},
		"a call that answers although it was cancelled is late": {
			serial,
			`{"nodes":{"a":[{"after":"1h","late":true}]},"actions":[{"at":"10s","do":"force_fail","node":"a"},{"at":"11s","do":"skip","node":"a"}],
			  "expect":{"run":"succeeded","nodes":{"a":"skipped"},"elapsed":"12s"}}`,
		},
		"an unknown outcome is resolved": {
			serial,
			`{"nodes":{"a":[{"unknown":{"code":"OPEN_INTENT"}}]},
			  "actions":[{"when":{"node":"a","state":"unknown"},"do":"resolve","as":"done","outputs":{"x":8}}],
			  "expect":{"run":"succeeded"}}`,
		},
		"branches side by side": {
			"start -> p -> a -> j -> end\n p -> b -> j\n p: parallel\n j: join",
			`{"nodes":{"a":[{"after":"10s"}],"b":[{"after":"4s","waits":[{"kind":"timer","after":"2s"}]}]},"expect":{"run":"succeeded","elapsed":"10s"}}`,
		},
		"a loop takes the results of its iterations": {
			"start -> a -> g\n g -> a if x < 10\n g -> end else\n g: exclusive\n flow {\"variables\":[{\"name\":\"x\",\"source\":\"node\",\"schema\":{\"type\":\"integer\"},\"value\":0}]}\n a: {\"outputs\":{\"x\":\"x\"}}",
			`{"nodes":{"a":[{"iteration":2,"succeed":{"x":12}},{"succeed":{"x":8}},{"iteration":1,"attempt":1,"fail":{"code":"X"}},{"succeed":{"x":9}}]},
			  "actions":[{"when":{"node":"a","state":"failed","iteration":1,"attempt":1},"do":"retry"}],
			  "expect":{"run":"succeeded","attempts":{"a":4},"variables":{"x":12}}}`,
		},
		"defaults by action and for all": {
			serial + "\n b: {\"action\":\"ask\"}",
			`{"defaults":{"test/ask":{"waits":[{"kind":"human"}],"succeed":{"approved":false}},"*":{"after":"3s"}},
			  "actions":[{"when":{"node":"b","state":"waiting"},"do":"callback"}],"expect":{"run":"succeeded","elapsed":"4s"}}`,
		},
		"outputs that must be there and are left out are examples": {
			"start -> a -> end\n a: {\"action\":\"ask\",\"outputs\":{\"v\":\"approved\"}}\n flow {\"variables\":[{\"name\":\"v\",\"source\":\"node\",\"schema\":{\"type\":\"boolean\"}}]}",
			`{"nodes":{"a":[{"succeed":{}}]},"expect":{"variables":{"v":true}}}`,
		},
		"an exclusive gateway that no condition opens": {
			"start -> g\n g -> a if inputs_x > 1\n a -> end\n g: exclusive\n flow {\"variables\":[{\"name\":\"inputs_x\",\"source\":\"input\",\"schema\":{\"type\":\"integer\"}}]}",
			`{"inputs":{"inputs_x":1},"actions":[{"when":{"run":"blocked"},"do":"skip","node":"g","edges":["g_a"]}],
			  "expect":{"run":"succeeded","executed":["a"]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := script(t, c.script)
			r := run(t, flow(t, c.flow), s)
			met(t, r)
			again := run(t, flow(t, c.flow), script(t, c.script))
			if a, b := encode(t, r), encode(t, again); a != b {
				t.Errorf("the same simulation differs:\n%s\n%s", a, b)
			}
		})
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestUnmetExpectationsAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	f := flow(t, "start -> a -> b -> end\n flow {\"variables\":[{\"name\":\"v\",\"source\":\"constant\",\"value\":\"yes\"}]}")
	r := run(t, f, script(t, `{"nodes":{"a":[{"succeed":{"x":7}},{"fail":{"code":"NEVER"}}]},
		"actions":[{"do":"resume"},{"do":"pause","refused":"CONFLICT"},{"at":"1m","do":"resume"},{"when":{"node":"b","state":"failed"},"do":"retry"}],
		"expect":{"run":"failed","nodes":{"a":"failed","b":"succeeded"},"failures":{"a":"X"},"attempts":{"a":3},"outputs":{"o":1},
		"variables":{"v":"no"},"executed":["a"],"not_executed":["b"],"elapsed":"1s"}}`))
	var got []string
	for _, u := range r.Unmet {
		got = append(got, u.Pointer+" "+u.Want+" | "+u.Got)
	}
	want := []string{
		"/actions/0 accepted | refused: WRONG_STATE", "/actions/1 refused: CONFLICT | accepted", "/expect/run failed | succeeded",
		"/expect/nodes/a failed | succeeded", "/expect/failures/a X | (absent)", "/expect/outputs/o 1 | (absent)",
		`/expect/variables/v "no" | "yes"`, "/expect/attempts/a 3 | 1", "/expect/not_executed/0 not executed | executed", "/expect/elapsed 1s | 1m1s",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if u := strings.Join(r.Unused, " "); u != "/nodes/a/1 /actions/3" {
		t.Errorf("unused: %s", u)
	}
}

func TestTimelineTellsAttemptsWaitsAndGaps(t *testing.T) {
	t.Parallel()
	r := run(t, flow(t, "start -> a -> b -> end"), script(t, `{"nodes":{
		"a":[{"after":"2s","fail":{"code":"X"}},{"after":"2s","waits":[{"kind":"poll","every":"3s","times":2}]}]},
		"actions":[{"when":{"run":"blocked"},"after":"5s","do":"retry","node":"a"}]}`))
	var got strings.Builder
	for _, sp := range r.Timeline {
		fmt.Fprintf(&got, "%s#%d %s %s %d-%d calls=%d", sp.Node, sp.Attempt, sp.Type, sp.State, sp.StartMS, *sp.EndMS, sp.Calls)
		for _, p := range sp.Parts {
			fmt.Fprintf(&got, " %s%s:%d-%d", p.State, p.Wait, p.FromMS, p.ToMS)
		}
		got.WriteByte('\n')
	}
	const want = `start#1 start succeeded 0-0 calls=0
a#1 task failed 0-2000 calls=1 running:0-2000
a#2 task succeeded 7000-15000 calls=3 running:7000-9000 waitingpoll:9000-12000 running:12000-12000 waitingpoll:12000-15000 running:15000-15000
b#1 task succeeded 15000-16000 calls=1 running:15000-16000
end#1 end succeeded 16000-16000 calls=0
`
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
	if g := encode(t, r.Gaps); g != `[{"from_ms":2000,"to_ms":7000},{"from_ms":9000,"to_ms":12000,"waiting":["a"]},{"from_ms":12000,"to_ms":15000,"waiting":["a"]}]` {
		t.Errorf("gaps: %s", g)
	}
}

func TestTimelineTellsWhatWasUndone(t *testing.T) {
	t.Parallel()
	r := run(t, flow(t, "start -> a -> b -> end"), script(t, `{"nodes":{"a":[{},{"on":"rollback","after":"4s"}],"b":[{"fail":{"code":"X"}}]},
		"actions":[{"when":{"node":"b","state":"failed"},"after":"10s","do":"rollback","from":"b","to":"a","mode":"compensate"}]}`))
	a := r.Timeline[1]
	if got := encode(t, a.Parts); a.Node != "a" || a.State != engine.NodeRolledBack || *a.EndMS != 1000 ||
		got != `[{"state":"running","from_ms":0,"to_ms":1000},{"state":"rolling_back","from_ms":12000,"to_ms":16000}]` {
		t.Errorf("%s %s until %d: %s", a.Node, a.State, *a.EndMS, got)
	}
}

func TestWhatWasResolvedIsNoFailure(t *testing.T) {
	t.Parallel()
	r := run(t, flow(t, "start -> a -> end"), script(t, `{"nodes":{"a":[{"unknown":{"code":"OPEN_INTENT"}}]},
		"actions":[{"when":{"node":"a","state":"unknown"},"after":"1m","do":"resolve","as":"done"}]}`))
	if a := r.Timeline[1]; a.Failure != nil || *a.EndMS != 61_000 || len(a.Parts) != 2 || a.Parts[1].State != engine.NodeUnknown {
		t.Errorf("%+v", a)
	}
}

func TestLimitsStopASimulationAndSayWhatHappened(t *testing.T) {
	t.Parallel()
	const serial = "start -> a -> b -> end"
	loop := "start -> a -> g\n g -> a if true\n g -> end else\n g: exclusive"
	for name, c := range map[string]struct {
		flow, script string
		limits       simulate.Limits
		want         simulate.Code
	}{
		"virtual time of the caller": {serial, `{"nodes":{"a":[{"after":"48h"}]}}`, simulate.Limits{VirtualTime: 24 * time.Hour}, simulate.CodeVirtualTime},
		"virtual time of the script": {serial, `{"nodes":{"a":[{"after":"48h"}]},"limits":{"virtual_time":"1h"}}`, simulate.Limits{}, simulate.CodeVirtualTime},
		"an action too late":         {serial, `{"actions":[{"at":"48h","do":"pause"}],"limits":{"virtual_time":"1h"}}`, simulate.Limits{}, simulate.CodeVirtualTime},
		"steps":                      {loop, `{"limits":{"steps":50}}`, simulate.Limits{}, simulate.CodeSteps},
		"the script cannot raise":    {loop, `{"limits":{"steps":5000000}}`, simulate.Limits{Steps: 50}, simulate.CodeSteps},
		"bytes of records":           {loop, `{"nodes":{}}`, simulate.Limits{RecordBytes: 10_000}, simulate.CodeRecordBytes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := simulate.Run(t.Context(), simulate.Request{Flow: flow(t, c.flow), Catalogue: catalogue{}, Script: script(t, c.script), Limits: c.limits})
			var e *simulate.Error
			if !errors.As(err, &e) || e.Code != c.want || !e.Limit() {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if r == nil || r.Stopped != e || len(r.Timeline) == 0 || r.State == "" {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestASimulationThatIsCancelledHasNoReport(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := simulate.Run(ctx, simulate.Request{Flow: flow(t, "start -> a -> end"), Catalogue: catalogue{}})
	var e *simulate.Error
	if !errors.As(err, &e) || e.Code != simulate.CodeCancelled || r != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", r, err)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer cancel()
	if _, err = simulate.Run(late, simulate.Request{Flow: flow(t, "start -> a -> end"), Catalogue: catalogue{}}); !errors.As(err, &e) || e.Code != simulate.CodeWallTime {
		t.Errorf("got %v", err)
	}
}

func TestWhatCannotBeSimulated(t *testing.T) {
	t.Parallel()
	f := flow(t, "start -> a -> end\n flow {\"variables\":[{\"name\":\"v\",\"source\":\"input\",\"required\":true}]}")
	for name, c := range map[string]struct {
		flow   *engine.Flow
		script string
		code   simulate.Code
		field  string
	}{
		"a flow with problems":                  {flow(t, "start -> a"), `{"nodes":{}}`, simulate.CodeFlow, ""},
		"a script that does not fit":            {f, `{"nodes":{"nobody":[]}}`, simulate.CodeScript, "/nodes/nobody"},
		"a scheme that is not there":            {f, `{"start":{"schemes":["quick"]}}`, simulate.CodeScript, "/start/schemes/0"},
		"a node that is not optional":           {f, `{"start":{"without":["a"]}}`, simulate.CodeScript, "/start/without/0"},
		"what is left reads what is gone":       {flow(t, "start -> a -> b -> end\n a: {\"optional\":true}\n b: {\"inputs\":{\"i\":\"${nodes.a.outputs.x}\"}}"), `{"start":{"without":["a"]}}`, simulate.CodeFlow, ""},
		"a beginning in the middle of a branch": {flow(t, "start -> p -> a -> j -> end\n p -> b -> j\n p: parallel\n j: join"), `{"start":{"at":"a"}}`, simulate.CodeStart, "/start/at"},
		"a start that the core denies":          {f, `{"nodes":{}}`, simulate.CodeStart, "/inputs/v"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := simulate.Run(t.Context(), simulate.Request{Flow: c.flow, Catalogue: catalogue{}, Script: script(t, c.script)})
			var e *simulate.Error
			if !errors.As(err, &e) || e.Code != c.code || e.Field != c.field || e.Limit() {
				t.Errorf("got %#v", err)
			}
		})
	}
}
