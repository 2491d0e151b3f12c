package gateway

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// DefaultCallsPerSession is how many calls one plugin call may make.
const DefaultCallsPerSession = 64

// Config is what a gateway is made from; every field without a stated default is
// required.
type Config struct {
	Systems Systems
	// Directory finds the operation of a request that comes as a URL; nil denies those.
	Directory   Directory
	Grants      Grants
	Credentials Credentials
	Secrets     Secrets
	Journal     Journal
	Audit       Audit
	// Callbacks issues tokens for callbacks; nil leaves them out.
	Callbacks Callbacks
	// Addresses is the policy that every connection is checked against.
	Addresses *AddressPolicy
	// Traffic holds the limits of what is under way; gateways that share it share them. Nil
	// makes one of this gateway's own.
	Traffic *Traffic
	// Trust holds the certificates that TLS connections are verified with; nil means
	// those of the machine.
	Trust *Trust
	// Tracing names calls for systems that take a traceparent; nil sends none.
	Tracing Tracing
	// Recorder is told of every call; nil is nobody.
	Recorder Recorder
	Clock    Clock
	// Logger gets faults of the gateway itself; never a request, an answer or a
	// value.
	Logger *slog.Logger
	// CallsPerSession bounds the calls of one plugin call; zero means
	// DefaultCallsPerSession.
	CallsPerSession int
}

// Gateway makes calls to outside systems. It is safe for concurrent use.
type Gateway struct {
	calls     int
	handle    handler
	journal   Journal
	log       *slog.Logger
	transport *transport
	// audit, clock and credentials are for tests of a connection, which do not take the chain.
	audit       Audit
	clock       Clock
	credentials *credentials
}

// call is one call on its way through the chain. It belongs to one goroutine.
type call struct {
	session *session
	caller  Caller
	req     contract.GatewayRequest
	// system, op and request are set by admit.
	system  *systems.Compiled
	op      *systems.CompiledOperation
	request *request
	// held are the places in request that references hold free for secrets; wire is the
	// request with the secrets, for as long as it is sent.
	held held
	wire *request
	// echoed is set when a secret was taken out of the answer.
	echoed bool
	// key is sent with a keyed operation; the journal sets it.
	key string
	// credential is set on the way to the transport and read by audit.
	credential *secrets.Credential
	// authorize puts the credential on a request that is complete otherwise; nil where there
	// is none.
	authorize func(r *http.Request, body []byte)
	// isKept says that it does so with a token from before the call.
	isKept bool
	// isFresh asks for a connection of its own; cause is then why there was no answer.
	isFresh bool
	cause   error
	// sent is set by the transport as soon as the system may have received
	// anything, and by the journal when it may have done so before.
	sent bool
	// lane and waited are set by limit: the way to the system, and how long the call waited
	// for its turn.
	lane   *lane
	waited time.Duration
	// tries counts how often the request was sent, and requestID goes out with each try; the
	// transport sets both.
	tries     int
	requestID string
	// traceparent goes out with each try, and names the span.
	traceparent, span string
	// retryAfter is the pause that the last answer asked for.
	retryAfter time.Duration
	// replayed is set by the journal when it answered.
	replayed bool
}

// handler does a call, or a part of it, and hands the rest on.
type handler func(ctx context.Context, c *call) contract.GatewayResponse

// New makes a gateway.
func New(cfg Config) *Gateway {
	g := &Gateway{calls: cfg.CallsPerSession, journal: cfg.Journal, log: cfg.Logger, transport: newTransport(cfg.Addresses, cfg.Trust, cfg.Clock)}
	if g.calls == 0 {
		g.calls = DefaultCallsPerSession
	}
	if cfg.Traffic == nil {
		cfg.Traffic = NewTraffic(0, cfg.Logger)
	}
	g.audit, g.clock = cfg.Audit, cfg.Clock
	g.credentials = &credentials{store: cfg.Credentials, tokens: newTokens(g.transport, cfg.Clock), signer: signer{cfg.Clock}, log: cfg.Logger}
	g.handle = chain(cfg, g.transport, g.credentials)
	return g
}

// chain is the way of a call, from the outside in. The order has reasons:
//
//   - record is outermost: what it tells is what the plugin sees.
//   - audit comes next: it sees every call, the refused ones too, as the plugin
//     sees its end.
//   - resolve comes then: a request that came as a URL becomes the call of a named
//     operation, and is one from there on.
//   - admit comes before anything is stored or reserved: grant, parameters, address.
//   - verdict comes outside the journal, which keeps the answer as it came: an answer that says
//     no is known, and is no call in doubt.
//   - journal comes before the limits: an answer from before a crash takes no place
//     and needs no credential, and an intent is stored before any wait.
//   - callback comes inside journal: the request that is remembered holds no token; and
//     outside retry: each try goes out with the same one.
//   - limit comes before the credential: the secret is in memory for as long as the
//     call needs it, not while it queues.
//   - breaker comes inside limit, where a call that waited sees what happened meanwhile,
//     and outside retry: what counts is whether the call did well in the end.
//   - tracing comes outside retry: the tries of a call are one span of its run's trace.
//   - retry comes before the credential, so that each try gets a fresh one; its place is
//     that of the whole call.
//   - credential and reveal are the last before the wire, and scrub what comes off it:
//     nothing further out, journal and audit included, ever sees a credential or what a
//     handle stands for.
func chain(cfg Config, t *transport, k *credentials) handler {
	return record(cfg.Recorder,
		audit(cfg.Audit, cfg.Clock, cfg.Logger,
			resolve(cfg.Directory, cfg.Grants, cfg.Logger,
				admit(cfg.Grants, cfg.Systems, cfg.Logger,
					verdict(
						journal(cfg.Journal, cfg.Clock, cfg.Logger,
							callback(cfg.Callbacks, cfg.Logger,
								limit(cfg.Traffic,
									breaker(cfg.Clock,
										tracing(cfg.Tracing,
											retry(fullJitter,
												credential(k,
													reveal(cfg.Secrets, cfg.Logger,
														t.send)))))))))))))
}

// Open opens the gateway for one plugin call.
func (g *Gateway) Open(c Caller) Session { return &session{gateway: g, caller: c} }

// Close drops the idle connections. Calls under way go on.
func (g *Gateway) Close() { g.transport.close() }
