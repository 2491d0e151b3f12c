package main

import (
	"strings"
	"time"

	"github.com/culmhq/culm/pdk"
)

// HealthIn fails unless a service is healthy.
type HealthIn struct {
	// The service.
	Service string `json:"service" jsonschema:"minLength=1,maxLength=64"`
	// How long to wait for it to become healthy; 0s looks once.
	Within pdk.Duration `json:"within,omitempty" title:"Wait at most"`
}

// HealthOut is the health of the service.
type HealthOut struct {
	// Whether all its hosts are healthy.
	Healthy bool `json:"healthy"`
	// The hosts that are not.
	Unhealthy []string `json:"unhealthy"`
	// How many hosts were looked at.
	Checked int `json:"checked"`
}

func checkHealth(c *pdk.Ctx, in HealthIn) (HealthOut, error) {
	return lookAt(c, in, c.Now().Add(time.Duration(in.Within)))
}

func checkHealthAgain(c *pdk.Ctx, in HealthIn) (HealthOut, error) {
	var until time.Time
	if err := c.State(&until); err != nil {
		return HealthOut{}, err
	}
	return lookAt(c, in, until)
}

func lookAt(c *pdk.Ctx, in HealthIn, until time.Time) (HealthOut, error) {
	var out HealthOut
	if err := c.Gateway(system, "health", pdk.Params{"service": in.Service}, nil, &out); err != nil {
		return HealthOut{}, err
	}
	if out.Healthy {
		return out, nil
	}
	if c.Now().Before(until) {
		c.Info("%s is not healthy yet: %s", in.Service, strings.Join(out.Unhealthy, ", "))
		return out, pdk.Poll(2*time.Second, until)
	}
	return out, pdk.Retryable("UNHEALTHY", "%s is not healthy: %s", in.Service, strings.Join(out.Unhealthy, ", "))
}
