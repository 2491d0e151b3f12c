package cases_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/pdk/contract"
)

// fake is a plugin whose calls are Go functions.
type fake struct {
	manifest contract.Manifest
	calls    []func(contract.Request, *cases.Script) (contract.Answer, error)
	requests []contract.Request
}

func (f *fake) Manifest() *contract.Manifest { return &f.manifest }

func (f *fake) Invoke(_ context.Context, req contract.Request, s *cases.Script) (contract.Answer, cases.Usage, error) {
	call := f.calls[len(f.requests)]
	f.requests = append(f.requests, req)
	a, err := call(req, s)
	return a, cases.Usage{HostCalls: 1}, err
}

func plugin(calls ...func(contract.Request, *cases.Script) (contract.Answer, error)) *fake {
	return &fake{calls: calls, manifest: contract.Manifest{
		Actions: []contract.Action{{
			ID: "go", Waits: []contract.WaitKind{contract.WaitPoll},
			Inputs:  json.RawMessage(`{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}`),
			Outputs: json.RawMessage(`{"type":"object","properties":{"n":{"type":"integer"}},"additionalProperties":false}`),
		}},
		Needs: []contract.Need{{System: "cmdb", Operation: "*"}},
	}}
}

func answers(a contract.Answer) func(contract.Request, *cases.Script) (contract.Answer, error) {
	return func(contract.Request, *cases.Script) (contract.Answer, error) { return a, nil }
}

func succeeds(outputs string) func(contract.Request, *cases.Script) (contract.Answer, error) {
	return answers(contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(outputs)})
}

func calls(system, operation, params string) func(contract.Request, *cases.Script) (contract.Answer, error) {
	return func(_ contract.Request, s *cases.Script) (contract.Answer, error) {
		var p map[string]json.RawMessage
		if err := json.Unmarshal([]byte(params), &p); err != nil {
			return contract.Answer{}, err
		}
		r := s.Gateway(context.Background(), contract.GatewayRequest{System: system, Operation: operation, Params: p})
		body := "0"
		if r.Failure == nil {
			body = string(r.Body)
		}
		return contract.Answer{Status: contract.StatusSucceeded, Outputs: json.RawMessage(`{"n":` + body + `}`)}, nil
	}
}

const one = "format: culm.cases/v1\ncases:\n  - name: a\n    action: go\n    inputs: {n: 1}\n"

