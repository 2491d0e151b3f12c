package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/pdk/contract"
)

// try runs the program and returns what it wrote.
func try(t *testing.T, environ []string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, outside{in: strings.NewReader(""), out: &o, err: &e, environ: environ})
	return code, o.String(), e.String()
}

func TestExitCodesTellRefusalFromFailure(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		code int
	}{
		{nil, exitOK},
		{errors.New("no such file"), exitRefused},
		{fault.At("/inputs/x", "wrong"), exitRefused},
		{fault.Wrap("read", errors.New("disk")), exitFailed},
		{failed(errors.New("disk")), exitFailed},
		{fmt.Errorf("around: %w", &exitError{exitBlocked, nil}), exitBlocked},
		{t.Context().Err(), exitOK},
	} {
		if got := exitCode(tc.err); got != tc.code {
			t.Errorf("%v: exit code %d, want %d", tc.err, got, tc.code)
		}
	}
}

func TestErrorsAreToldInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ env, want string }{
		{"LANG=en_US.UTF-8", "refused:"}, {"LANG=zh_CN.UTF-8", "已拒绝"}, {"LC_ALL=zh_TW", "已拒绝"}, {"", "refused:"},
	} {
		code, _, errOut := try(t, []string{tc.env}, "serve", "--listen", "0.0.0.0:1")
		if code != exitRefused || !strings.Contains(errOut, tc.want) || !strings.Contains(errOut, "--listen") {
			t.Errorf("%s: %d %q", tc.env, code, errOut)
		}
	}
	// LC_ALL wins over LANG.
	if _, _, errOut := try(t, []string{"LANG=zh_CN", "LC_ALL=C"}, "serve", "--drain", "x"); !strings.Contains(errOut, "refused") {
		t.Errorf("%q", errOut)
	}
}

func TestEveryWordHasBothLanguages(t *testing.T) {
	t.Parallel()
	all := map[string]bool{}
	for _, list := range wordLists() {
		for key, w := range list() {
			if all[key] = true; w[0] == "" || w[1] == "" {
				t.Errorf("%s: %q", key, w)
			}
		}
	}
	for _, c := range sourceCalls(t) {
		if (c.name == "of" || c.name == "word") && len(c.texts) == 1 && !all[c.texts[0]] && !strings.HasSuffix(c.texts[0], ".") {
			t.Errorf("%s: no word %q", c.place, c.texts[0])
		}
	}
	for _, s := range []engine.NodeState{
		engine.NodeReady, engine.NodeRunning, engine.NodeWaiting, engine.NodeSuspended, engine.NodeSucceeded, engine.NodeFailed, engine.NodeSkipped,
		engine.NodeCancelled, engine.NodeUnknown, engine.NodeRollingBack, engine.NodeRolledBack, engine.NodeRollbackFailed,
	} {
		if _, ok := words()[string(s)]; !ok {
			t.Errorf("no word for the node state %s", s)
		}
	}
}

func TestInputsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	f := &engine.Flow{Variables: []engine.Variable{
		{Name: "text"},
		{Name: "zip", Schema: json.RawMessage(`{"type":"string"}`)},
		{Name: "n", Schema: json.RawMessage(`{"type":"integer"}`)},
		{Name: "list", Schema: json.RawMessage(`{"type":"array"}`)},
	}}
	for _, tc := range []struct{ name, value, want string }{
		{"text", "5", `"5"`},
		{"zip", "00123", `"00123"`},
		{"zip", "true", `"true"`},
		{"n", "5", "5"},
		{"n", "five", `"five"`},
		{"list", `["a"]`, `["a"]`},
		{"other", "5", "5"},
		{"other", "a=b", `"a=b"`},
		{"text", "", `""`},
	} {
		if got := string(literal(f, tc.name, tc.value)); got != tc.want {
			t.Errorf("%s=%s: %s, want %s", tc.name, tc.value, got, tc.want)
		}
	}
}

