// The plugin alertmanager silences alerts of an Alertmanager.
package main

import (
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

const system = "alertmanager"

var plugin = pdk.Register(pdk.Plugin{
	ID:      "alertmanager",
	Version: "1.0.0",
	Title:   pdk.Text{En: "Alertmanager"},
	Doc:     pdk.Text{En: "Silences of an Alertmanager, through version 2 of its API."},
	Icon:    "bell",
	Needs: []pdk.Need{
		{System: system, Operation: "create_silence"},
		{System: system, Operation: "list_silences"},
		{System: system, Operation: "get_silence"},
		{System: system, Operation: "expire_silence"},
	},
	Actions: []pdk.Actor{
		pdk.Action[CreateIn, CreateOut]{
			ID: "create_silence", Title: pdk.Text{En: "Create a silence"}, Icon: "bell-off",
			Defaults: CreateIn{Duration: pdk.Duration(time.Hour)},
			Waits:    []contract.WaitKind{contract.WaitTimer},
			Execute:  create, Resume: createNow, Rollback: undoCreate,
		},
		pdk.Action[ListIn, ListOut]{
			ID: "list_silences", Title: pdk.Text{En: "List silences"}, Icon: "bell",
			Defaults: ListIn{States: []string{"active", "pending"}},
			Execute:  list,
		},
		pdk.Action[ExpireIn, ExpireOut]{
			ID: "expire_silence", Title: pdk.Text{En: "Expire a silence"}, Icon: "bell",
			Execute: expire,
		},
	},
})

func main() { plugin.Main() }
