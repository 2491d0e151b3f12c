package simulate_test

import (
	"context"
	"fmt"
	"log"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/pdk/contract"
)

// A deployment fails once; an operator looks at it for five minutes and tries again.
func ExampleRun() {
	flow := &engine.Flow{
		Format: engine.FlowFormat, Name: contract.T("Deploy"),
		Nodes: []engine.Node{
			{ID: "start", Type: engine.TypeStart},
			{ID: "deploy", Type: engine.TypeTask, Plugin: "test", Action: "step"},
			{ID: "end", Type: engine.TypeEnd},
		},
		Edges: []engine.Edge{{ID: "e1", From: "start", To: "deploy"}, {ID: "e2", From: "deploy", To: "end"}},
	}
	script, err := simulate.ParseScript([]byte(`{
		"format": "culm.script/v1",
		"nodes": {"deploy": [{"after": "30s", "fail": {"code": "TIMEOUT", "message": "no answer"}}, {"after": "20s"}]},
		"actions": [{"when": {"node": "deploy", "state": "failed"}, "after": "5m", "do": "retry"}],
		"expect": {"run": "succeeded"}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	report, err := simulate.Run(context.Background(), simulate.Request{Flow: flow, Catalogue: catalogue{}, Script: script})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range report.Timeline {
		fmt.Printf("%6d ms  %s #%d %s\n", s.StartMS, s.Node, s.Attempt, s.State)
	}
	fmt.Println(report.State, report.ElapsedMS, len(report.Unmet))
	// Output:
	//      0 ms  start #1 succeeded
	//      0 ms  deploy #1 failed
	// 330000 ms  deploy #2 succeeded
	// 350000 ms  end #1 succeeded
	// succeeded 350000 0
}
