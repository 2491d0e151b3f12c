package pdk

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

// waiting is what the functions in this file return: an error, so that it travels
// beside the outputs that do not exist yet.
type waiting struct {
	wait  contract.Wait
	state any
}

// Poll says that the node waits and Resume is called after the given time, again and
// again as long as it answers with Poll. State is what the next call finds in
// Ctx.State; keep it small.
func Poll(after time.Duration, state any) error {
	return &waiting{contract.Wait{Kind: contract.WaitPoll, AfterMS: max(after.Milliseconds(), 1)}, state}
}

// Timer says that the node waits and Resume is called once, after the given time.
func Timer(after time.Duration, state any) error {
	return &waiting{contract.Wait{Kind: contract.WaitTimer, AfterMS: max(after.Milliseconds(), 1)}, state}
}

// Until says that the node waits and Resume is called once, at that instant.
func Until(at time.Time, state any) error {
	at = at.UTC()
	return &waiting{contract.Wait{Kind: contract.WaitTimer, At: &at}, state}
}

// Callback says that the node waits until a program calls back; Resume finds the data
// in Ctx.Callback.
func Callback(state any) error {
	return &waiting{contract.Wait{Kind: contract.WaitCallback}, state}
}

// Ask says that the node waits for a person, who is asked prompt. The answer is valid
// against schema, a JSON Schema; Resume finds it in Ctx.Callback.
func Ask(prompt Text, schema json.RawMessage, state any) error {
	return &waiting{contract.Wait{Kind: contract.WaitHuman, Prompt: prompt, Schema: schema}, state}
}

// Error makes a wait an error; nobody reads it.
func (w *waiting) Error() string { return "waiting: " + string(w.wait.Kind) }

func (w *waiting) answer(action string, declared []contract.WaitKind) contract.Answer {
	if !slices.Contains(declared, w.wait.Kind) {
		return failed(Fail(CodeWait, "action %s waits for %q, which its Waits does not list", action, w.wait.Kind))
	}
	ans := contract.Answer{Status: contract.StatusWaiting, Wait: &w.wait}
	if w.state != nil {
		raw, err := json.Marshal(w.state)
		if err != nil {
			return failed(fmt.Errorf("the state is not JSON: %w", err))
		}
		ans.State = raw
	}
	return ans
}
