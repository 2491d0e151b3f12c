// The plugin http calls any operation of any registered system: for what no plugin was
// written for yet.
package main

import (
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

var plugin = pdk.Register(pdk.Plugin{
	ID:      "http",
	Version: "1.0.0",
	Title:   pdk.Text{En: "HTTP"},
	Doc:     pdk.Text{En: "Any operation of a registered system that an administrator granted."},
	Icon:    "http",
	Needs:   []pdk.Need{{System: "*", Operation: "*"}},
	Actions: []pdk.Actor{
		pdk.Action[CallIn, CallOut]{
			ID: "call", Title: pdk.Text{En: "Call an operation"}, Icon: "http",
			Timeout: 2 * time.Minute,
			Execute: call,
		},
		pdk.Action[WaitIn, WaitOut]{
			ID: "call_and_wait", Title: pdk.Text{En: "Call an operation and wait for its callback"}, Icon: "http",
			Timeout: 2 * time.Minute,
			Waits:   []contract.WaitKind{contract.WaitCallback},
			Execute: callAndWait, Resume: calledBack,
		},
	},
})

func main() { plugin.Main() }
