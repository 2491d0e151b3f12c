// The plugin prometheus asks a Prometheus server.
package main

import (
	"time"

	"github.com/culmhq/culm/pdk"
)

const system = "prometheus"

var plugin = pdk.Register(pdk.Plugin{
	ID:      "prometheus",
	Version: "1.0.0",
	Title:   pdk.Text{En: "Prometheus"},
	Doc:     pdk.Text{En: "Queries of a Prometheus server, version 2 or later."},
	Icon:    "chart",
	Needs:   []pdk.Need{{System: system, Operation: "query"}},
	Actions: []pdk.Actor{
		pdk.Action[QueryIn, QueryOut]{
			ID: "query", Title: pdk.Text{En: "Query"}, Icon: "chart",
			Timeout: time.Minute,
			Execute: query,
		},
	},
})

func main() { plugin.Main() }
