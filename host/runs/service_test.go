package runs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/pdk/contract"
)

func TestARunFromStartToEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	flow := w.publish(hosttest.AddFlow)
	r := w.start(flow, `{"count":40}`)
	if r.Flow != "add-up" || r.Version != 1 || r.FlowName.Zh != "相加" || r.Operator != hosttest.Actor || r.Name != "Add up 2026-11-22 17:00:00" {
		t.Errorf("started %+v", r)
	}
	v := w.untilState(r.ID, engine.RunSucceeded)
	if string(v.Outputs["total"]) != "42" {
		t.Errorf("outputs %s", v.Outputs)
	}
	err := w.Store.Audit().Append(t.Context(), gateway.AuditRow{
		At: time.Now().UTC(), Project: hosttest.Project, Run: r.ID, Flow: flow, Node: "add", Attempt: 1,
		System: "calc", Operation: "add", Method: "POST", HTTPStatus: 200, Duration: 5 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	n := w.node(r.ID, "add")
	if n.State != engine.NodeSucceeded || len(n.Attempts) != 1 {
		t.Fatalf("node %+v", n)
	}
	a := n.Attempts[0]
	toy, _ := w.Plugins.Latest("toy")
	if string(a.Inputs) != `{"a":40,"b":2}` || string(a.Outputs) != `{"sum":42}` || a.Digest != toy.Digest || a.EndedAt == nil {
		t.Errorf("attempt %+v", a)
	}
	if len(a.Log) != 1 || a.Log[0].Text != "adding" {
		t.Errorf("log %+v", a.Log)
	}
	if len(a.Calls) != 1 || a.Calls[0].System != "calc" || a.Calls[0].Status != 200 || a.Calls[0].DurationMS != 5 {
		t.Errorf("calls %+v", a.Calls)
	}
	d, err := w.runs.Get(t.Context(), hosttest.Project, r.ID)
	if err != nil || d.State != engine.RunSucceeded || engine.Digest(decode(t, d.Document)) == "" || d.FlowName.En != "Add up" {
		t.Errorf("detail %+v, %v", d, err)
	}
	list, err := w.flows.List(t.Context(), flows.ListQuery{Project: hosttest.Project})
	if err != nil || list.Items[0].LastRun == nil || list.Items[0].LastRun.ID != r.ID || list.Items[0].LastRun.State != engine.RunSucceeded {
		t.Errorf("last run %+v, %v", list.Items[0].LastRun, err)
	}
}

func TestInputsOfAStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	flow := w.publish(hosttest.AddFlow)
	for inputs, field := range map[string]string{
		`{}`:                     "/inputs/count",
		`{"count":"many"}`:       "/inputs/count",
		`{"count":101}`:          "/inputs/count",
		`{"count":1,"total":5}`:  "/inputs/total",
		`{"count":1,"a/b":true}`: "/inputs/a~1b",
	} {
		_, err := w.runs.Start(t.Context(), runs.StartRequest{Project: hosttest.Project, Actor: actor, Flow: flow, Inputs: object(t, inputs)})
		wantFault(t, err, fault.Invalid, field)
	}
	_, err := w.runs.Start(t.Context(), runs.StartRequest{Project: hosttest.Project, Actor: actor, Flow: flow, Version: 2, Inputs: object(t, `{"count":1}`)})
	wantFault(t, err, fault.NotFound, "")
	l, err := w.runs.List(t.Context(), runs.ListQuery{Project: hosttest.Project})
	if err != nil || len(l.Items) != 0 {
		t.Errorf("refused starts left runs: %+v, %v", l, err)
	}
}

func TestSecretInputsBecomeReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.Variables = append(f.Variables, engine.Variable{
		Name: "token", Source: engine.SourceInput, Secret: true, Uses: []engine.SecretUse{{System: "s", Operation: "o"}},
	})
	text, err := flows.YAML(f)
	if err != nil {
		t.Fatal(err)
	}
	flow := w.publish(string(text))
	start := func(inputs string) (runs.Summary, error) {
		key, err := idempotency.New("key", []byte(inputs))
		if err != nil {
			t.Fatal(err)
		}
		return w.runs.Start(t.Context(), runs.StartRequest{
			Project: hosttest.Project, Actor: actor, Flow: flow, Inputs: object(t, inputs), Key: key,
		})
	}
	for _, bad := range []string{`"short"`, `17`, `["hunter2-hunter2"]`, `null`} {
		_, err := start(`{"count":1,"token":` + bad + `}`)
		wantFault(t, err, fault.Invalid, "/inputs/token")
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v shows the value", err)
		}
	}
	const good = `{"count":1,"token":"hunter2-hunter2"}`
	run, err := start(good)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := start(good); err != nil || again.ID != run.ID {
		t.Errorf("the same start: %v %v", again.ID, err)
	}
	_, err = start(`{"count":1,"token":"hunter3-hunter3"}`)
	wantFault(t, err, fault.KeyReused, "")
	left, err := w.Store.Secrets().RunsWithSecrets(t.Context(), w.Clock.Now(), "", 10)
	if err != nil || len(left) != 1 || left[0] != run.ID {
		t.Errorf("values are kept for the runs %q, %v", left, err)
	}
	rs, err := w.runs.Records(t.Context(), runs.RecordsQuery{Project: hosttest.Project, Run: run.ID})
	if err != nil {
		t.Fatal(err)
	}
	b := engine.AppendRecord(nil, rs.Items[0])
	if !strings.Contains(string(b), `"token":"culm-secret://run/`+run.ID+`/token/1"`) || strings.Contains(string(b), "hunter2") {
		t.Errorf("the record is %s", b)
	}
}

func TestIdempotentStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(100))
	flow := w.publish(hosttest.AddFlow)
	start := func(who, body string) (runs.Summary, error) {
		key, err := idempotency.New("key", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return w.runs.Start(t.Context(), runs.StartRequest{
			Project: hosttest.Project, Actor: engine.Actor{ID: who}, Flow: flow, Inputs: object(t, `{"count":1}`), Key: key,
		})
	}
	first, err := start("a", "one")
	if err != nil {
		t.Fatal(err)
	}
	again, err := start("a", "one")
	if err != nil || again.ID != first.ID {
		t.Errorf("the same call gave run %s, %v, want %s", again.ID, err, first.ID)
	}
	_, err = start("a", "two")
	wantFault(t, err, fault.KeyReused, "")
	if other, err := start("b", "two"); err != nil || other.ID == first.ID {
		t.Errorf("another actor's key gave run %s, %v", other.ID, err)
	}
}

func TestRetryWithOtherInputs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	r := w.start(w.publish(hosttest.AddFlow), `{"count":40}`)
	w.untilState(r.ID, engine.RunBlocked)
	for inputs, field := range map[string]string{`{"a":-1}`: "/inputs/a", `{"zz":1}`: "/inputs/zz", `{"a":"${nosuch}"}`: "/inputs/a"} {
		err := w.command(runs.NodeCommandRequest{Run: r.ID, Node: "add", Command: runs.NodeRetry, Inputs: object(t, inputs)})
		wantFault(t, err, fault.Invalid, field)
	}
	err := w.command(runs.NodeCommandRequest{Run: r.ID, Node: "add", Command: runs.NodeRetry, Inputs: object(t, `{"a":5}`)})
	if err != nil {
		t.Fatal(err)
	}
	w.untilState(r.ID, engine.RunSucceeded)
	n := w.node(r.ID, "add")
	if len(n.Attempts) != 2 {
		t.Fatalf("node %+v", n)
	}
	first, second := n.Attempts[0], n.Attempts[1]
	if first.Number != 1 || first.State != engine.NodeFailed || first.Failure == nil || first.Failure.Code != "TOO_MUCH" || first.EndedAt == nil {
		t.Errorf("first attempt %+v", first)
	}
	if second.Number != 2 || second.State != engine.NodeSucceeded || second.Failure != nil || string(second.Inputs) != `{"a":5,"b":2}` {
		t.Errorf("second attempt %+v", second)
	}
	if len(first.Log) != 1 || len(second.Log) != 1 {
		t.Errorf("logs %v and %v", first.Log, second.Log)
	}
	// Whoever reads the live stream beside it knows from Seq which lines are in here.
	if last := w.untilState(r.ID, engine.RunSucceeded).Seq; n.Seq != last {
		t.Errorf("the node tells of the records up to %d, the run has %d", n.Seq, last)
	}
}

func TestASkippedAttemptKeepsItsFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	r := w.start(w.publish(hosttest.AddFlow), `{"count":40}`)
	w.untilState(r.ID, engine.RunBlocked)
	if err := w.command(runs.NodeCommandRequest{Run: r.ID, Node: "add", Command: runs.NodeSkip}); err != nil {
		t.Fatal(err)
	}
	w.untilState(r.ID, engine.RunSucceeded)
	n := w.node(r.ID, "add")
	if n.State != engine.NodeSkipped || len(n.Attempts) != 1 || n.Attempts[0].Failure == nil || n.Attempts[0].By == "" {
		t.Errorf("node %+v", n)
	}
}

func TestCommandsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	r := w.start(w.publish(hosttest.AddFlow), `{"count":40}`)
	v := w.untilState(r.ID, engine.RunBlocked)
	for field, c := range map[string]runs.NodeCommandRequest{
		"/command": {Command: "explode"},
		"/inputs":  {Command: runs.NodeSkip, Inputs: object(t, `{"a":1}`)},
		"/edges":   {Command: runs.NodeRetry, Edges: []string{"e1"}},
		"/reason":  {Command: runs.NodeRetry, Reason: "because"},
		"/as":      {Command: runs.NodeResolve, As: "maybe"},
		"/data":    {Command: runs.NodeCallback, Data: json.RawMessage(`{`)},
		"/outputs": {Command: runs.NodeResolve, As: engine.ResolveFail, Outputs: json.RawMessage(`{}`)},
	} {
		c.Run, c.Node = r.ID, "add"
		wantFault(t, w.command(c), fault.Invalid, field)
	}
	if e := wantFault(t, w.command(runs.NodeCommandRequest{Run: r.ID, Node: "nowhere", Command: runs.NodeSkip}), fault.NotFound, ""); e.Node != "nowhere" {
		t.Errorf("the refusal names node %q", e.Node)
	}
	err := w.command(runs.NodeCommandRequest{Run: r.ID, Node: "add", Command: runs.NodeResolve, As: engine.ResolveDone})
	if e := wantFault(t, err, fault.WrongState, ""); e.Node != "add" {
		t.Errorf("the refusal names node %q", e.Node)
	}
	_, err = w.runs.Command(t.Context(), runs.CommandRequest{
		Project: hosttest.Project, Run: r.ID, Actor: actor, Command: runs.CommandPause, ExpectedSeq: v.Seq - 1,
	})
	e := wantFault(t, err, fault.Conflict, "")
	if current, ok := e.Current.(engine.RunView); !ok || current.Seq != v.Seq {
		t.Errorf("current %+v, want seq %d", e.Current, v.Seq)
	}
	_, err = w.runs.Command(t.Context(), runs.CommandRequest{Project: "other", Run: r.ID, Actor: actor, Command: runs.CommandPause})
	wantFault(t, err, fault.NotFound, "")
	_, err = w.runs.Command(t.Context(), runs.CommandRequest{Project: hosttest.Project, Run: r.ID, Actor: actor, Command: "stop"})
	wantFault(t, err, fault.Invalid, "/command")

	revoke := runs.CommandRequest{Project: hosttest.Project, Run: r.ID, Actor: actor, Command: runs.CommandRevoke, Reason: "enough", CommandID: "c1"}
	seq, err := w.runs.Command(t.Context(), revoke)
	if err != nil || seq <= v.Seq {
		t.Fatalf("revoked at %d, %v", seq, err)
	}
	if again, err := w.runs.Command(t.Context(), revoke); err != nil || again != seq {
		t.Errorf("the same command again: %d, %v, want %d", again, err, seq)
	}
	revoke.CommandID = "c2"
	_, err = w.runs.Command(t.Context(), revoke)
	wantFault(t, err, fault.RunEnded, "")
}

func TestTheAnswerOfAHumanIsChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	r := w.start(w.publish(askFlow), `{}`)
	w.until(r.ID, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
	answer := func(data string) error {
		return w.command(runs.NodeCommandRequest{Run: r.ID, Node: "ask", Command: runs.NodeCallback, Data: json.RawMessage(data)})
	}
	wantFault(t, answer(`"maybe"`), fault.Invalid, "/data")
	if n := w.node(r.ID, "ask"); n.Attempts[0].Wait == nil || n.Attempts[0].Wait.Prompt.En != "Go on?" {
		t.Errorf("node %+v", n)
	}
	if err := answer(`"yes"`); err != nil {
		t.Fatal(err)
	}
	v := w.untilState(r.ID, engine.RunSucceeded)
	if string(v.Outputs["answer"]) != `"yes"` || string(v.Outputs["total"]) != "1" {
		t.Errorf("outputs %s", v.Outputs)
	}
	if n := w.node(r.ID, "ask"); len(n.Attempts) != 1 || n.Attempts[0].Wait != nil || n.State != engine.NodeSucceeded {
		t.Errorf("node %+v", n)
	}
}

