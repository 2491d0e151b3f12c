package pdk_test

import (
	"fmt"
	"time"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
)

// RestartIn restarts a job and waits until it runs again.
type RestartIn struct {
	// The name of the job.
	Job string `json:"job" jsonschema:"minLength=1" x:"source=jobs"`
	// How often it is looked at.
	Every pdk.Duration `json:"every,omitempty" ui:"advanced"`
}

// RestartOut is the job as it runs now.
type RestartOut struct {
	// The process id.
	PID int `json:"pid" title:"Process"`
}

// A whole plugin: an action that starts something, lets the node wait, and looks again.
// In a plugin of its own, the variable is one of package main, and main calls its Main.
func Example() {
	look := func(c *pdk.Ctx, in RestartIn) (RestartOut, error) {
		var job struct {
			State string
			PID   int
		}
		err := c.Gateway("jobs", "get", pdk.Params{"name": in.Job}, nil, &job)
		switch {
		case err != nil:
			return RestartOut{}, err
		case job.State == "starting":
			c.Progress(50, "%s is starting", in.Job)
			return RestartOut{}, pdk.Poll(time.Duration(in.Every), nil)
		case job.State != "running":
			return RestartOut{}, pdk.Retryable("NOT_RUNNING", "%s is %s", in.Job, job.State)
		}
		return RestartOut{PID: job.PID}, nil
	}
	plugin := pdk.Register(pdk.Plugin{
		ID: "jobs", Version: "1.0.0", Title: pdk.Text{En: "Jobs"},
		Needs: []pdk.Need{{System: "jobs", Operation: "get"}, {System: "jobs", Operation: "restart"}},
		Actions: []pdk.Actor{pdk.Action[RestartIn, RestartOut]{
			ID: "restart", Title: pdk.Text{En: "Restart a job"},
			Waits:    []contract.WaitKind{contract.WaitPoll},
			Defaults: RestartIn{Every: pdk.Duration(5 * time.Second)},
			Execute: func(c *pdk.Ctx, in RestartIn) (RestartOut, error) {
				if err := c.Gateway("jobs", "restart", pdk.Params{"name": in.Job}, nil, nil); err != nil {
					return RestartOut{}, err
				}
				return RestartOut{}, pdk.Poll(time.Duration(in.Every), nil)
			},
			Resume: look,
		}},
	})

	m, err := plugin.Manifest(".")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Actions[0].Doc.En)
	fmt.Println(string(m.Actions[0].Outputs))
	// Output:
	// Restarts a job and waits until it runs again.
	// {"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"pid":{"type":"integer","title":"Process","description":"The process id."}},"additionalProperties":false,"type":"object","required":["pid"]}
}
