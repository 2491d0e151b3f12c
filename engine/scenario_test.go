package engine_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestScenarios plays the scripts in testdata/scenarios. A script is blocks of a
// command, a line ----, and what the core did: the records it made and, behind =>,
// the commands it gave. Every history is checked and replayed from the bytes of its
// records. -update writes what comes out.
func TestScenarios(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/scenarios/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			old, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sc := newScenario(t)
			got := sc.play(string(old))
			sc.check()
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(old) {
				t.Errorf("%s: the core did something else:\n%s", file, lineDiff(string(old), got))
			}
		})
	}
}

// lineDiff shows the first line that differs, with its neighbours.
func lineDiff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	i := 0
	for i < len(w) && i < len(g) && w[i] == g[i] {
		i++
	}
	return fmt.Sprintf("line %d\nwant:\n%s\ngot:\n%s", i+1,
		strings.Join(w[i:min(i+8, len(w))], "\n"), strings.Join(g[i:min(i+8, len(g))], "\n"))
}

// scenario is a run under a script.
type scenario struct {
	t       *testing.T
	flow    engine.Flow
	drawn   *engine.Flow // the flow that is drawn at the moment: flow, or one of its subflows
	graph   *engine.Graph
	state   *engine.State
	now     time.Time
	records []engine.Record
	out     strings.Builder
}

func newScenario(t *testing.T) *scenario {
	t.Helper()
	sc := &scenario{
		t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		flow: engine.Flow{Format: engine.FlowFormat, Name: contract.T("scenario")},
	}
	sc.drawn = &sc.flow
	return sc
}

// play runs the blocks and returns the file with what came out.
func (sc *scenario) play(text string) string {
	var file strings.Builder
	in := bufio.NewScanner(strings.NewReader(text))
	in.Buffer(nil, 1<<20)
	skip := false
	var block []string
	for in.Scan() {
		line := in.Text()
		switch {
		case skip:
			if line == "" {
				skip = false
				file.WriteString("\n")
			}
		case line == "----":
			file.WriteString("----\n")
			sc.out.Reset()
			sc.block(block)
			file.WriteString(sc.out.String())
			block, skip = nil, true
		default:
			file.WriteString(line + "\n")
			if line != "" && !strings.HasPrefix(line, "#") {
				block = append(block, line)
			}
		}
	}
	if !strings.HasSuffix(file.String(), "\n\n") {
		file.WriteString("\n")
	}
	return strings.TrimRight(file.String(), "\n") + "\n\n"
}

func (sc *scenario) block(lines []string) {
	for _, line := range lines {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if sc.draw(verb, rest) {
			continue
		}
		switch verb {
		case "compile":
			sc.compile()
		case "start":
			sc.start(rest)
		case "wait":
			d, err := time.ParseDuration(rest)
			if err != nil {
				sc.t.Fatal(err)
			}
			sc.now = sc.now.Add(d)
		case "view":
			sc.view()
		case "plan":
			sc.plan(rest)
		case "restart":
			sc.restart()
		case "reduce":
			sc.reduce(strings.Fields(rest))
		default:
			sc.step(line)
		}
	}
}