// An answer that comes before the question cannot be checked against it.
func TestAnAnswerBeforeTheQuestionIsRefused(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	w := newWorld(t, func(ctx context.Context, c runs.ModuleCall, r contract.Request) (string, error) {
		if r.Action == "ask" && r.Reason == contract.ReasonExecute {
			<-asked
		}
		return adder(10)(ctx, c, r)
	})
	r := w.start(w.publish(askFlow), `{}`)
	w.until(r.ID, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeRunning })
	err := w.command(runs.NodeCommandRequest{Run: r.ID, Node: "ask", Command: runs.NodeCallback, Data: json.RawMessage(`"whatever"`)})
	close(asked)
	if e := wantFault(t, err, fault.WrongState, ""); e.Node != "ask" {
		t.Errorf("the refusal names node %q", e.Node)
	}
	w.until(r.ID, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
}

// A run that waits through an upgrade and a restart goes on with the modules it
// started with; a new one takes the new ones, and is refused when the flow does not
// fit them.
func TestARunKeepsThePluginsItPinned(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	var run, flow, digest string
	t.Run("before the restart", func(t *testing.T) {
		w := worldAt(t, path, adder(10))
		flow = w.publish(askFlow)
		run = w.start(flow, `{}`).ID
		w.until(run, func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting })
		toy, _ := w.Plugins.Latest("toy")
		digest = toy.Digest
	})
	w := worldAt(t, path, adder(10))
	next := bytes.Replace(hosttest.Toy("2.0.0"), []byte(`"id": "add"`), []byte(`"id": "plus"`), 1)
	if _, err := w.Plugins.Install(t.Context(), plugins.InstallRequest{Actor: actor, Code: next}); err != nil {
		t.Fatal(err)
	}
	err := w.command(runs.NodeCommandRequest{Run: run, Node: "ask", Command: runs.NodeCallback, Data: json.RawMessage(`"no"`)})
	if err != nil {
		t.Fatal(err)
	}
	w.untilState(run, engine.RunSucceeded)
	if n := w.node(run, "add"); n.Attempts[0].Digest != digest {
		t.Errorf("the node ran %s, pinned was %s", n.Attempts[0].Digest, digest)
	}
	_, err = w.runs.Start(t.Context(), runs.StartRequest{Project: hosttest.Project, Actor: actor, Flow: flow})
	e := wantFault(t, err, fault.Invalid, "")
	if !slices.ContainsFunc(e.Problems, func(p engine.Problem) bool { return p.Node == "add" && p.Code == engine.ProblemActionUnknown }) {
		t.Errorf("problems %+v", e.Problems)
	}
}

func TestListsOfRunsAndRecords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, adder(10))
	add, ask := w.publish(hosttest.AddFlow), w.publish(askFlow)
	var want []string
	for range 3 {
		want = append(want, w.start(add, `{"count":1}`).ID)
	}
	waiting := w.start(ask, `{}`).ID
	want = append(want, waiting)
	slices.Reverse(want)
	for _, id := range want[1:] {
		w.untilState(id, engine.RunSucceeded)
	}
	var got []string
	q := runs.ListQuery{Project: hosttest.Project, Page: page.Query{Limit: 2}}
	for {
		l, err := w.runs.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range l.Items {
			got = append(got, r.ID)
		}
		if q.Page.Cursor = l.Next; l.Next == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("pages gave %q, want %q", got, want)
	}
	l, err := w.runs.List(t.Context(), runs.ListQuery{Project: hosttest.Project, Flow: add, States: []engine.RunState{engine.RunRunning, engine.RunBlocked}})
	if err != nil || len(l.Items) != 0 {
		t.Errorf("running ones of the flow that ended: %+v, %v", l, err)
	}
	_, err = w.runs.List(t.Context(), runs.ListQuery{Project: hosttest.Project, States: []engine.RunState{"odd"}})
	wantFault(t, err, fault.Invalid, "/state")

	var seqs []uint64
	rq := runs.RecordsQuery{Project: hosttest.Project, Run: want[1], Limit: 3}
	for {
		rs, err := w.runs.Records(t.Context(), rq)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs.Items {
			seqs = append(seqs, r.Seq)
		}
		if rq.After = rs.Next; rs.Next == 0 {
			break
		}
	}
	last, err := w.runs.Seq(t.Context(), hosttest.Project, want[1])
	if err != nil || uint64(len(seqs)) != last || seqs[0] != 1 || seqs[len(seqs)-1] != last {
		t.Errorf("records %v, last %d, %v", seqs, last, err)
	}
	_, err = w.runs.Records(t.Context(), runs.RecordsQuery{Project: "other", Run: want[1]})
	wantFault(t, err, fault.NotFound, "")
	_, err = w.runs.Node(t.Context(), hosttest.Project, want[1], "nowhere")
	wantFault(t, err, fault.NotFound, "")
}

func decode(t *testing.T, document []byte) *engine.Flow {
	t.Helper()
	f, err := flows.Decode(document)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
