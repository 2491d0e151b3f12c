package gateway

import (
	"context"
	"net"
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
	g.transport.http.DialContext = guardedDial(policy, names)
}
