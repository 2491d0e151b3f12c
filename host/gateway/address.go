package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/culmhq/culm/host/systems"
)

// AddressPolicy decides which addresses the gateway may connect to. It is asked with
// the address of every connection, after the name was resolved, so that no answer of
// a name server gets around it. It is the server's configuration: nothing that the
// API can change widens it. Safe for concurrent use.
//
// Public addresses are allowed. Loopback, private and shared addresses are allowed
// only for a target that is named with host and port. Link-local addresses, the
// metadata services of clouds, multicast, unspecified and reserved addresses, and
// Culm's own listeners are always denied.
type AddressPolicy struct {
	allowed map[string]bool
	mu      sync.RWMutex
	own     []netip.AddrPort
}

// EgressError is a connection that the policy denies.
type EgressError struct {
	Address netip.AddrPort
	Reason  string
}

// Error names the address and the reason, for the log of the server.
func (e *EgressError) Error() string {
	return fmt.Sprintf("gateway: %s is denied: %s", e.Address, e.Reason)
}

// NewAddressPolicy makes a policy with the targets that are allowed although they are
// not public, each "host:port" or "[IPv6]:port" as the base URL of the system names
// it. An error names the target that cannot be read.
func NewAddressPolicy(targets []string) (*AddressPolicy, error) {
	p := &AddressPolicy{allowed: make(map[string]bool, len(targets))}
	for _, t := range targets {
		host, port, err := net.SplitHostPort(t)
		if err != nil {
			return nil, fmt.Errorf("gateway: allowed address %q: must be host:port", t)
		}
		bracketed := host
		if strings.Contains(host, ":") {
			bracketed = "[" + host + "]"
		}
		u, err := systems.ParseBaseURL("http://" + bracketed + ":" + port)
		if err != nil {
			return nil, fmt.Errorf("gateway: allowed address %q: %w", t, err)
		}
		if u.Hostname() != host || u.Port() != port || u.Path != "" {
			return nil, fmt.Errorf("gateway: allowed address %q: must be host:port", t)
		}
		p.allowed[key(host, port)] = true
	}
	return p, nil
}

// Deny adds one of Culm's own listeners, which is then out of reach whatever is
// allowed: on its address, and on every address of this machine where it listens on
// all of them.
func (p *AddressPolicy) Deny(listener netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.own = append(p.own, listener)
}

// Check returns an *EgressError unless a connection to addr is allowed. Host and port
// are what the system's base URL names; addr is what they were resolved to.
func (p *AddressPolicy) Check(host, port string, addr netip.AddrPort) error {
	ip := addr.Addr()
	if ip.Zone() != "" {
		return &EgressError{addr, "an address with a zone"}
	}
	ip = ip.Unmap()
	class, why := classify(ip)
	if class == never {
		return &EgressError{addr, why}
	}
	if p.isOwn(ip, addr.Port()) {
		return &EgressError{addr, "it is Culm's own"}
	}
	if class == public || p.allowed[key(host, port)] || p.allowed[key(ip.String(), strconv.Itoa(int(addr.Port())))] {
		return nil
	}
	return &EgressError{addr, why + ", and this target is not among the allowed ones"}
}

func (p *AddressPolicy) isOwn(ip netip.Addr, port uint16) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, o := range p.own {
		if o.Port() != port {
			continue
		}
		listens := o.Addr().Unmap()
		switch {
		case listens == ip, listens.IsLoopback() && ip.IsLoopback():
			return true
		case listens.IsUnspecified() && (ip.IsLoopback() || isLocal(ip)):
			return true
		}
	}
	return false
}

// isLocal reports whether ip is an address of this machine. When the machine does not
// tell, every address counts.
func isLocal(ip netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(addrs, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr().Unmap() == ip
	})
}

func key(host, port string) string {
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	return strings.ToLower(host) + " " + port
}

// class says what a policy may do with an address.
type class int

