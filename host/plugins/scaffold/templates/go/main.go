// The plugin {{.ID}}: what it is, and what it offers.
package main

import "github.com/culmhq/culm/pdk"

var plugin = pdk.Register(pdk.Plugin{
	ID:      "{{.ID}}",
	Version: "0.1.0",
	Title:   pdk.Text{En: "{{.Title}}"},
	Doc:     pdk.Text{En: "Greets, and counts the hosts of a service."},
	Icon:    "server",
	Needs:   []pdk.Need{{System: "demo", Operation: "list_hosts"}},
	Actions: []pdk.Actor{
		pdk.Action[GreetIn, GreetOut]{
			ID: "greet", Title: pdk.Text{En: "Greet"}, Execute: greet,
		},
		pdk.Action[CountIn, CountOut]{
			ID: "count_hosts", Title: pdk.Text{En: "Count hosts"}, Execute: countHosts,
		},
	},
})

func main() { plugin.Main() }
