package strict_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/pdk/contract"
)

// Whatever the contract has passes: a plugin hands on a failure of the gateway as it came.
func TestAnAnswerMayHaveEveryMemberOfTheContract(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	want := contract.Answer{
		Status: contract.StatusFailed, Outputs: json.RawMessage(`{"a":1}`), State: json.RawMessage(`[]`),
		Failure: &contract.Failure{
			Code: "SYSTEM_FAILED", Message: "m", Origin: contract.OriginSystem, Retryable: true, System: "s", Operation: "o", HTTPStatus: 503,
			RequestID: "r", Attempts: 3, Hint: contract.HintFixInputs, RetryAfterMS: 5, Detail: json.RawMessage(`{}`),
		},
		Wait: &contract.Wait{Kind: contract.WaitHuman, AfterMS: 1, At: &at, Prompt: contract.T("Go on?"), Schema: json.RawMessage(`{}`)},
	}
	for _, part := range []any{want, *want.Failure, *want.Wait} {
		v := reflect.ValueOf(part)
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s.%s is not tried", v.Type(), v.Type().Field(i).Name)
			}
		}
	}
	output, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := strict.Answer(output)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}