// draw handles the lines that make the flow.
func (sc *scenario) draw(verb, rest string) bool {
	f := strings.Fields(rest)
	switch verb {
	case "new":
		sc.check()
		fresh := newScenario(sc.t)
		sc.flow, sc.drawn, sc.graph, sc.state, sc.records, sc.now = fresh.flow, &sc.flow, nil, nil, nil, fresh.now
		if rest != "" {
			sc.json(rest, &sc.flow)
		}
	case "flow": // flow REFERENCE: what follows draws this subflow; without, the flow again
		if sc.drawn = &sc.flow; rest != "" {
			sc.drawn = &engine.Flow{Format: engine.FlowFormat, Name: contract.T(rest)}
			if sc.flow.Subflows == nil {
				sc.flow.Subflows = map[string]*engine.Flow{}
			}
			sc.flow.Subflows[rest] = sc.drawn
		}
	case "policy":
		sc.flow.OnFailure = engine.FailurePolicy(rest)
	case "node": // node ID TYPE [{"inputs":...,"outputs":...}]
		n := engine.Node{ID: f[0], Type: engine.NodeType(f[1])}
		if n.Type == engine.TypeTask {
			n.Plugin, n.Action = "test", "any"
		}
		if i := strings.IndexByte(rest, '{'); i > 0 {
			sc.json(rest[i:], &n)
		}
		sc.drawn.Nodes = append(sc.drawn.Nodes, n)
	case "var": // var NAME SOURCE {"schema":...,"value":...}
		v := engine.Variable{Name: f[0], Source: engine.VariableSource(f[1])}
		if i := strings.IndexByte(rest, '{'); i > 0 {
			sc.json(rest[i:], &v)
		}
		sc.drawn.Variables = append(sc.drawn.Variables, v)
	case "scheme": // scheme ID NODE... that it leaves out
		sc.drawn.Schemes = append(sc.drawn.Schemes, engine.Scheme{ID: f[0], Without: f[1:]})
	case "chain": // chain start a b end
		for i := 1; i < len(f); i++ {
			sc.edge(f[i-1], f[i], "", false)
		}
	case "edge": // edge FROM TO [if CONDITION | default]
		_, condition, _ := strings.Cut(rest, " if ")
		sc.edge(f[0], f[1], condition, len(f) == 3 && f[2] == "default")
	default:
		return false
	}
	return true
}

func (sc *scenario) edge(from, to, condition string, byDefault bool) {
	sc.drawn.Edges = append(sc.drawn.Edges, engine.Edge{
		ID: from + "_" + to, From: from, To: to, Condition: condition, Default: byDefault,
	})
}

func (sc *scenario) json(text string, v any) {
	sc.t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		sc.t.Fatalf("%s: %v", text, err)
	}
}

func (sc *scenario) compile() {
	g, problems := engine.Compile(&sc.flow, catalogue{})
	for _, p := range problems {
		where := p.Node + p.Edge + p.Variable
		fmt.Fprintf(&sc.out, "%s %s %s%s: %s\n", p.Level, p.Code, where, p.Field, p.Message)
	}
	if sc.graph = g; g != nil {
		sc.out.WriteString("ok\n")
	}
}

func (sc *scenario) start(rest string) {
	if sc.graph == nil {
		g, problems := engine.Compile(&sc.flow, catalogue{})
		if g == nil {
			sc.t.Fatalf("problems: %v", problems)
		}
		sc.graph = g
	}
	o := engine.StartOptions{Run: "r1", Name: "run", Project: "demo", Flow: "scenario", Version: 1, Digest: sc.graph.Digest(), Env: map[string]json.RawMessage{"region": json.RawMessage(`"eu"`)}}
	if at, ok := strings.CutPrefix(rest, "@"); ok { // start @NODE {inputs}
		o.StartAt, rest, _ = strings.Cut(at, " ")
	}
	if rest != "" {
		sc.json(rest, &o.Inputs)
	}
	s, rs, cmds, err := engine.Start(sc.graph, sc.meta(), o)
	if err != nil {
		sc.print(nil, nil, err)
		return
	}
	sc.check()
	sc.state, sc.records = s, nil
	sc.print(rs, cmds, nil)
}

func (sc *scenario) meta() engine.Meta {
	return engine.Meta{At: sc.now, Actor: engine.Actor{ID: "alice"}}
}

func (sc *scenario) step(line string) {
	m := sc.meta()
	for {
		head, tail, ok := strings.Cut(line, " ")
		if id, is := strings.CutPrefix(head, "id="); is && ok {
			m.CommandID, line = id, tail
			continue
		}
		if seq, is := strings.CutPrefix(head, "seq="); is && ok {
			m.ExpectedSeq, _ = strconv.ParseUint(seq, 10, 64)
			line = tail
			continue
		}
		break
	}
	rs, cmds, err := engine.Step(sc.graph, sc.state, m, sc.event(line))
	sc.print(rs, cmds, err)
}

