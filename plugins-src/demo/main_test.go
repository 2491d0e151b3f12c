package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

const hosts = `{"hosts":[
	{"name":"web-1","ip":"10.0.0.1","service":"web","state":"in","version":"1.0"},
	{"name":"web-2","ip":"10.0.0.2","service":"web","state":"drained","version":"1.0"}]}`

func TestListHosts(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "list_hosts", 200, hosts)
	out := pdktest.Succeeded[ListHostsOut](t, b.Execute("list_hosts", ListHostsIn{Service: "web", State: "in"}))
	if out.Count != 1 || !slices.Equal(out.Names, []string{"web-1"}) || !slices.Equal(out.IPs, []string{"10.0.0.1"}) {
		t.Fatalf("outputs %+v", out)
	}
	if got := string(b.Calls()[0].Params["service"]); got != `"web"` {
		t.Fatalf("service %s", got)
	}
	b.Reply("demo", "list_hosts", 200, `{"hosts":[]}`)
	if ans := b.Execute("list_hosts", nil); !strings.Contains(string(ans.Outputs), `"names":[]`) {
		t.Fatalf("outputs %s", ans.Outputs)
	}
}

func TestDeployPollsUntilItHasEnded(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "start_deployment", 201, `{"id":"dep-1","state":"running","percent":0,"message":"queued"}`)
	b.Reply("demo", "get_deployment", 200, `{"id":"dep-1","state":"running","percent":50,"message":"web-1 of 2"}`)
	b.Reply("demo", "get_deployment", 200, `{"id":"dep-1","state":"succeeded","percent":100,"message":"done"}`)
	w := pdktest.Waiting(t, b.Execute("deploy_service", DeployIn{Service: "web", Version: "2.0", Hosts: []string{"web-1"}}), contract.WaitPoll)
	if w.AfterMS != 1000 {
		t.Fatalf("polls after %d ms", w.AfterMS)
	}
	pdktest.Waiting(t, b.Poll(), contract.WaitPoll)
	if percent, message := b.Percent(); percent != 50 || message != "web-1 of 2" {
		t.Fatalf("progress %d %q", percent, message)
	}
	out := pdktest.Succeeded[DeployOut](t, b.Poll())
	if out.DeploymentID != "dep-1" || out.State != "succeeded" {
		t.Fatalf("outputs %+v", out)
	}
	calls := b.Calls()
	if got := string(calls[0].Body); got != `{"service":"web","version":"2.0","hosts":["web-1"]}` {
		t.Errorf("body %s", got)
	}
	if len(calls) != 3 || string(calls[2].Params["id"]) != `"dep-1"` {
		t.Errorf("calls %+v", calls)
	}
}

func TestDeployThatFailsSaysWhatThePlatformSays(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "start_deployment", 201, `{"id":"dep-1","state":"failed","percent":60,"message":"web-1 does not answer"}`)
	ans := b.Execute("deploy_service", DeployIn{Service: "web", Version: "2.0", Hosts: []string{"web-1"}})
	f := pdktest.Failed(t, ans, "DEPLOYMENT_FAILED")
	if !f.Retryable || !strings.Contains(f.Message, "web-1 does not answer") {
		t.Fatalf("failure %+v", f)
	}
	if out := pdktest.Outputs[DeployOut](t, ans); out.DeploymentID != "dep-1" {
		t.Fatalf("outputs %s: a failure keeps them", ans.Outputs)
	}
	b.Reply("demo", "start_deployment", 201, `{"id":"dep-1","state":"lost"}`)
	pdktest.Failed(t, b.Execute("deploy_service", DeployIn{Service: "web", Version: "2.0", Hosts: []string{"web-1"}}), pdk.CodeAnswer)
}

func TestARevokedDeploymentIsCancelled(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "start_deployment", 201, `{"id":"dep-1","state":"running","percent":0,"message":"queued"}`)
	b.Execute("deploy_service", DeployIn{Service: "web", Version: "2.0", Hosts: []string{"web-1"}})
	b.Reply("demo", "cancel_deployment", 200, `{"id":"dep-1","state":"cancelled","percent":0,"message":"cancelled"}`)
	if ans := b.Cancel(); ans.Status != contract.StatusSucceeded {
		t.Errorf("answer %+v", ans)
	}
}

