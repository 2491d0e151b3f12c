package main

import "github.com/culmhq/culm/pdk"

// ListHostsIn lists the hosts of a service, or all hosts.
type ListHostsIn struct {
	// The service; empty is every service.
	Service string `json:"service,omitempty" jsonschema:"maxLength=64"`
	// Only hosts in this state.
	State string `json:"state,omitempty" choices:"in:In service|drained:Drained"`
}

// ListHostsOut holds the hosts.
type ListHostsOut struct {
	// How many there are.
	Count int `json:"count"`
	// Their names.
	Names []string `json:"names"`
	// Their addresses, in the same order.
	IPs []string `json:"ips" title:"IP addresses"`
	// The hosts.
	Hosts []Host `json:"hosts"`
}

// Host is a machine that runs one service.
type Host struct {
	// The name of the host.
	Name string `json:"name"`
	// The address of the host.
	IP string `json:"ip" title:"IP address"`
	// The service that it runs.
	Service string `json:"service"`
	// In service, or drained.
	State string `json:"state"`
	// The version of the service.
	Version string `json:"version"`
}

func listHosts(c *pdk.Ctx, in ListHostsIn) (ListHostsOut, error) {
	hosts, err := hostsOf(c, in.Service)
	if err != nil {
		return ListHostsOut{}, err
	}
	var out ListHostsOut
	for _, h := range hosts {
		if in.State != "" && h.State != in.State {
			continue
		}
		out.Count++
		out.Names = append(out.Names, h.Name)
		out.IPs = append(out.IPs, h.IP)
		out.Hosts = append(out.Hosts, h)
	}
	return out, nil
}

func hostsOf(c *pdk.Ctx, service string) ([]Host, error) {
	params := pdk.Params{}
	if service != "" {
		params["service"] = service
	}
	var reply struct {
		Hosts []Host `json:"hosts"`
	}
	err := c.Gateway(system, "list_hosts", params, nil, &reply)
	return reply.Hosts, err
}

// DrainIn takes a host out of service, or puts it back.
//
// Rolling it back restores the state from before.
type DrainIn struct {
	// The name of the host.
	Host string `json:"host" jsonschema:"minLength=1,maxLength=64"`
	// The state that the host shall have.
	State string `json:"state,omitempty" choices:"drained:Drained|in:In service"`
}

// DrainOut says what was done.
type DrainOut struct {
	// The name of the host.
	Host string `json:"host"`
	// The state that the host has now.
	State string `json:"state"`
	// The state that it had before.
	Before string `json:"before" title:"State before"`
}

func drain(c *pdk.Ctx, in DrainIn) (DrainOut, error) {
	hosts, err := hostsOf(c, "")
	if err != nil {
		return DrainOut{}, err
	}
	for _, h := range hosts {
		if h.Name == in.Host {
			out := DrainOut{Host: h.Name, State: in.State, Before: h.State}
			return out, setState(c, in.Host, in.State)
		}
	}
	return DrainOut{}, pdk.Fail("HOST_NOT_FOUND", "there is no host %s", in.Host)
}

func undrain(c *pdk.Ctx, _ DrainIn, out DrainOut) error { return setState(c, out.Host, out.Before) }

func setState(c *pdk.Ctx, host, state string) error {
	body := map[string]string{"state": state}
	return c.Gateway(system, "set_host_state", pdk.Params{"name": host}, body, nil)
}