// event reads an event. Epochs default to the node's current one: NODE#EPOCH names
// another.
func (sc *scenario) event(line string) engine.Event {
	f := strings.Fields(line)
	arg, node := "", ""
	if len(f) > 1 {
		_, arg, _ = strings.Cut(strings.TrimSpace(line), " ")
		_, arg, _ = strings.Cut(arg, " ")
		node = f[1]
	}
	node, epoch := sc.nodeEpoch(node)
	switch f[0] {
	case "ok", "fail", "poll", "timer", "callback", "human", "answer":
		return engine.Result{Node: node, Epoch: epoch, Answer: sc.answer(f[0], arg), Digest: "sha256:p"}
	case "unknown":
		return engine.Result{Node: node, Epoch: epoch, Unknown: &contract.Failure{Code: "OPEN_INTENT", Message: "the call may have acted", Origin: contract.OriginHost}}
	case "log":
		return engine.Note{Node: node, Epoch: epoch, Log: []contract.LogLine{{At: sc.now, Level: contract.LevelInfo, Text: arg}}, Progress: &engine.Progress{Percent: 50}}
	case "child":
		return sc.childEnded(node, epoch, arg)
	case "deadline":
		return engine.TimerFired{}
	case "fire":
		return engine.TimerFired{Node: node, Epoch: epoch}
	case "call":
		return sc.callback(node, arg)
	case "pause":
		return engine.Pause{Node: node}
	case "resume":
		return engine.Resume{Node: node}
	case "revoke":
		return engine.Revoke{Reason: strings.TrimSpace(strings.TrimPrefix(line, "revoke"))}
	case "retry":
		e := engine.Retry{Node: node}
		arg, e.Part = part(arg)
		if arg != "" {
			sc.json(arg, &e.Inputs)
		}
		return e
	case "skip":
		arg, p := part(arg)
		return engine.Skip{Node: node, Part: p, Edges: strings.Fields(arg)}
	case "rollback": // rollback MODE FROM TO
		return engine.Rollback{Mode: engine.RollbackMode(f[1]), From: f[2], To: f[3]}
	case "end": // end REASON: the run fails
		return engine.Fail{Reason: strings.TrimSpace(strings.TrimPrefix(line, "end"))}
	case "set": // set [@SCOPE] {"variable":value}
		e := engine.SetVariables{}
		rest := strings.TrimSpace(strings.TrimPrefix(line, "set"))
		if strings.HasPrefix(rest, "@") {
			e.Scope, rest, _ = strings.Cut(rest[1:], " ")
		}
		sc.json(rest, &e.Values)
		return e
	case "reschedule": // reschedule NODE [DURATION from now]
		d, _ := time.ParseDuration(arg)
		at := sc.now.Add(d)
		if arg == "" {
			at = time.Time{}
		}
		return engine.Reschedule{Node: node, At: at}
	case "force":
		return engine.ForceFail{Node: node, Reason: arg}
	case "resolve":
		as, outputs, _ := strings.Cut(arg, " ")
		return engine.Resolve{Node: node, As: engine.Resolution(as), Outputs: json.RawMessage(outputs)}
	}
	sc.t.Fatalf("unknown command %q", line)
	return nil
}

// part reads which part of a repeated node is meant: retry NODE part=iteration.
func part(arg string) (rest string, p engine.Repeated) {
	word, tail, _ := strings.Cut(arg, " ")
	if name, ok := strings.CutPrefix(word, "part="); ok {
		return tail, engine.Repeated(name)
	}
	return arg, ""
}

func (sc *scenario) nodeEpoch(node string) (string, uint64) {
	name, number, ok := strings.Cut(node, "#")
	if ok {
		n, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			sc.t.Fatal(err)
		}
		return name, n
	}
	epoch := uint64(0)
	for _, r := range sc.records {
		if d, is := r.Data.(engine.NodeChanged); is && r.Node == name {
			epoch = d.Epoch
		}
	}
	return name, epoch
}

func (sc *scenario) callback(node, arg string) engine.Event {
	e := engine.Callback{Node: node}
	if rest, ok := strings.CutPrefix(arg, "@"); ok {
		number, data, _ := strings.Cut(rest, " ")
		e.Attempt, _ = strconv.Atoi(number)
		arg = data
	}
	if arg != "" {
		e.Data = json.RawMessage(arg)
	}
	return e
}

