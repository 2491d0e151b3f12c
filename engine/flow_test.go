package engine_test

import (
	"encoding/json"
	"testing"

	"github.com/culmhq/culm/engine"
)

type jsonRaw = json.RawMessage

func mustCompile(t testing.TB, f *engine.Flow) *engine.Graph {
	t.Helper()
	g, problems := engine.Compile(f, catalogue{})
	if g == nil {
		t.Fatalf("%d problems, the first: %v", len(problems), problems[0])
	}
	return g
}