func TestFlowIDsAreMadeOfFileNames(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"deploy.yaml": "deploy", "a/b/My Flow.v2.yml": "my-flow-v2", "2-go.yaml": "go", "-": "", "发布.yaml": "", "x-.yaml": "x",
	} {
		if got := slug(file); got != want {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

func TestStuckIsWhenOnlyAPersonCanHelp(t *testing.T) {
	t.Parallel()
	node := func(s engine.NodeState, k contract.WaitKind) engine.NodeView {
		n := engine.NodeView{State: s}
		if k != "" {
			n.Wait = &contract.Wait{Kind: k}
		}
		return n
	}
	human, timer := node(engine.NodeWaiting, contract.WaitHuman), node(engine.NodeWaiting, contract.WaitTimer)
	for name, tc := range map[string]struct {
		state engine.RunState
		nodes []engine.NodeView
		want  bool
	}{
		"blocked":          {engine.RunBlocked, nil, true},
		"a person":         {engine.RunRunning, []engine.NodeView{human}, true},
		"a person, timer":  {engine.RunRunning, []engine.NodeView{human, timer}, false},
		"a person, work":   {engine.RunRunning, []engine.NodeView{human, node(engine.NodeRunning, "")}, false},
		"a timer":          {engine.RunRunning, []engine.NodeView{timer}, false},
		"nothing reached":  {engine.RunRunning, nil, false},
		"failed elsewhere": {engine.RunRunning, []engine.NodeView{human, node(engine.NodeFailed, "")}, true},
	} {
		v := engine.RunView{State: tc.state, Nodes: map[string]engine.NodeView{}}
		for i, n := range tc.nodes {
			v.Nodes[fmt.Sprint(i)] = n
		}
		if got := stuck(v); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestQuestionsOfOneYesOrNo(t *testing.T) {
	t.Parallel()
	for schema, want := range map[string]string{
		`{"type":"object","properties":{"approved":{"type":"boolean"},"comment":{"type":"string"}},"required":["approved"]}`: "approved",
		`{"type":"object","properties":{"a":{"type":"boolean"},"b":{"type":"boolean"}},"required":["a","b"]}`:                "",
		`{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}`:                                           "",
		`{}`: "", ``: "",
	} {
		if name, ok := onlyBoolean(json.RawMessage(schema)); ok != (want != "") || (ok && name != want) {
			t.Errorf("%s: %q %v", schema, name, ok)
		}
	}
}

// TestScreenRedrawsInPlace draws a run twice: the second picture goes over the first,
// and a plugin's text cannot command the terminal.
func TestScreenRedrawsInPlace(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	end := at.Add(1500 * time.Millisecond)
	var out bytes.Buffer
	d := &screen{program: &program{text: textIn("zh")}, flow: &engine.Flow{Nodes: []engine.Node{{ID: "a", Name: contract.Text{En: "Check", Zh: "检查"}}}}, out: &out}
	if err := d.record(engine.Record{Node: "a", Data: engine.NodeChanged{}}); err != nil {
		t.Fatal(err)
	}
	v := engine.RunView{Name: "run 1", State: engine.RunBlocked, CreatedAt: at, EndedAt: &end, Nodes: map[string]engine.NodeView{"a": {
		State: engine.NodeFailed, Attempt: 2, StartedAt: &at, EndedAt: &end,
		Failure: &contract.Failure{Code: "NOPE", Message: "\x1b[2Jno", Origin: contract.OriginSystem},
	}}}
	for range 2 {
		if err := d.view(v); err != nil {
			t.Fatal(err)
		}
	}
	got := out.String()
	if strings.Count(got, "\x1b[2A") != 1 || strings.Contains(got, "\x1b[2J") || strings.Contains(got, "\x1b[31m") {
		t.Errorf("picture %q", got)
	}
	for _, part := range []string{"run 1  待处理  1.5s", "✘ 检查", "失败", "#2", "[外部系统] NOPE： [2Jno"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is missing in %q", part, got)
		}
	}
}

func TestVersionAsJSON(t *testing.T) {
	t.Parallel()
	code, out, _ := try(t, nil, "version", "--json")
	var v buildInfo
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != exitOK || v.Version != release {
		t.Fatalf("%d %s %v", code, out, err)
	}
}
