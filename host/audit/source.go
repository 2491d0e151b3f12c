package audit

import (
	"context"
	"net/netip"
	"strings"
	"unicode"
)

// agentBytesMax bounds what an entry keeps of a User-Agent.
const agentBytesMax = 160

// Source is where a request came from. It is personal data where people work from machines
// of their own, and is kept as long as its entry (docs/audit.md).
type Source struct {
	// Address is the IP address of the connection, without its port.
	Address string `json:"address,omitempty"`
	// Forwarded is the address that the program on the other end of the connection says it
	// acts for: the last one of X-Forwarded-For. It is proof of nothing where that program
	// is no proxy of one's own.
	Forwarded string `json:"forwarded,omitempty"`
	// Agent is what the client calls itself, cut to 160 bytes.
	Agent string `json:"agent,omitempty"`
}

// NewSource makes a Source of the address of a connection and of two headers. What is no
// address is left out, so that an entry never holds a text of somebody's choice in its
// place; of the agent only printable characters are kept.
func NewSource(address, forwarded, agent string) *Source {
	last := forwarded[strings.LastIndex(forwarded, ",")+1:]
	return &Source{Address: ip(address), Forwarded: ip(strings.TrimSpace(last)), Agent: printable(agent)}
}

// ip writes an address, with or without a port, in the one way that it is written.
func ip(s string) string {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap().WithZone("").String()
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	if len(s) > agentBytesMax {
		s = strings.ToValidUTF8(s[:agentBytesMax], "")
	}
	return s
}

// sourceKey is the key of a context's Source.
type sourceKey struct{}

// WithSource returns a context for a request that came from there.
func WithSource(ctx context.Context, s *Source) context.Context {
	return context.WithValue(ctx, sourceKey{}, s)
}

// SourceOf returns where the request came from, nil where there was none.
func SourceOf(ctx context.Context) *Source {
	s, _ := ctx.Value(sourceKey{}).(*Source)
	return s
}
