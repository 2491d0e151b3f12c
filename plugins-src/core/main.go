// The plugin core holds the steps that every flow needs and that touch no outside
// system: waiting, asking a person, setting variables, asserting.
package main

import (
	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

var plugin = pdk.Register(pdk.Plugin{
	ID:      "core",
	Version: "1.0.0",
	Title:   pdk.Text{En: "Core"},
	Doc:     pdk.Text{En: "Waiting, asking a person, variables and assertions. It reaches no outside system."},
	Icon:    "clock",
	Actions: []pdk.Actor{
		pdk.Action[WaitForIn, WaitForOut]{
			ID: "wait_for", Title: pdk.Text{En: "Wait for"}, Icon: "clock",
			Waits:   []contract.WaitKind{contract.WaitTimer},
			Execute: waitFor, Resume: waitedFor,
		},
		pdk.Action[WaitUntilIn, WaitUntilOut]{
			ID: "wait_until", Title: pdk.Text{En: "Wait until"}, Icon: "clock",
			Waits:    []contract.WaitKind{contract.WaitTimer},
			Defaults: WaitUntilIn{Past: "continue"},
			Execute:  waitUntil, Resume: waitedUntil,
		},
		pdk.Action[ConfirmIn, ConfirmOut]{
			ID: "confirm", Title: pdk.Text{En: "Confirm"}, Icon: "person",
			Waits:   []contract.WaitKind{contract.WaitHuman},
			Execute: confirm, Resume: confirmed,
		},
		pdk.Action[SetVariablesIn, SetVariablesOut]{
			ID: "set_variables", Title: pdk.Text{En: "Set variables"}, Icon: "variable",
			Execute: setVariables,
		},
		pdk.Action[AssertIn, AssertOut]{
			ID: "assert", Title: pdk.Text{En: "Assert"}, Icon: "check",
			Execute: assert,
		},
	},
})

func main() { plugin.Main() }
