package engine_test

import (
	"fmt"
	"testing"

	"github.com/culmhq/culm/engine"
)

// TestTokenGroups: what follows one another and exclusive branches share a token, each
// parallel branch has its own.
func TestTokenGroups(t *testing.T) {
	t.Parallel()
	sc := newScenario(t)
	sc.play(`node start start
node x exclusive
node a task
node b task
node fork parallel
node c task
node inner parallel
node d task
node e task
node meet join
node join join
node end end
chain start x
edge x a if true
edge x b default
chain a fork c join end
chain b fork inner d meet join
chain inner e meet
compile
----

`)
	const want = "[[a b end fork join start x] [c] [d] [e] [inner meet]]"
	if got := fmt.Sprint(engine.TokenGroups(sc.graph)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
