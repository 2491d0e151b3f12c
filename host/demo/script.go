package demo

import (
	"fmt"
	"strings"
)

// The services that follow a script.
const (
	failingService = "payments"
	slowService    = "search"
	sickHost       = "ledger-02"
	badVersion     = "bad"
)

// firstHosts is the platform before anything happened.
func firstHosts() []*Host {
	var out []*Host
	for i, s := range []struct {
		service string
		hosts   int
		version string
	}{{"checkout", 6, "2.3.1"}, {failingService, 4, "5.0.0"}, {slowService, 4, "1.9.4"}, {"ledger", 3, "7.2.0"}} {
		for n := range s.hosts {
			out = append(out, &Host{
				Name: fmt.Sprintf("%s-%02d", s.service, n+1), IP: fmt.Sprintf("10.20.%d.%d", i+1, n+11),
				Service: s.service, State: "in", Version: s.version,
			})
		}
	}
	return out
}

// scriptedFailure reports whether the script makes this deployment fail.
func (p *Platform) scriptedFailure(service, version string) bool {
	if service != failingService {
		return false
	}
	p.attempts[service+" "+version]++
	return p.attempts[service+" "+version] == 1
}

// sick reports whether the script makes a host unhealthy.
func sick(h *Host) bool { return h.Name == sickHost || strings.Contains(h.Version, badVersion) }
