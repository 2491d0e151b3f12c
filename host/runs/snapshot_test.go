package runs_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/host/runs"
)

// A flow is edited and published anew while a run of it waits, and the server starts
// again: the run goes on by what was drawn when it was started.
func TestARunGoesOnByTheVersionItWasStartedWith(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "culm.db")
	var old, young runs.Summary
	asked := func(v engine.RunView) bool { return v.Nodes["ask"].State == engine.NodeWaiting }
	t.Run("before the restart", func(t *testing.T) {
		w := worldAt(t, path, adder(100))
		id := w.publish(askFlow)
		old = w.start(id, `{}`)
		w.until(old.ID, asked)
		edited := hosttest.Flow(t, strings.Replace(askFlow, "inputs: {a: 1}", "inputs: {a: 50}", 1))
		d, err := w.flows.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: id, Revision: 1, Document: edited})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.flows.Publish(t.Context(), flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: id, Revision: d.Revision}); err != nil {
			t.Fatal(err)
		}
		young = w.start(id, `{}`)
		w.until(young.ID, asked)
	})
	w := worldAt(t, path, adder(100))
	for run, want := range map[string]string{old.ID: "1", young.ID: "50"} {
		if err := w.command(runs.NodeCommandRequest{Run: run, Node: "ask", Command: runs.NodeCallback, Data: json.RawMessage(`"yes"`)}); err != nil {
			t.Fatal(err)
		}
		if v := w.untilState(run, engine.RunSucceeded); string(v.Outputs["total"]) != want {
			t.Errorf("run %s gave %s, want %s", run, v.Outputs["total"], want)
		}
	}
}