func run(t *testing.T, m cases.Module, text string) cases.Result {
	t.Helper()
	f, err := cases.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := cases.Run(t.Context(), m, f, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsNotAsExpectedIsSaidWithItsPlace(t *testing.T) {
	t.Parallel()
	broken := func(contract.Request, *cases.Script) (contract.Answer, error) {
		return contract.Answer{}, &contract.Failure{Code: "PLUGIN_TRAP", Message: "unreachable", Origin: contract.OriginPlugin}
	}
	for name, c := range map[string]struct {
		call   func(contract.Request, *cases.Script) (contract.Answer, error)
		expect string
		want   []string
	}{
		"nothing is wrong":      {succeeds(`{"n":1}`), "expect: {status: succeeded, outputs: {n: 1.0}}", nil},
		"status":                {succeeds(`{"n":1}`), "expect: {status: waiting}", []string{"status: want waiting, got succeeded"}},
		"an output":             {succeeds(`{"n":1}`), "expect: {outputs: {n: 2}}", []string{"outputs/n: want 2, got 1"}},
		"an output too many":    {succeeds(`{"n":1}`), "expect: {outputs: {}}", []string{"outputs/n: want nothing, got 1"}},
		"big integers":          {succeeds(`{"n":9007199254740993}`), "expect: {outputs: {n: 9007199254740992}}", []string{"outputs/n: want 9007199254740992, got 9007199254740993"}},
		"part of a failure":     {broken, "expect: {status: failed, failure: {code: PLUGIN_TRAP}}", nil},
		"code of a failure":     {broken, "expect: {status: failed, failure: {code: X}}", []string{`failure/code: want "X", got "PLUGIN_TRAP"`}},
		"not retryable":         {broken, "expect: {failure: {retryable: false}}", nil},
		"a failure unasked for": {broken, "", []string{"failed with PLUGIN_TRAP: unreachable"}},
		"outputs not valid":     {succeeds(`{"m":1}`), "expect: {status: failed, failure: {code: OUTPUT_INVALID}}", nil},
		"a wait not declared": {
			answers(contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitCallback}}),
			"expect: {status: failed, failure: {code: OUTPUT_INVALID}}", nil,
		},
		"a call not scripted":   {calls("cmdb", "get", `{}`), "expect: {status: succeeded}", []string{"the plugin calls cmdb/get, and the case answers no further call"}},
		"a call not asked for":  {calls("job", "get", `{}`), "expect: {status: succeeded}", []string{"the plugin calls job/get, which the manifest's needs do not list"}},
		"another call":          {calls("cmdb", "get", `{}`), "gateway: [{system: cmdb, operation: set, answer: {status: 200}}]", []string{"call 1 of the gateway is cmdb/get, want cmdb/set"}},
		"other parameters":      {calls("cmdb", "get", `{"id":1}`), "gateway: [{system: cmdb, operation: get, params: {id: 2}, answer: {status: 200, body: 7}}]", []string{"call 1 of the gateway (cmdb/get) params/id: want 2, got 1"}},
		"a call that was left":  {succeeds(`{"n":1}`), "gateway: [{system: cmdb, operation: get, answer: {status: 200}}]", []string{"the plugin did not call cmdb/get"}},
		"a call as it is meant": {calls("cmdb", "get", `{"id":1}`), "gateway: [{system: cmdb, operation: get, params: {id: 1}, answer: {status: 200, body: 7}}]\n    expect: {outputs: {n: 7}}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := one
			if c.expect != "" {
				text += "    " + c.expect + "\n"
			}
			var got []string
			for _, m := range run(t, plugin(c.call), text).Problems() {
				got = append(got, m.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("problems %q, want %q", got, c.want)
			}
		})
	}
}

func TestInputsAreCheckedBeforeThePluginIsCalled(t *testing.T) {
	t.Parallel()
	m := plugin()
	r := run(t, m, strings.Replace(one, "{n: 1}", "{n: x}", 1)+"    expect: {status: failed, failure: {code: INPUT_INVALID, origin: flow}}\n")
	if ps := r.Problems(); len(ps) > 0 || len(m.requests) > 0 {
		t.Errorf("problems %q after %d calls", ps, len(m.requests))
	}
}

func TestALaterCallGetsWhatTheOneBeforeLeft(t *testing.T) {
	t.Parallel()
	wait := answers(contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitPoll}, State: json.RawMessage(`"s"`)})
	m := plugin(wait, wait, succeeds(`{"n":3}`), succeeds(``))
	r := run(t, m, one+"    then:\n      - {}\n      - expect: {status: succeeded}\n      - {reason: rollback}\n")
	if ps := r.Problems(); len(ps) > 0 {
		t.Fatal(ps)
	}
	var got []string
	for _, q := range m.requests {
		got = append(got, string(q.Reason)+" "+string(q.State)+" "+string(q.Outputs)+" "+string(rune('0'+q.Polls)))
	}
	want := []string{`execute   0`, `poll "s"  0`, `poll "s"  1`, `rollback  {"n":3} 0`}
	if !slices.Equal(got, want) {
		t.Errorf("requests %q, want %q", got, want)
	}
}

func TestAFileSaysAllThatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	_, err := cases.Parse([]byte("format: x\ncases:\n  - name: a\n  - name: a\n    action: go\n    gateway: [{system: s, operation: o, answer: {}}]\n    expect: {status: ok}\n"))
	var ps document.Problems
	if !errors.As(err, &ps) {
		t.Fatalf("error %v", err)
	}
	var got []string
	for _, p := range ps {
		got = append(got, p.Error())
	}
	want := []string{
		"line 1: /format: must be culm.cases/v1", "line 3: /cases/0/action: is missing", `line 4: /cases/1/name: there is another case "a"`,
		"line 6: /cases/1/gateway/0/answer: needs status or failure", `line 7: /cases/1/expect/status: "ok" is none of succeeded, failed, waiting`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("problems\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestUpdateReplacesExpectationsAndNothingElse(t *testing.T) {
	t.Parallel()
	const text = `format: culm.cases/v1
# About these cases.
cases:
  - name: a  # the first
    action: go
    inputs: {n: 1}
    expect:
      status: failed
      # replaced with it
      outputs:
        n: 9

    then:
      - expect: {status: succeeded}
      # the last
      - gateway: []

  - name: b
    action: go
    inputs:
      n: 2
# the end
`
	const want = `format: culm.cases/v1
# About these cases.
cases:
  - name: a  # the first
    action: go
    inputs: {n: 1}
    expect:
      status: waiting
      wait: {"kind":"poll"}
      state: "<s>"

    then:
      - expect: {status: succeeded}
      # the last
      - gateway: []
        expect:
          status: failed
          failure: {"code":"NO","message":"no"}

  - name: b
    action: go
    inputs:
      n: 2
    expect:
      status: succeeded
      outputs: {"n":2}
# the end
`
	wait := answers(contract.Answer{Status: contract.StatusWaiting, Wait: &contract.Wait{Kind: contract.WaitPoll}, State: json.RawMessage(`"<s>"`)})
	fails := answers(contract.Answer{Status: contract.StatusFailed, Failure: &contract.Failure{Code: "NO", Message: "no", Origin: contract.OriginPlugin}})
	m := plugin(wait, succeeds(`{"n":1}`), fails, succeeds(`{"n":2}`))
	f, err := cases.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var rs []cases.Result
	for i := range f.Cases {
		r, err := cases.Run(t.Context(), m, f, i, nil)
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, r)
	}
	got, err := cases.Update([]byte(text), rs)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("updated\n%s\nwant\n%s", got, want)
	}
}

func TestACaseInBracesCannotBeUpdated(t *testing.T) {
	t.Parallel()
	text := []byte("format: culm.cases/v1\ncases:\n  - {name: a, action: go, inputs: {n: 1}}\n")
	f, err := cases.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	r, err := cases.Run(t.Context(), plugin(succeeds(`{"n":1}`)), f, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cases.Update(text, []cases.Result{r}); !errors.Is(err, cases.ErrNotBlock) {
		t.Errorf("error %v", err)
	}
}

func TestTheExampleOfTheDocumentationIsAFileOfCases(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/plugins/cases.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("there is no example")
	}
	f, err := cases.Parse([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Cases) != 1 || len(f.Cases[0].Then) != 2 || f.Now == nil {
		t.Errorf("the example is %+v", f)
	}
}

func TestACaseThatIsAddedIsReadAsItWas(t *testing.T) {
	t.Parallel()
	c := cases.Case{
		Name: "a", Action: "go", Inputs: json.RawMessage(`{"n":1}`),
		Step: cases.Step{
			Gateway: []cases.Exchange{{System: "cmdb", Operation: "get", Params: map[string]json.RawMessage{"id": json.RawMessage(`"<1>"`)}, Answer: contract.GatewayResponse{Status: 200, Body: json.RawMessage(`[1]`)}}},
			Expect:  &cases.Expect{Status: contract.StatusWaiting, State: json.RawMessage(`"s"`), Log: []string{"a: b", "# c"}},
		},
		Then: []cases.Step{{}, {Reason: contract.ReasonRollback, Expect: &cases.Expect{Status: contract.StatusSucceeded}}},
	}
	var text []byte
	for range 2 {
		var err error
		if text, err = cases.Append(text, c); err != nil {
			t.Fatal(err)
		}
	}
	f, err := cases.Parse(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if len(f.Cases) != 2 || f.Cases[1].Name != "a 2" {
		t.Fatalf("the file is\n%s", text)
	}
	f.Cases[1].Name = "a"
	got, err := json.Marshal(f.Cases[1])
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("the case is\n%s\nwant\n%s", got, want)
	}
	if _, err := cases.Append([]byte("format: culm.cases/v1\ncases: [{name: a, action: go}]\n"), c); !errors.Is(err, cases.ErrNotBlock) {
		t.Errorf("error %v", err)
	}
}
