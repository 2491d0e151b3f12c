package gateway

import (
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// DefaultProjectConcurrency is how many calls of one project are under way at once, those
// to all its systems together.
const DefaultProjectConcurrency = 256

// The window in which a breaker counts failures.
const (
	breakerWindow = 10 * time.Second
	breakerBucket = time.Second
)

// maxLanes is how many lanes are kept before those that nobody uses are dropped.
const maxLanes = 2048

// Traffic is what is under way to the systems of all projects: whoever makes calls shares
// it, so that limits hold for all of them together. It is safe for concurrent use.
type Traffic struct {
	log    *slog.Logger
	places int // places of a project

	mu       sync.Mutex
	lanes    map[laneKey]*lane
	projects map[string]*turnstile
}

type laneKey struct{ project, system string }

// lane is the way of one project's calls to one of its systems.
type lane struct {
	system  string
	limits  systems.Limits
	origin  string
	turns   *turnstile
	breaker *gobreaker.TwoStepCircuitBreaker[struct{}]

	mu sync.Mutex
	// until is when an open breaker tries again.
	until time.Time
	last  *LastFailure
}

// LastFailure is the last call that failed because of its system.
type LastFailure struct {
	At time.Time `json:"at"`
	// Code is that of the failure; empty for an answer that says so by its status.
	Code string `json:"code,omitempty"`
	// HTTPStatus is zero where there was no answer.
	HTTPStatus int `json:"http_status,omitempty"`
}

// State is what goes on between a project and one of its systems.
type State struct {
	// UnderWay are the calls that are being made, Waiting those that wait for their turn.
	UnderWay int `json:"under_way"`
	Waiting  int `json:"waiting"`
	// Limits are those that hold, defaults filled in.
	Limits  systems.Limits `json:"limits"`
	Breaker BreakerState   `json:"breaker"`
	// LastFailure is absent where none is known since the server started.
	LastFailure *LastFailure `json:"last_failure,omitempty"`
}

// BreakerPosition is the position of a breaker.
type BreakerPosition string

// The positions.
const (
	BreakerClosed   BreakerPosition = "closed"    // calls go out
	BreakerOpen     BreakerPosition = "open"      // calls are refused
	BreakerHalfOpen BreakerPosition = "half_open" // a few go out, to find out
)

// BreakerState is what a breaker knows.
type BreakerState struct {
	State BreakerPosition `json:"state"`
	// Calls and Failures are those of the last ten seconds, or since the breaker is where
	// it is.
	Calls    int `json:"calls"`
	Failures int `json:"failures"`
	// RetryAt is when an open breaker lets a call through again.
	RetryAt *time.Time `json:"retry_at,omitempty"`
}

// NewTraffic makes what gateways share. Zero for projectConcurrency means
// DefaultProjectConcurrency; the log is told when a breaker changes its position.
func NewTraffic(projectConcurrency int, log *slog.Logger) *Traffic {
	if projectConcurrency == 0 {
		projectConcurrency = DefaultProjectConcurrency
	}
	return &Traffic{log: log, places: projectConcurrency, lanes: map[laneKey]*lane{}, projects: map[string]*turnstile{}}
}

// State tells what goes on between a project and a system.
func (t *Traffic) State(project string, sys *systems.Compiled) State {
	return t.lane(project, sys).state()
}

// BreakerKey names a breaker: each project has its own for a system.
type BreakerKey struct{ Project, System string }

// Breakers tells the positions of all breakers of systems that were called since the server
// started, but for those that were closed and of no use for long.
func (t *Traffic) Breakers() map[BreakerKey]BreakerPosition {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make(map[BreakerKey]BreakerPosition, len(t.lanes))
	for key, l := range t.lanes {
		out[BreakerKey{key.project, key.system}] = position(l.breaker.State())
	}
	return out
}

// Reset closes the breaker of a system in a project and forgets its failures. Calls under
// way go on and count no more.
func (t *Traffic) Reset(project, system string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := laneKey{project, system}
	if old, ok := t.lanes[key]; ok {
		// Its turns stay: the calls under way are still under way.
		t.lanes[key] = t.newLane(old.system, old.origin, old.limits, old.turns)
	}
}

// lane returns the way to a system. Other limits or another address make a new one, with
// no failure on record; calls under way stay in the old one.
func (t *Traffic) lane(project string, sys *systems.Compiled) *lane {
	key, origin := laneKey{project, sys.System.ID}, sys.Origin
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lanes[key]
	if l != nil && l.limits == sys.Limits && l.origin == origin {
		return l
	}
	if l == nil && len(t.lanes) >= maxLanes {
		t.sweep()
	}
	l = t.newLane(sys.System.ID, origin, sys.Limits, newTurnstile(sys.Limits.Concurrency, sys.Limits.Rate, sys.Limits.Burst))
	t.lanes[key] = l
	return l
}

// project returns the places of a project.
func (t *Traffic) project(id string) *turnstile {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.projects[id]
	if p == nil {
		p = newTurnstile(t.places, 0, 0)
		t.projects[id] = p
	}
	return p
}

// sweep drops the lanes in which nothing is under way and nothing is wrong.
func (t *Traffic) sweep() {
	for key, l := range t.lanes {
		if inside, waiting := l.turns.counts(); inside+waiting == 0 && l.breaker.State() == gobreaker.StateClosed {
			delete(t.lanes, key)
		}
	}
	for id, p := range t.projects {
		if inside, waiting := p.counts(); inside+waiting == 0 {
			delete(t.projects, id)
		}
	}
}

func (t *Traffic) newLane(system, origin string, limits systems.Limits, turns *turnstile) *lane {
	l := &lane{system: system, limits: limits, origin: origin, turns: turns}
	open := time.Duration(limits.Breaker.OpenMS) * time.Millisecond
	l.breaker = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: uint32(limits.Breaker.HalfOpen), //nolint:gosec // bounded by the document
		Interval:    breakerWindow, BucketPeriod: breakerBucket, Timeout: open,
		ReadyToTrip: func(c gobreaker.Counts) bool {
			return int(c.TotalFailures) >= limits.Breaker.Failures && c.TotalFailures*2 >= c.Requests-c.TotalExclusions
		},
		IsExcluded: func(err error) bool { return err == errNoVerdict }, //nolint:errorlint // it is never wrapped
		OnStateChange: func(_ string, from, to gobreaker.State) {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.until = (time.Time{}); to == gobreaker.StateOpen {
				l.until = time.Now().Add(open).UTC()
			}
			t.log.Warn("gateway: the breaker of a system changed", slog.String("system", system),
				slog.String("from", string(position(from))), slog.String("to", string(position(to))))
		},
	})
	return l
}

