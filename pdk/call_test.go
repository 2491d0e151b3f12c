package pdk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

// JobIn starts a pretended job.
type JobIn struct {
	// What the job does.
	Do string `json:"do"`
	// How often it is tried.
	Tries int `json:"tries,omitempty"`
}

// JobOut is what the job left.
type JobOut struct {
	// What was done.
	Done string `json:"done,omitempty"`
	// The hosts that it touched.
	Hosts []string `json:"hosts"`
	// What each of them said.
	Said map[string]string `json:"said"`
}

// job is a plugin that does what its input says.
func job() *pdk.Plugin {
	return pdk.Register(pdk.Plugin{
		ID: "job", Version: "1.0.0", Title: pdk.Text{En: "Job"},
		Needs: []pdk.Need{{System: "jobs", Operation: "run"}},
		Actions: []pdk.Actor{
			pdk.Action[JobIn, JobOut]{
				ID: "run", Title: pdk.Text{En: "Run"}, Defaults: JobIn{Tries: 3},
				Waits: []contract.WaitKind{
					contract.WaitPoll, contract.WaitTimer, contract.WaitCallback, contract.WaitHuman,
				},
				Execute: run, Resume: resume, Cancel: cancel, Rollback: rollback, Options: options,
			},
			pdk.Action[JobIn, JobOut]{ID: "bare", Title: pdk.Text{En: "Bare"}, Execute: run},
			pdk.Action[map[string]int, map[string]int]{
				ID: "sum", Title: pdk.Text{En: "Sum"},
				Execute: func(_ *pdk.Ctx, in map[string]int) (map[string]int, error) {
					return map[string]int{"n": len(in)}, nil
				},
			},
		},
	})
}

// errCause is an error of the plugin's own.
var errCause = errors.New("the disk is full")

func run(c *pdk.Ctx, in JobIn) (JobOut, error) {
	switch in.Do {
	case "nothing":
		return JobOut{}, nil
	case "poll":
		return JobOut{}, pdk.Poll(1500*time.Millisecond, map[string]int{"step": 1})
	case "timer":
		return JobOut{}, pdk.Timer(0, "t")
	case "until":
		return JobOut{}, pdk.Until(time.Date(2026, 1, 1, 8, 0, 0, 0, time.FixedZone("", 8*3600)), nil)
	case "callback":
		return JobOut{}, pdk.Callback(nil)
	case "ask":
		return JobOut{}, pdk.Ask(pdk.Text{En: "Sure?", Zh: "确定？"}, json.RawMessage(`{"type":"object"}`), nil)
	case "fail":
		return JobOut{Done: "half"}, pdk.Retryable("HALF_DONE", "only %d %%", 50)
	case "wrap":
		return JobOut{}, fmt.Errorf("while cleaning: %w", pdk.Retryable("HALF_DONE", "only half"))
	case "error":
		return JobOut{}, errCause
	case "panic":
		panic("a bug")
	case "state":
		return JobOut{}, c.State(new(int))
	case "vars":
		var n int
		known, err := c.Var("n", &n)
		if err != nil || !known {
			return JobOut{Done: fmt.Sprint(known)}, err
		}
		return JobOut{Done: fmt.Sprint(n)}, c.SetVar("n", n+1)
	case "gateway":
		err := c.Gateway("jobs", "run", pdk.Params{"a": 1, "b": nil}, map[string]string{"x": "y"}, nil)
		return JobOut{}, err
	default:
		return JobOut{Done: fmt.Sprint(in.Do, in.Tries)}, nil
	}
}

func resume(c *pdk.Ctx, in JobIn) (JobOut, error) {
	if in.Do == "callback" || in.Do == "ask" {
		var said map[string]string
		err := c.Callback(&said)
		return JobOut{Said: said}, err
	}
	var state struct{ Step int }
	if err := c.State(&state); err != nil {
		return JobOut{}, err
	}
	if c.Polls() < 2 {
		return JobOut{}, pdk.Poll(time.Second, map[string]int{"step": state.Step + 1})
	}
	return JobOut{Done: fmt.Sprint(state.Step, c.Reason())}, nil
}

