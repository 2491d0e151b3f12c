package engine

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk/contract"
)

func goldenLines(t testing.TB) (lines [][]byte) {
	t.Helper()
	for _, path := range []string{"testdata/golden/v1/records.jsonl", "testdata/golden/v2/records.jsonl"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			lines = append(lines, []byte(strings.TrimSpace(line)))
		}
	}
	at := time.Date(2026, 5, 1, 9, 0, 0, 120, time.UTC)
	for _, d := range []Payload{
		NodeChanged{
			From: NodeRunning, To: NodeWaiting, Epoch: 3, Iteration: 1, Attempt: 2, Call: 4, Reason: contract.ReasonPoll,
			Inputs: json.RawMessage(`{"a":[1,"}],",{"b":null}]}`), Outputs: json.RawMessage(`{}`),
			Failure: &contract.Failure{Code: "X", Message: "a \"quote\"", Origin: contract.OriginPlugin},
			Wait:    &contract.Wait{Kind: contract.WaitPoll, AfterMS: 5}, Due: &at, PluginState: json.RawMessage(`"x"`), Polls: 7,
			Callback: json.RawMessage(`[1]`), Overrides: map[string]json.RawMessage{"k": json.RawMessage(`"v"`)},
			Digest: "sha256:1", By: "retry", Deadline: &at, Repeat: 5, Child: "c",
		},
		TokenMoved{Token: 2, Parent: 1, From: "a", To: "b", Edge: "e"},
		VariableSet{Scope: "sub", Name: "v", Value: json.RawMessage(`"数据 \\ "`)},
	} {
		lines = append(lines, AppendRecord(nil, Record{
			Seq: 12, At: at, Kind: d.kind(), Actor: Actor{ID: "li", OnBehalfOf: "wang"}, CommandID: "c-1", Node: "n.m", Data: d,
		}))
	}
	return lines
}

// Records of the frequent kinds are decoded by hand, to the same as by reflection.
func TestFrequentRecordsAreDecodedByHand(t *testing.T) {
	t.Parallel()
	for _, line := range goldenLines(t) {
		got, ok := quickRecord(line)
		want, err := decodeRecord(line)
		if err != nil {
			t.Fatal(err)
		}
		frequent := want.Kind == KindNodeState || want.Kind == KindTokenMoved || want.Kind == KindVariable
		if frequent && !ok && !strings.Contains(string(line), `\`) {
			t.Errorf("not decoded: %s", line)
		}
		if ok && !reflect.DeepEqual(got, want) {
			t.Errorf("got\n%+v\nwant\n%+v", got, want)
		}
	}
}

// FuzzQuickRecord: what is decoded by hand is the same as by reflection.
func FuzzQuickRecord(f *testing.F) {
	for _, line := range goldenLines(f) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := quickRecord(b)
		if !ok {
			return
		}
		want, err := decodeRecord(b)
		if err != nil {
			t.Fatalf("accepted %q; by reflection: %v", b, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got\n%+v\nwant\n%+v", got, want)
		}
	})
}
