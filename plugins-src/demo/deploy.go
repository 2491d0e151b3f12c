package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/culmhq/culm/pdk"
)

// DeployIn rolls a version of a service out to hosts, and waits until that has ended.
type DeployIn struct {
	// The service.
	Service string `json:"service" jsonschema:"minLength=1,maxLength=64" x:"source=services"`
	// The version to roll out.
	Version string `json:"version" jsonschema:"minLength=1,maxLength=64" ui:"placeholder=1.4.2"`
	// The hosts to roll out to.
	Hosts []string `json:"hosts" jsonschema:"minItems=1,maxItems=500" x:"source=hosts;depends=service" ui:"widget=transfer"`
}

// DeployOut is how the deployment ended.
type DeployOut struct {
	// The id of the deployment.
	DeploymentID string `json:"deployment_id" title:"Deployment"`
	// How it ended.
	State string `json:"state"`
	// What the platform says about it.
	Message string `json:"message"`
}

// deployment is how the platform writes a deployment.
type deployment struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Percent int    `json:"percent"`
	Message string `json:"message"`
}

// pollEvery is how often a deployment is looked at.
const pollEvery = time.Second

func deploy(c *pdk.Ctx, in DeployIn) (DeployOut, error) {
	var d deployment
	if err := c.Gateway(system, "start_deployment", nil, in, &d); err != nil {
		return DeployOut{}, err
	}
	c.Info("deployment %s of %s %s to %d hosts", d.ID, in.Service, in.Version, len(in.Hosts))
	return judge(c, d)
}

func followDeployment(c *pdk.Ctx, _ DeployIn) (DeployOut, error) {
	var id string
	if err := c.State(&id); err != nil {
		return DeployOut{}, err
	}
	var d deployment
	if err := c.Gateway(system, "get_deployment", pdk.Params{"id": id}, nil, &d); err != nil {
		return DeployOut{DeploymentID: id}, err
	}
	return judge(c, d)
}

// cancelDeployment stops the deployment that the action waits for: its run was revoked.
// The platform drops what it has not begun; hosts that are done stay done.
func cancelDeployment(c *pdk.Ctx, _ DeployIn) error {
	var id string
	if err := c.State(&id); err != nil || id == "" {
		return err
	}
	return c.Gateway(system, "cancel_deployment", pdk.Params{"id": id}, nil, nil)
}

// judge turns the state of a deployment into the answer of the action.
func judge(c *pdk.Ctx, d deployment) (DeployOut, error) {
	c.Progress(d.Percent, "%s", d.Message)
	out := DeployOut{DeploymentID: d.ID, State: d.State, Message: d.Message}
	switch d.State {
	case "running":
		return out, pdk.Poll(pollEvery, d.ID)
	case "succeeded":
		return out, nil
	case "failed":
		return out, pdk.Retryable("DEPLOYMENT_FAILED", "deployment %s failed at %d %%: %s", d.ID, d.Percent, d.Message)
	case "cancelled":
		return out, pdk.Fail("DEPLOYMENT_CANCELLED", "deployment %s was cancelled at %d %%", d.ID, d.Percent)
	default:
		return out, pdk.Fail(pdk.CodeAnswer, "deployment %s is in the unknown state %q", d.ID, d.State)
	}
}

// deployOptions offers the services that there are, and the hosts of the one that the
// form names.
func deployOptions(c *pdk.Ctx, source string, form DeployIn) ([]pdk.Choice, error) {
	switch {
	case source == "services":
		return services(c)
	case source != "hosts":
		return nil, pdk.InvalidInput(source, "has no choices")
	case form.Service == "":
		return nil, nil
	}
	hosts, err := hostsOf(c, form.Service)
	if err != nil {
		return nil, err
	}
	var choices []pdk.Choice
	for _, h := range hosts {
		value, err := json.Marshal(h.Name)
		if err != nil {
			return nil, err
		}
		choices = append(choices, pdk.Choice{
			Value: value, Label: fmt.Sprintf("%s (%s, %s)", h.Name, h.IP, h.Version), Disabled: h.State != "in",
		})
	}
	return choices, nil
}

// services lists the services by name, with how many hosts run them.
func services(c *pdk.Ctx) ([]pdk.Choice, error) {
	hosts, err := hostsOf(c, "")
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, h := range hosts {
		count[h.Service]++
	}
	var choices []pdk.Choice
	for _, name := range slices.Sorted(maps.Keys(count)) {
		value, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		choices = append(choices, pdk.Choice{Value: value, Label: fmt.Sprintf("%s (%d)", name, count[name])})
	}
	return choices, nil
}