func cancel(c *pdk.Ctx, _ JobIn) error {
	c.Log(contract.LevelDebug, "cancelled\nin %s", c.Run().Project)
	c.Progress(150, "stop\nped")
	return nil
}

func rollback(_ *pdk.Ctx, _ JobIn, out JobOut) error {
	if out.Done == "" {
		return pdk.Fail("NOTHING_DONE", "there is nothing to undo")
	}
	return nil
}

func options(_ *pdk.Ctx, field string, form JobIn) ([]pdk.Choice, error) {
	return []pdk.Choice{{Value: json.RawMessage(`1`), Label: fmt.Sprint(field, form.Do, form.Tries)}}, nil
}

func TestOutputsHaveListsAndObjectsWhereGoHasNil(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	if ans := b.Execute("run", JobIn{Do: "nothing"}); string(ans.Outputs) != `{"hosts":[],"said":{}}` {
		t.Fatalf("outputs %s", ans.Outputs)
	}
}

func TestDefaultsFillWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	for in, want := range map[string]string{`{"do":"x"}`: "x3", `{"do":"x","tries":5}`: "x5", `{"do":"x","tries":0}`: "x0"} {
		if out := pdktest.Succeeded[JobOut](t, b.Execute("run", json.RawMessage(in))); out.Done != want {
			t.Errorf("%s did %s, want %s", in, out.Done, want)
		}
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	for do, want := range map[string]string{
		"poll":     `{"kind":"poll","after_ms":1500}`,
		"timer":    `{"kind":"timer","after_ms":1}`,
		"until":    `{"kind":"timer","at":"2026-01-01T00:00:00Z"}`,
		"callback": `{"kind":"callback"}`,
		"ask":      `{"kind":"human","prompt":{"en":"Sure?","zh":"确定？"},"schema":{"type":"object"}}`,
	} {
		ans := b.Execute("run", JobIn{Do: do})
		if got, err := json.Marshal(ans.Wait); err != nil || ans.Status != contract.StatusWaiting || string(got) != want {
			t.Errorf("%s: %s %s (%v), want %s", do, ans.Status, got, err, want)
		}
		if ans.Outputs != nil {
			t.Errorf("%s: outputs %s of a node that waits", do, ans.Outputs)
		}
	}
}