func (sc *scenario) answer(kind, arg string) contract.Answer {
	switch kind {
	case "ok":
		a := contract.Answer{Status: contract.StatusSucceeded}
		if arg != "" {
			a.Outputs = json.RawMessage(arg)
		}
		return a
	case "fail":
		code, outputs, _ := strings.Cut(arg, " ")
		a := contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{Code: code, Message: "it failed", Origin: contract.OriginPlugin}}
		if outputs != "" {
			a.Outputs = json.RawMessage(outputs)
		}
		return a
	case "answer":
		var a contract.Answer
		sc.json(arg, &a)
		return a
	}
	a := contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitKind(kind)}, State: json.RawMessage(`{"s":1}`)}
	if ms, _ := strconv.ParseInt(arg, 10, 64); ms > 0 {
		a.Wait.AfterMS = ms
	}
	return a
}

// restart throws the state away and makes it again from the records.
func (sc *scenario) restart() {
	s, err := engine.Replay(sc.graph, sc.records)
	if err != nil {
		sc.t.Fatal(err)
	}
	sc.state = s
	sc.print(nil, engine.Outstanding(sc.graph, s), nil)
}

// plan shows the preview of a rollback: plan MODE FROM TO.
func (sc *scenario) plan(rest string) {
	f := strings.Fields(rest)
	p, err := engine.RollbackPlan(sc.graph, sc.state, engine.Rollback{Mode: engine.RollbackMode(f[0]), From: f[1], To: f[2]})
	if err != nil {
		sc.print(nil, nil, err)
		return
	}
	for _, st := range p.Steps {
		fmt.Fprintf(&sc.out, "undo %s calls=%d%s%s\n", st.Node, st.Calls, prefix(" ", string(st.Why)), prefix(" after ", strings.Join(st.After, " ")))
	}
	fmt.Fprintf(&sc.out, "reset %s\n", strings.Join(p.Reset, " "))
}

func (sc *scenario) view() {
	v := sc.state.View()
	fmt.Fprintf(&sc.out, "run %s seq=%d\n", v.State, v.Seq)
	ids := make([]string, 0, len(v.Nodes))
	for id := range v.Nodes {
		ids = append(ids, id)
	}
	sort.Strings(ids)
	for _, id := range ids {
		n := v.Nodes[id]
		fmt.Fprintf(&sc.out, "node %s %s %d.%d%s\n", id, n.State, n.Iteration, n.Attempt, describeOptions(&n))
	}
	if len(v.Variables) > 0 {
		fmt.Fprintf(&sc.out, "variables %s\n", compact(v.Variables))
	}
	if len(v.Outputs) > 0 {
		fmt.Fprintf(&sc.out, "outputs %s\n", compact(v.Outputs))
	}
	fmt.Fprintf(&sc.out, "taken %s\n", strings.Join(v.Taken, " "))
}

// check holds the history against its judge, and replays the bytes of every prefix.
func (sc *scenario) check() {
	sc.t.Helper()
	if sc.state == nil || sc.graph == nil {
		return
	}
	if err := engine.CheckHistory(sc.graph, sc.records); err != nil {
		sc.t.Error(err)
	}
	checkReplay(sc.t, sc.graph, sc.state, sc.records)
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (sc *scenario) print(rs []engine.Record, cmds []engine.Command, err error) {
	var refusal *engine.Error
	if errors.As(err, &refusal) {
		fmt.Fprintf(&sc.out, "refused %s%s: %s\n", refusal.Code, prefix(" ", refusal.Field), refusal.Message)
		return
	}
	if err != nil {
		sc.t.Fatal(err)
	}
	sc.records = append(sc.records, rs...)
	for _, r := range rs {
		fmt.Fprintf(&sc.out, "%d %s\n", r.Seq, describe(r))
	}
	for _, c := range cmds {
		fmt.Fprintf(&sc.out, "=> %s\n", sc.describeCommand(c))
	}
	if len(rs)+len(cmds) == 0 {
		sc.out.WriteString("nothing\n")
	}
}