func TestDeployOffersTheHostsOfTheService(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "list_hosts", 200, hosts)
	ans := b.Options("deploy_service", "hosts", json.RawMessage(`{"service":"web","version":"${version}","hosts":"${hosts}"}`))
	out := pdktest.Outputs[struct{ Choices []pdk.Choice }](t, ans)
	if len(out.Choices) != 2 || string(out.Choices[0].Value) != `"web-1"` || out.Choices[0].Disabled || !out.Choices[1].Disabled {
		t.Fatalf("choices %s", ans.Outputs)
	}
	if ans := b.Options("deploy_service", "hosts", json.RawMessage(`{}`)); string(ans.Outputs) != `{"choices":[]}` {
		t.Fatalf("without a service: %s", ans.Outputs)
	}
	pdktest.Failed(t, b.Options("deploy_service", "version", nil), pdk.CodeInput)
	b.Reply("demo", "list_hosts", 200, hosts)
	ans = b.Options("deploy_service", "services", nil)
	if want := `{"choices":[{"value":"web","label":"web (2)"}]}`; string(ans.Outputs) != want {
		t.Errorf("services %s, want %s", ans.Outputs, want)
	}
}

func TestCheckHealthWaitsAtMostThatLong(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	const sick = `{"service":"web","healthy":false,"unhealthy":["web-1"],"checked":2}`
	for range 3 {
		b.Reply("demo", "health", 200, sick)
	}
	pdktest.Waiting(t, b.Execute("check_health", HealthIn{Service: "web", Within: pdk.Duration(3 * time.Second)}), contract.WaitPoll)
	b.Now = b.Now.Add(2 * time.Second)
	pdktest.Waiting(t, b.Poll(), contract.WaitPoll)
	b.Now = b.Now.Add(2 * time.Second)
	ans := b.Poll()
	pdktest.Failed(t, ans, "UNHEALTHY")
	if out := pdktest.Outputs[HealthOut](t, ans); !slices.Equal(out.Unhealthy, []string{"web-1"}) {
		t.Fatalf("outputs %s", ans.Outputs)
	}
	b.Reply("demo", "health", 200, sick)
	pdktest.Failed(t, b.Execute("check_health", HealthIn{Service: "web"}), "UNHEALTHY")
	b.Reply("demo", "health", 200, `{"service":"web","healthy":true,"unhealthy":[],"checked":2}`)
	pdktest.Succeeded[HealthOut](t, b.Execute("check_health", HealthIn{Service: "web"}))
}

func TestOpenTicket(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "open_ticket", 201, `{"id":"T-1","url":"http://demo/tickets/T-1","title":"x","severity":"medium"}`)
	out := pdktest.Succeeded[TicketOut](t, b.Execute("open_ticket", json.RawMessage(`{"title":"x"}`)))
	if out.ID != "T-1" || string(b.Calls()[0].Body) != `{"title":"x","severity":"medium"}` {
		t.Fatalf("outputs %+v, body %s", out, b.Calls()[0].Body)
	}
}

func TestDrainRemembersTheStateBefore(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "list_hosts", 200, hosts)
	b.Reply("demo", "set_host_state", 200, `{}`)
	ans := b.Execute("drain_host", json.RawMessage(`{"host":"web-1"}`))
	if out := pdktest.Succeeded[DrainOut](t, ans); out != (DrainOut{Host: "web-1", State: "drained", Before: "in"}) {
		t.Fatalf("outputs %+v", out)
	}
	b.Reply("demo", "set_host_state", 200, `{}`)
	pdktest.Succeeded[struct{}](t, b.Rollback(ans.Outputs))
	if got := string(b.Calls()[2].Body); got != `{"state":"in"}` {
		t.Fatalf("rollback %s", got)
	}
	b.Reply("demo", "list_hosts", 200, hosts)
	pdktest.Failed(t, b.Execute("drain_host", DrainIn{Host: "nope"}), "HOST_NOT_FOUND")
}

func TestBrownoutIsTheSystemsFaultAndRetryable(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("demo", "list_hosts", 503, `{"error":"the platform is overloaded, try again"}`)
	f := pdktest.Failed(t, b.Execute("list_hosts", ListHostsIn{Service: "brownout"}), pdk.CodeStatus)
	if f.Origin != contract.OriginSystem || !f.Retryable || f.HTTPStatus != 503 || !strings.Contains(f.Message, "overloaded") {
		t.Fatalf("failure %+v", f)
	}
}