func TestResumeCarriesState(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	pdktest.Waiting(t, b.Execute("run", JobIn{Do: "poll"}), contract.WaitPoll)
	pdktest.Waiting(t, b.Poll(), contract.WaitPoll)
	if out := pdktest.Succeeded[JobOut](t, b.Poll()); out.Done != "2poll" {
		t.Fatalf("outputs %+v", out)
	}
	pdktest.Waiting(t, b.Execute("run", JobIn{Do: "ask"}), contract.WaitHuman)
	if out := pdktest.Succeeded[JobOut](t, b.CallBack(map[string]string{"a": "b"})); out.Said["a"] != "b" {
		t.Fatalf("outputs %+v", out)
	}
	f := pdktest.Failed(t, b.CallBack(7), pdk.CodeInput)
	if !strings.HasPrefix(f.Message, "callback: ") {
		t.Fatalf("failure %+v", f)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	for do, want := range map[string]contract.Failure{
		"fail":  {Code: "HALF_DONE", Message: "only 50 %", Origin: contract.OriginPlugin, Retryable: true},
		"wrap":  {Code: "HALF_DONE", Message: "while cleaning: HALF_DONE: only half", Origin: contract.OriginPlugin, Retryable: true},
		"error": {Code: pdk.CodePlugin, Message: "the disk is full", Origin: contract.OriginPlugin},
		"panic": {Code: pdk.CodePanic, Message: "the plugin panicked: a bug", Origin: contract.OriginPlugin},
		"state": {Code: pdk.CodePlugin, Message: "the call carries no state", Origin: contract.OriginPlugin},
	} {
		ans := b.Execute("run", JobIn{Do: do})
		got := pdktest.Failed(t, ans, want.Code)
		if got.Message != want.Message || got.Origin != want.Origin || got.Retryable != want.Retryable {
			t.Errorf("%s: %+v, want %+v", do, got, want)
		}
		if (do == "fail") != (len(ans.Outputs) > 0) {
			t.Errorf("%s: outputs %s", do, ans.Outputs)
		}
	}
}

func TestWhatAnActionDoesNotOffer(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	pdktest.Failed(t, b.Execute("bare", JobIn{Do: "poll"}), pdk.CodeWait)
	for name, call := range map[string]func() contract.Answer{
		"poll": b.Poll, "cancel": b.Cancel,
		"rollback": func() contract.Answer { return b.Rollback(JobOut{}) },
		"options":  func() contract.Answer { return b.Options("bare", "do", nil) },
	} {
		b.Execute("bare", JobIn{Do: "nothing"})
		if f := pdktest.Failed(t, call(), pdk.CodeUnsupported); !strings.Contains(f.Message, name) {
			t.Errorf("%s: %s", name, f.Message)
		}
	}
	pdktest.Failed(t, b.Execute("absent", nil), pdk.CodeUnsupported)
}

func TestCancelRollbackAndOptions(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	b.Execute("run", JobIn{Do: "poll"})
	pdktest.Succeeded[struct{}](t, b.Cancel())
	if l := b.Lines(); len(l) != 1 || l[0].Text != "cancelled in demo" || l[0].Level != contract.LevelDebug {
		t.Errorf("log %+v", l)
	}
	if percent, message := b.Percent(); percent != 100 || message != "stop ped" {
		t.Errorf("progress %d %q", percent, message)
	}
	pdktest.Succeeded[struct{}](t, b.Rollback(JobOut{Done: "x"}))
	pdktest.Failed(t, b.Rollback(JobOut{}), "NOTHING_DONE")

	ans := b.Options("run", "tries", json.RawMessage(`{"do":"x","tries":"${n}","strange":1}`))
	if string(ans.Outputs) != `{"choices":[{"value":1,"label":"triesx0"}]}` {
		t.Errorf("choices %s", ans.Outputs)
	}
}

func TestActionsOfMaps(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	if ans := b.Execute("sum", json.RawMessage(`{"a":1,"b":2}`)); string(ans.Outputs) != `{"n":2}` {
		t.Fatalf("outputs %s", ans.Outputs)
	}
	pdktest.Failed(t, b.Execute("sum", json.RawMessage(`{"a":"1"}`)), pdk.CodeInput)
	pdktest.Failed(t, b.Execute("sum", json.RawMessage(`[]`)), pdk.CodeInput)
}

func TestVariablesAreWrittenOnSuccessOnly(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, job())
	if out := pdktest.Succeeded[JobOut](t, b.Execute("run", JobIn{Do: "vars"})); out.Done != "false" {
		t.Fatalf("an unset variable reads as %s", out.Done)
	}
	b.Vars["n"] = json.RawMessage(`7`)
	pdktest.Succeeded[JobOut](t, b.Execute("run", JobIn{Do: "vars"}))
	if got := string(b.Vars["n"]); got != "8" {
		t.Fatalf("the variable is %s", got)
	}
	b.Vars["n"] = json.RawMessage(`"text"`)
	pdktest.Failed(t, b.Execute("run", JobIn{Do: "vars"}), pdk.CodePlugin)
}

func TestHandleRefusesRequestsThatItCannotUnderstand(t *testing.T) {
	t.Parallel()
	for says, c := range map[string][2]string{
		"not JSON": {"execute", `{`},
		"ABI 2":    {"execute", `{"abi":2,"reason":"execute"}`},
		"export":   {"resume", `{"abi":1,"reason":"execute"}`},
		"reason":   {"execute", `{"abi":1,"reason":"joy"}`},
	} {
		if _, err := job().Handle(nil, c[0], []byte(c[1])); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
}
