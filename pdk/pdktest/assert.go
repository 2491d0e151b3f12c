package pdktest

import (
	"encoding/json"
	"testing"

	"github.com/culmhq/culm/pdk/contract"
)

// Succeeded checks that an answer is a success and returns its outputs.
func Succeeded[Out any](t testing.TB, ans contract.Answer) Out {
	t.Helper()
	if ans.Status != contract.StatusSucceeded {
		t.Fatalf("answer is %s (%v), want succeeded", ans.Status, ans.Failure)
	}
	return Outputs[Out](t, ans)
}

// Failed checks that an answer is a failure with that code and returns it.
func Failed(t testing.TB, ans contract.Answer, code string) contract.Failure {
	t.Helper()
	if ans.Status != contract.StatusFailed || ans.Failure == nil {
		t.Fatalf("answer is %s with outputs %s, want failed with %s", ans.Status, ans.Outputs, code)
	}
	if ans.Failure.Code != code {
		t.Fatalf("failure is %v, want code %s", ans.Failure, code)
	}
	return *ans.Failure
}

// Waiting checks that an answer waits in that way and returns the wait.
func Waiting(t testing.TB, ans contract.Answer, kind contract.WaitKind) contract.Wait {
	t.Helper()
	if ans.Status != contract.StatusWaiting || ans.Wait == nil {
		t.Fatalf("answer is %s (%v), want waiting", ans.Status, ans.Failure)
	}
	if ans.Wait.Kind != kind {
		t.Fatalf("waits for %s, want %s", ans.Wait.Kind, kind)
	}
	return *ans.Wait
}

// Outputs decodes the outputs of an answer of any status.
func Outputs[Out any](t testing.TB, ans contract.Answer) Out {
	t.Helper()
	var out Out
	if len(ans.Outputs) == 0 {
		return out
	}
	if err := json.Unmarshal(ans.Outputs, &out); err != nil {
		t.Fatalf("the outputs %s: %v", ans.Outputs, err)
	}
	return out
}