func position(s gobreaker.State) BreakerPosition {
	switch s {
	case gobreaker.StateOpen:
		return BreakerOpen
	case gobreaker.StateHalfOpen:
		return BreakerHalfOpen
	case gobreaker.StateClosed:
	}
	return BreakerClosed
}

func (l *lane) state() State {
	s := State{Limits: l.limits}
	s.UnderWay, s.Waiting = l.turns.counts()
	at := l.breaker.State() // first: it also forgets what is too old to count
	n := l.breaker.Counts()
	s.Breaker = BreakerState{State: position(at), Calls: int(n.Requests - n.TotalExclusions), Failures: int(n.TotalFailures)}
	l.mu.Lock()
	defer l.mu.Unlock()
	if at == gobreaker.StateOpen && !l.until.IsZero() {
		until := l.until
		s.Breaker.RetryAt = &until
	}
	if l.last != nil {
		last := *l.last
		s.LastFailure = &last
	}
	return s
}

// failed keeps what a call failed of.
func (l *lane) failed(res contract.GatewayResponse, at time.Time) {
	last := &LastFailure{At: at.UTC(), HTTPStatus: res.Status}
	if f := res.Failure; f != nil {
		last.Code, last.HTTPStatus = f.Code, f.HTTPStatus
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = last
}