const (
	public class = iota // allowed
	inner               // allowed where it is named
	never               // denied
)

// block is a range of addresses with its class. The first that fits counts.
type block struct {
	prefix netip.Prefix
	class  class
	why    string
}

// blocks4 and blocks6 list what is not public, after the special-purpose registries of
// IANA (RFC 6890) and the clouds' own documentation of their metadata services.
func blocks4() []block {
	return []block{
		{netip.MustParsePrefix("100.100.100.200/32"), never, "a metadata service"},
		{netip.MustParsePrefix("168.63.129.16/32"), never, "a metadata service"},
		{netip.MustParsePrefix("169.254.0.0/16"), never, "link-local, where metadata services are"},
		{netip.MustParsePrefix("192.0.0.192/32"), never, "a metadata service"},
		{netip.MustParsePrefix("0.0.0.0/8"), never, "unspecified"},
		{netip.MustParsePrefix("224.0.0.0/4"), never, "multicast"},
		{netip.MustParsePrefix("240.0.0.0/4"), never, "reserved"},
		{netip.MustParsePrefix("127.0.0.0/8"), inner, "loopback"},
		{netip.MustParsePrefix("10.0.0.0/8"), inner, "private"},
		{netip.MustParsePrefix("172.16.0.0/12"), inner, "private"},
		{netip.MustParsePrefix("192.168.0.0/16"), inner, "private"},
		{netip.MustParsePrefix("100.64.0.0/10"), inner, "shared"},
		{netip.MustParsePrefix("192.0.0.0/24"), inner, "special"},
		{netip.MustParsePrefix("192.0.2.0/24"), inner, "for documentation"},
		{netip.MustParsePrefix("192.88.99.0/24"), never, "a relay"},
		{netip.MustParsePrefix("198.18.0.0/15"), inner, "for benchmarks"},
		{netip.MustParsePrefix("198.51.100.0/24"), inner, "for documentation"},
		{netip.MustParsePrefix("203.0.113.0/24"), inner, "for documentation"},
	}
}

func blocks6() []block {
	return []block{
		{netip.MustParsePrefix("::1/128"), inner, "loopback"},
		{netip.MustParsePrefix("fd00:ec2::/32"), never, "a metadata service"},
		{netip.MustParsePrefix("fd20:ce::254/128"), never, "a metadata service"},
		{netip.MustParsePrefix("fc00::/7"), inner, "private"},
		{netip.MustParsePrefix("2001:db8::/32"), inner, "for documentation"},
		{netip.MustParsePrefix("2001::/23"), never, "special"},
		{netip.MustParsePrefix("2000::/3"), public, ""},
		{netip.MustParsePrefix("::/0"), never, "not a global unicast address"},
	}
}

// embeds lists the IPv6 ranges that carry an IPv4 address, with the byte it starts
// at. The IPv4 address decides: anything but a public one in there is a disguise.
func embeds() map[netip.Prefix]int {
	return map[netip.Prefix]int{
		netip.MustParsePrefix("64:ff9b::/96"): 12, // NAT64
		netip.MustParsePrefix("2002::/16"):    2,  // 6to4
	}
}

// classify says what an unmapped address is.
func classify(ip netip.Addr) (class, string) {
	if !ip.IsValid() {
		return never, "not an address"
	}
	if ip.Is4() {
		for _, b := range blocks4() {
			if b.prefix.Contains(ip) {
				return b.class, b.why
			}
		}
		return public, ""
	}
	raw := ip.As16()
	for prefix, at := range embeds() {
		if prefix.Contains(ip) {
			if c, why := classify(netip.AddrFrom4([4]byte(raw[at : at+4]))); c != public {
				return never, "an IPv6 disguise of an address that is " + why
			}
			return public, ""
		}
	}
	for _, b := range blocks6() {
		if b.prefix.Contains(ip) {
			return b.class, b.why
		}
	}
	return never, "not a global unicast address"
}
