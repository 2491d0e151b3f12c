package gateway

import "log/slog"

// Config is what a gateway is made from; every field without a stated default is
// required.
type Config struct {
	Systems     Systems
	Grants      Grants
	Credentials Credentials
	Journal     Journal
	Audit       Audit
	// Addresses is the policy that every connection is checked against. The zero
	// value allows public addresses only.
	Addresses *AddressPolicy
	Clock     Clock
	// Logger gets faults of the gateway itself; never a request, an answer or a
	// value.
	Logger *slog.Logger
	// CallsPerSession bounds the calls of one plugin call; zero means
	// DefaultCallsPerSession.
	CallsPerSession int
}

// DefaultCallsPerSession is how many calls one plugin call may make.
const DefaultCallsPerSession = 64
