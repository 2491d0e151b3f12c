// The plugin demo works on the pretended operations platform that culm serves with
// --demo: hosts, deployments, health and tickets. It shows each way in which an action
// can work: at once, by polling with progress and until it is cancelled,
// with choices in its form, with rollback.
package main

import (
	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

const system = "demo"

var plugin = pdk.Register(pdk.Plugin{
	ID:      "demo",
	Version: "1.0.0",
	Title:   pdk.Text{En: "Demo operations"},
	Doc:     pdk.Text{En: "Hosts, deployments and tickets of the pretended platform that comes with Culm."},
	Icon:    "server",
	Needs: []pdk.Need{
		{System: system, Operation: "list_hosts"},
		{System: system, Operation: "start_deployment"},
		{System: system, Operation: "get_deployment"},
		{System: system, Operation: "cancel_deployment"},
		{System: system, Operation: "health"},
		{System: system, Operation: "open_ticket"},
		{System: system, Operation: "set_host_state"},
	},
	Actions: []pdk.Actor{
		pdk.Action[ListHostsIn, ListHostsOut]{
			ID: "list_hosts", Title: pdk.Text{En: "List hosts"}, Icon: "server",
			Execute: listHosts,
		},
		pdk.Action[DeployIn, DeployOut]{
			ID: "deploy_service", Title: pdk.Text{En: "Deploy a service"}, Icon: "rocket",
			Waits:   []contract.WaitKind{contract.WaitPoll},
			Execute: deploy, Resume: followDeployment, Cancel: cancelDeployment, Options: deployOptions,
		},
		pdk.Action[HealthIn, HealthOut]{
			ID: "check_health", Title: pdk.Text{En: "Check health"}, Icon: "heart",
			Waits:   []contract.WaitKind{contract.WaitPoll},
			Execute: checkHealth, Resume: checkHealthAgain,
		},
		pdk.Action[TicketIn, TicketOut]{
			ID: "open_ticket", Title: pdk.Text{En: "Open a ticket"}, Icon: "ticket",
			Defaults: TicketIn{Severity: "medium"},
			Execute:  openTicket,
		},
		pdk.Action[DrainIn, DrainOut]{
			ID: "drain_host", Title: pdk.Text{En: "Drain a host"}, Icon: "server-off",
			Defaults: DrainIn{State: "drained"},
			Execute:  drain, Rollback: undrain,
		},
	},
})

func main() { plugin.Main() }
