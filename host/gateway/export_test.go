package gateway

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/culmhq/culm/host/systems"
)

// Turns is a turnstile, for its own tests.
type Turns struct{ t *turnstile }

// NewTurns makes one.
func NewTurns(places int, perSecond float64, burst int) Turns {
	return Turns{newTurnstile(places, perSecond, burst)}
}

// Enter waits for a turn.
func (t Turns) Enter(ctx context.Context, party string, most time.Duration) error {
	return t.t.enter(ctx, party, most)
}

// Leave gives it back.
func (t Turns) Leave() { t.t.leave() }

// Counts tells how many are inside and how many wait.
func (t Turns) Counts() (inside, waiting int) { return t.t.counts() }

// Pauses are those before the first n repetitions of a call to a system with limits (YAML).
func Pauses(limits string, n int, jitter func(time.Duration) time.Duration) []time.Duration {
	doc, err := systems.Parse([]byte(`{format: culm.system/v1, id: s, title: S, base_url: "https://s.example", limits: ` + limits +
		`, operations: [{id: o, title: O, method: GET, path: /o, retry: safe, risk: read}]}`))
	if err != nil {
		panic(err)
	}
	compiled, err := systems.Compile(doc)
	if err != nil {
		panic(err)
	}
	out := make([]time.Duration, n)
	for i := range out {
		c := call{system: compiled}
		out[i] = c.pause(i+1, jitter)
	}
	return out
}

// FullJitter is the randomness of pauses.
func FullJitter(bound time.Duration) time.Duration { return fullJitter(bound) }

// Resolve makes a gateway ask a name server of the test's. The policy is asked as ever.
func Resolve(g *Gateway, policy *AddressPolicy, names *net.Resolver) {
	g.transport.line.dial = guardedDial(policy, names)
}

// Line is a line, for tests of its own.
type Line struct{ l *line }

// NewLine makes one that dials in a way of the test's.
func NewLine(dial func(ctx context.Context, network, address string) (net.Conn, error), roots *x509.CertPool) Line {
	return Line{&line{dial: dial, tls: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
}

// Do makes an exchange; repeats allows to send the request again when a kept connection broke.
func (l Line) Do(ctx context.Context, req *http.Request, repeats bool) (*http.Response, error) {
	return l.l.do(ctx, req, &exchange{repeats: repeats, unzips: req.Header.Get("Accept-Encoding") == "gzip"})
}

// Idle tells how many connections are kept.
func (l Line) Idle() int {
	l.l.idle.mu.Lock()
	defer l.l.idle.mu.Unlock()
	return l.l.idle.n
}

// IdleTimeout is how long they are, MaxIdle how many to one place.
const (
	IdleTimeout = idleTimeout
	MaxIdle     = maxIdlePerSystem
)

// Keep gives n connections to the pool, as if they had been used.
func (l Line) Keep(n int, one func() net.Conn) {
	for range n {
		raw := one()
		c := &conn{Conn: raw, raw: raw, pool: &l.l.idle, place: place{"http", "a"}, socket: noSocket{}}
		if !l.l.idle.put(c) {
			_ = raw.Close()
		}
	}
}

// Close drops what is idle.
func (l Line) Close() { l.l.idle.closeAll() }

type noSocket struct{ syscall.RawConn }
