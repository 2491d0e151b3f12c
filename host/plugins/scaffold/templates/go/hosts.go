package main

import "github.com/culmhq/culm/pdk"

// CountIn counts the hosts of a service, and those in service.
type CountIn struct {
	// The service whose hosts are counted.
	Service string `json:"service" jsonschema:"minLength=1,maxLength=64"`
}

// CountOut holds the numbers.
type CountOut struct {
	// All hosts of the service.
	Hosts int `json:"hosts"`
	// Those that are not drained.
	InService int `json:"in_service"`
}

// countHosts asks a system, through the gateway: the only way out.
func countHosts(c *pdk.Ctx, in CountIn) (CountOut, error) {
	var reply struct {
		Hosts []struct {
			State string `json:"state"`
		} `json:"hosts"`
	}
	if err := c.Gateway("demo", "list_hosts", pdk.Params{"service": in.Service}, nil, &reply); err != nil {
		return CountOut{}, err
	}
	out := CountOut{Hosts: len(reply.Hosts)}
	for _, h := range reply.Hosts {
		if h.State == "in" {
			out.InService++
		}
	}
	if out.InService == 0 {
		return out, pdk.Retryable("NO_HOSTS", "no host of this service is in service")
	}
	return out, nil
}
