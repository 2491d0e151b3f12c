package simulate_test

import (
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
)

// feature is a flow, with the flows of its subflow nodes, and a script that says itself
// what must come out.
type feature struct {
	flow     string
	subflows map[string]string
	script   string
}

// independent and inline are subflow nodes.
const (
	independent = `{"type":"subflow","plugin":"","action":"","flow":"child","mode":"independent"}`
	inline      = `{"type":"subflow","plugin":"","action":"","flow":"leaf"}`
)

func features() map[string]feature {
	const serial = "start -> a -> b -> end"
	return map[string]feature{
		"an ignored failure": {
			serial + "\n a: {\"ignore_failure\":true}", nil,
			`{"nodes":{"a":[{"fail":{"code":"X"}}]},"expect":{"run":"succeeded","nodes":{"a":"skipped"},"failures":{"a":"X"},"elapsed":"2s"}}`,
		},
		"automatic retries take their time": {
			serial + "\n a: {\"retry\":{\"max\":3,\"delay_ms\":10000,\"backoff\":2}}", nil,
			`{"nodes":{"a":[{"fail":{"code":"X"},"times":2}]},"expect":{"run":"succeeded","attempts":{"a":3},"elapsed":"34s"}}`,
		},
		"an operator moves an automatic retry": {
			serial + "\n a: {\"retry\":{\"max\":1,\"delay_ms\":3600000}}", nil,
			`{"nodes":{"a":[{"fail":{"code":"X"}}]},"actions":[{"at":"1m","do":"reschedule","node":"a","delay":"30s"}],
			  "expect":{"run":"succeeded","elapsed":"92s"}}`,
		},
		"an operator ends a wait early": {
			serial, nil,
			`{"nodes":{"a":[{"waits":[{"kind":"timer","after":"24h"}]}]},"actions":[{"when":{"node":"a","state":"waiting"},"after":"1m","do":"reschedule","delay":"0s"}],
			  "expect":{"run":"succeeded","elapsed":"62s"}}`,
		},
		"a timeout fails, and goes on": {
			serial + "\n a: {\"timeout\":{\"after_ms\":60000,\"action\":\"skip\"}}", nil,
			`{"nodes":{"a":[{"waits":[{"kind":"callback"}]}]},"expect":{"run":"succeeded","nodes":{"a":"skipped"},"failures":{"a":"TIMEOUT"},"elapsed":"61s"}}`,
		},
		"a timeout cuts a call off": {
			serial + "\n a: {\"timeout\":{\"after_ms\":60000}}", nil,
			`{"nodes":{"a":[{"after":"1h"}]},"expect":{"run":"blocked","failures":{"a":"TIMEOUT"}}}`,
		},
		"repetitions collect what they give": {
			serial + "\n a: {\"repeat\":{\"times\":3,\"collect\":\"all\"}}\n flow {\"variables\":[{\"name\":\"all\",\"source\":\"node\",\"schema\":{\"type\":\"array\"}}]}", nil,
			`{"nodes":{"a":[{"succeed":{"x":7}},{"succeed":{"x":8}},{"succeed":{"x":9}}]},
			  "expect":{"run":"succeeded","attempts":{"a":3},"variables":{"all":[{"x":7},{"x":8},{"x":9}]}}}`,
		},
		"one repetition is tried again": {
			serial + "\n a: {\"repeat\":{\"times\":2}}", nil,
			`{"nodes":{"a":[{},{"fail":{"code":"X"}}]},"actions":[{"when":{"run":"blocked"},"do":"retry","node":"a","part":"iteration"}],
			  "expect":{"run":"succeeded","attempts":{"a":3,"b":1}}}`,
		},
		"an operator ends the run": {
			serial, nil,
			`{"actions":[{"at":"500ms","do":"fail","reason":"enough"}],"expect":{"run":"failed","nodes":{"a":"cancelled"},"elapsed":"500ms"}}`,
		},
		"a run that takes too long": {
			serial + "\n flow {\"timeout_ms\":60000}", nil,
			`{"nodes":{"a":[{"waits":[{"kind":"human"}]}]},"expect":{"run":"failed","nodes":{"a":"cancelled"},"elapsed":"1m"}}`,
		},
		"an inclusive gateway": {
			"start -> g\n g -> a if n > 1\n g -> b if n > 2\n g -> c else\n a -> j\n b -> j\n c -> j -> end\n g: inclusive\n j: join\n" +
				`flow {"variables":[{"name":"n","source":"input","schema":{"type":"integer"}}]}`, nil,
			`{"inputs":{"n":3},"nodes":{"a":[{"after":"5s"}]},"expect":{"run":"succeeded","executed":["a","b"],"not_executed":["c"],"elapsed":"5s"}}`,
		},
		"an inline subflow": {
			"start -> s -> b -> end\n s: " + strings.Replace(inline, "leaf", "child", 1),
			map[string]string{"child": "start -> c -> d -> end"},
			`{"nodes":{"s.c":[{"after":"5s","fail":{"code":"X"}},{"after":"1s"}]},
			  "actions":[{"when":{"node":"s.c","state":"failed"},"after":"10s","do":"retry"}],
			  "expect":{"run":"succeeded","nodes":{"s":"succeeded","s.c":"succeeded"},"attempts":{"s.c":2,"s.d":1},"elapsed":"18s"}}`,
		},
		"an independent subflow is simulated too": {
			"start -> s -> b -> end\n s: " + independent,
			map[string]string{"child": "start -> c -> end"},
			`{"nodes":{"s.c":[{"after":"5s","fail":{"code":"X"}},{"after":"1s"}]},
			  "actions":[{"when":{"run":"blocked"},"in":"s","after":"10s","do":"retry","node":"s.c"},{"at":"3s","do":"retry","node":"s.c","refused":"WRONG_STATE"}],
			  "expect":{"run":"succeeded","nodes":{"s":"succeeded","s.c":"succeeded"},"attempts":{"s.c":2},"elapsed":"17s"}}`,
		},
		"an independent subflow ends as the script says": {
			"start -> s -> b -> end\n s: " + independent + "\n flow {\"variables\":[{\"name\":\"v\",\"source\":\"node\",\"schema\":{\"type\":\"integer\"}}]}\n s: {\"outputs\":{\"v\":\"n\"}}",
			map[string]string{"child": "start -> c -> end\n flow {\"variables\":[{\"name\":\"n\",\"source\":\"constant\",\"schema\":{\"type\":\"integer\"},\"value\":1,\"output\":true}]}"},
			`{"nodes":{"s":[{"after":"1h","fail":{"code":"CHILD_X"}},{"revoked":true},{"after":"2h","succeed":{"n":3}}]},
			  "actions":[{"when":{"node":"s","state":"failed"},"do":"retry"},{"when":{"node":"s","state":"failed"},"do":"retry"}],
			  "expect":{"run":"succeeded","attempts":{"s":3},"not_executed":["s.c"],"elapsed":"3h2s","variables":{"v":3}}}`,
		},
		"what stops the parent stops the run below": {
			"start -> s -> b -> end\n s: " + independent,
			map[string]string{"child": "start -> c -> d -> end"},
			`{"actions":[{"at":"500ms","do":"pause"},{"when":{"run":"suspended"},"in":"s","after":"1m","do":"pause","refused":"WRONG_STATE"},{"when":{"run":"suspended"},"after":"2m","do":"resume"}],
			  "expect":{"run":"succeeded","elapsed":"2m2s500ms"}}`,
		},
		"a run below is revoked with the parent": {
			"start -> s -> b -> end\n s: " + independent,
			map[string]string{"child": "start -> c -> end"},
			`{"nodes":{"s.c":[{"after":"1h"}]},"actions":[{"at":"1m","do":"revoke"}],
			  "expect":{"run":"revoked","nodes":{"s":"cancelled","s.c":"cancelled"},"elapsed":"1m"}}`,
		},
		"a run below a run": {
			"start -> s -> end\n s: " + independent,
			map[string]string{"child": "start -> c -> end\n c: " + strings.ReplaceAll(independent, "child", "grandchild"), "grandchild": "start -> i -> end\n i: " + inline, "leaf": "start -> x -> end"},
			`{"nodes":{"s.c.i.x":[{"after":"1m"}]},"actions":[{"at":"30s","do":"pause","in":"s.c"},{"at":"3m","do":"resume","in":"s.c"}],
			  "expect":{"run":"succeeded","executed":["s","s.c","s.c.i","s.c.i.x"],"elapsed":"3m"}}`,
		},
		"a node held by an operator": {
			serial, nil,
			`{"actions":[{"do":"pause","node":"b"},{"when":{"node":"b","state":"suspended"},"after":"1h","do":"resume","node":"b"}],
			  "expect":{"run":"succeeded","elapsed":"1h2s"}}`,
		},
		"a run that begins in the middle": {
			serial, nil, `{"start":{"at":"b"},"expect":{"run":"succeeded","not_executed":["a"],"elapsed":"1s"}}`,
		},
		"nodes that are left out": {
			"start -> a -> b -> c -> end\n a: {\"optional\":true}\n b: {\"optional\":true}\n flow {\"schemes\":[{\"id\":\"quick\",\"without\":[\"a\"]}]}", nil,
			`{"start":{"schemes":["quick"],"without":["b"]},"expect":{"run":"succeeded","executed":["c"],"not_executed":["a","b"],"elapsed":"1s"}}`,
		},
		"nodes that are left out of a subflow": {
			"start -> s -> i -> end\n s: " + strings.Replace(independent, `"mode"`, `"schemes":["quick"],"mode"`, 1) + "\n i: " + strings.Replace(inline, "leaf", "child", 1),
			map[string]string{"child": "start -> c -> d -> end\n c: {\"optional\":true}\n flow {\"schemes\":[{\"id\":\"quick\",\"without\":[\"c\"]}]}"},
			`{"expect":{"run":"succeeded","executed":["s.d","i.c","i.d"],"not_executed":["s.c"],"elapsed":"3s"}}`,
		},
		"an operator changes a variable": {
			serial + "\n flow {\"variables\":[{\"name\":\"v\",\"source\":\"input\"}]}\n b: {\"inputs\":{\"i\":\"${v}\"}}", nil,
			`{"inputs":{"v":"old"},"actions":[{"do":"set_variables","values":{"v":"new"}},{"do":"set_variables","values":{"w":1},"refused":"INVALID"}],
			  "expect":{"run":"succeeded","variables":{"v":"new"}}}`,
		},
		"a rollback forgets what was done": {
			"start -> a -> b -> c -> end", nil,
			`{"nodes":{"c":[{"fail":{"code":"X"}}]},"actions":[{"when":{"node":"c","state":"failed"},"do":"rollback","from":"c","to":"a","mode":"any"}],
			  "expect":{"run":"succeeded","elapsed":"6s"}}`,
		},
		"a rollback undoes, newest first, and one that fails is tried again": {
			"start -> a -> b -> c -> end", nil,
			`{"nodes":{"a":[{},{"on":"rollback","after":"4s"}],"b":[{},{"on":"rollback","after":"2s","fail":{"code":"STUCK"}},{"on":"rollback","after":"1s","succeed":{"undone":true}}],"c":[{"fail":{"code":"X"}}]},
			  "actions":[{"when":{"node":"c","state":"failed"},"do":"rollback","from":"c","to":"a","mode":"compensate"},
			             {"when":{"node":"b","state":"rollback_failed"},"after":"1m","do":"retry"}],
			  "expect":{"run":"succeeded","nodes":{"a":"succeeded"},"elapsed":"1m13s"}}`,
		},
		"a rollback that is refused": {
			serial, nil,
			`{"actions":[{"do":"rollback","from":"a","to":"b","mode":"any","refused":"WRONG_STATE"}],"expect":{"run":"succeeded"}}`,
		},
	}
}

func (c feature) draw(t *testing.T) *engine.Flow {
	t.Helper()
	f := flow(t, c.flow)
	for id, text := range c.subflows {
		if f.Subflows == nil {
			f.Subflows = map[string]*engine.Flow{}
		}
		f.Subflows[id] = flow(t, text)
		f.Subflows[id].ID, _, _ = strings.Cut(id, "@")
	}
	return f
}

// TestFeatures plays what the engine can do beyond tasks and gateways.
func TestFeatures(t *testing.T) {
	t.Parallel()
	for name, c := range features() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, c.draw(t), script(t, c.script))
			met(t, r)
			if a, b := encode(t, r), encode(t, run(t, c.draw(t), script(t, c.script))); a != b {
				t.Errorf("the same simulation differs:\n%s\n%s", a, b)
			}
		})
	}
}

// met reports what a script expected and did not get, and what it did not need.
func met(t *testing.T, r *simulate.Report) {
	t.Helper()
	for _, u := range r.Unmet {
		t.Errorf("%s: %s: want %s, got %s (%s)", u.Pointer, u.What, u.Want, u.Got, u.Detail)
	}
	if len(r.Unused) > 0 {
		t.Errorf("unused: %v", r.Unused)
	}
}
