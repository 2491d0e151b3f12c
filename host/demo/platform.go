// Package demo holds what a first start shows: a small pretended operations platform
// that the program serves on loopback, flows that work on it at once, and the
// documents and grants that go with them. The same platform serves tests.
package demo

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// After sends the time on the channel once d has passed; stop releases it.
	After(d time.Duration) (c <-chan time.Time, stop func())
}

// PlatformOptions are what a platform is made from.
type PlatformOptions struct {
	// Token is the bearer token that every request must carry. Required.
	Token string
	Clock Clock
	// Latency is the time of a plain request; others take up to three times as long.
	// Zero answers at once.
	Latency time.Duration
	// DeployTime is how long an ordinary deployment takes; zero means it has ended
	// when it is first asked for.
	DeployTime time.Duration
}

// Platform is the pretended operations platform: hosts that run services, deployments
// that take their time, and tickets. It is an http.Handler, safe for concurrent use,
// and keeps its state in memory.
//
// Some names follow a script, so that a demonstration shows more than success:
//
//   - every first deployment of a version of "payments" fails at 60 per cent
//   - a deployment of "search" takes three times as long
//   - "ledger" has an unhealthy host, ledger-02, until it is drained
//   - a version that contains "bad" makes the hosts that run it unhealthy
//   - a request with the query parameter or a name "brownout" answers 503
type Platform struct {
	o   PlatformOptions
	mux *http.ServeMux

	mu          sync.Mutex
	hosts       []*Host
	deployments []*deployment
	attempts    map[string]int
	tickets     []Ticket
	byKey       map[string]int
	effects     []Effect
}

// Host is a machine that runs one service.
type Host struct {
	Name    string `json:"name"`
	IP      string `json:"ip"`
	Service string `json:"service"`
	// State is "in" (takes traffic) or "drained".
	State   string `json:"state"`
	Version string `json:"version"`
}

// Deployment is the rollout of a version to hosts.
type Deployment struct {
	ID      string   `json:"id"`
	Service string   `json:"service"`
	Version string   `json:"version"`
	Hosts   []string `json:"hosts"`
	// State is "running", "succeeded", "failed" or "cancelled".
	State   string `json:"state"`
	Percent int    `json:"percent"`
	Message string `json:"message"`
}

// Ticket is an entry of the ticket system.
type Ticket struct {
	ID       string `json:"id"`
	URL      string `json:"url"`
	Title    string `json:"title"`
	Severity string `json:"severity,omitempty"`
	Body     string `json:"body,omitempty"`
}

// Health is the health of a service: of its hosts that take traffic.
type Health struct {
	Service   string   `json:"service"`
	Healthy   bool     `json:"healthy"`
	Unhealthy []string `json:"unhealthy"`
	Checked   int      `json:"checked"`
}

// Effect is a change that the platform carried out: what a test counts.
type Effect struct{ Kind, Key, Subject string }

// deployment is a Deployment on its way. Its progress is a function of the time, so
// that no goroutine is needed.
type deployment struct {
	Deployment
	start time.Time
	takes time.Duration
	fails bool
}

// NewPlatform makes a platform in its first state.
func NewPlatform(o PlatformOptions) *Platform {
	p := &Platform{
		o: o, mux: http.NewServeMux(), hosts: firstHosts(),
		attempts: map[string]int{}, byKey: map[string]int{},
	}
	p.mux.HandleFunc("GET /hosts", p.listHosts)
	p.mux.HandleFunc("PUT /hosts/{name}/state", p.setHostState)
	p.mux.HandleFunc("POST /deployments", p.startDeployment)
	p.mux.HandleFunc("GET /deployments/{id}", p.getDeployment)
	p.mux.HandleFunc("POST /deployments/{id}/cancel", p.cancelDeployment)
	p.mux.HandleFunc("GET /services/{service}/health", p.health)
	p.mux.HandleFunc("POST /tickets", p.openTicket)
	return p
}

// ServeHTTP answers after the latency that a platform of this kind has.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	given := []byte(r.Header.Get("Authorization"))
	if p.o.Token == "" || subtle.ConstantTimeCompare(given, []byte("Bearer "+p.o.Token)) != 1 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="demo"`)
		refuse(w, http.StatusUnauthorized, "the token is missing or wrong")
		return
	}
	if !p.pause(r.Context(), r) {
		return
	}
	if strings.Contains(r.URL.Path, "brownout") || strings.Contains(r.URL.RawQuery, "brownout") {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "the platform is overloaded, try again")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	p.mux.ServeHTTP(w, r)
}

// Effects returns the changes carried out so far, in order.
func (p *Platform) Effects() []Effect {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Effect(nil), p.effects...)
}

// pause waits for the latency of a request; false means that the caller has gone.
func (p *Platform) pause(ctx context.Context, r *http.Request) bool {
	d := p.o.Latency
	if d <= 0 {
		return true
	}
	switch {
	case r.Method != http.MethodGet:
		d *= 3
	case strings.HasSuffix(r.URL.Path, "/health"):
		d *= 2
	}
	c, stop := p.o.Clock.After(d)
	defer stop()
	select {
	case <-c:
		return true
	case <-ctx.Done():
		return false
	}
}

func (p *Platform) listHosts(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	service := r.URL.Query().Get("service")
	hosts := []Host{}
	for _, h := range p.hosts {
		if service == "" || h.Service == service {
			hosts = append(hosts, *h)
		}
	}
	answer(w, http.StatusOK, map[string]any{"hosts": hosts})
}

func (p *Platform) setHostState(w http.ResponseWriter, r *http.Request) {
	var in struct {
		State string `json:"state"`
	}
	if !read(w, r, &in) {
		return
	}
	if in.State != "in" && in.State != "drained" {
		refuse(w, http.StatusUnprocessableEntity, `state must be "in" or "drained"`)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	h := p.host(r.PathValue("name"))
	if h == nil {
		refuse(w, http.StatusNotFound, "no such host")
		return
	}
	if h.State != in.State {
		h.State = in.State
		p.effect("host."+in.State, r, h.Name)
	}
	answer(w, http.StatusOK, *h)
}

func (p *Platform) startDeployment(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Service string   `json:"service"`
		Version string   `json:"version"`
		Hosts   []string `json:"hosts"`
	}
	if !read(w, r, &in) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	if in.Version == "" || len(in.Hosts) == 0 {
		refuse(w, http.StatusUnprocessableEntity, "version and hosts must be given")
		return
	}
	for _, name := range in.Hosts {
		if h := p.host(name); h == nil || h.Service != in.Service {
			refuse(w, http.StatusUnprocessableEntity, fmt.Sprintf("%s is not a host of %s", name, in.Service))
			return
		}
	}
	d := &deployment{Deployment: Deployment{
		ID: fmt.Sprintf("dep-%04d", len(p.deployments)+1), Service: in.Service, Version: in.Version, Hosts: in.Hosts,
	}, start: p.o.Clock.Now(), takes: p.o.DeployTime}
	d.fails = p.scriptedFailure(in.Service, in.Version)
	if in.Service == slowService {
		d.takes *= 3
	}
	p.deployments = append(p.deployments, d)
	p.effect("deployment", r, in.Service+" "+in.Version)
	p.progress(d)
	answer(w, http.StatusCreated, d.Deployment)
}

func (p *Platform) getDeployment(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	for _, d := range p.deployments {
		if d.ID == r.PathValue("id") {
			answer(w, http.StatusOK, d.Deployment)
			return
		}
	}
	refuse(w, http.StatusNotFound, "no such deployment")
}

// cancelDeployment stops a deployment that is under way; one that has ended stays as it
// is.
func (p *Platform) cancelDeployment(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	for _, d := range p.deployments {
		if d.ID != r.PathValue("id") {
			continue
		}
		if d.State == "running" {
			d.State, d.Message = "cancelled", "cancelled by the operator"
			p.effect("deployment.cancelled", r, d.ID)
		}
		answer(w, http.StatusOK, d.Deployment)
		return
	}
	refuse(w, http.StatusNotFound, "no such deployment")
}

func (p *Platform) health(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle()
	h := Health{Service: r.PathValue("service"), Unhealthy: []string{}}
	known := false
	for _, host := range p.hosts {
		if host.Service != h.Service {
			continue
		}
		known = true
		if host.State != "in" {
			continue
		}
		h.Checked++
		if sick(host) {
			h.Unhealthy = append(h.Unhealthy, host.Name)
		}
	}
	if !known {
		refuse(w, http.StatusNotFound, "no such service")
		return
	}
	h.Healthy = len(h.Unhealthy) == 0
	answer(w, http.StatusOK, h)
}

func (p *Platform) openTicket(w http.ResponseWriter, r *http.Request) {
	var in Ticket
	if !read(w, r, &in) {
		return
	}
	if strings.TrimSpace(in.Title) == "" {
		refuse(w, http.StatusUnprocessableEntity, "title must be given")
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	if i, ok := p.byKey[key]; ok && key != "" {
		answer(w, http.StatusOK, p.tickets[i])
		return
	}
	in.ID = fmt.Sprintf("OPS-%d", 1001+len(p.tickets))
	in.URL = "https://tickets.example/" + in.ID
	p.byKey[key] = len(p.tickets)
	p.tickets = append(p.tickets, in)
	p.effect("ticket", r, in.Title)
	answer(w, http.StatusCreated, in)
}

// settle brings every deployment to the present.
func (p *Platform) settle() {
	for _, d := range p.deployments {
		if d.State == "running" {
			p.progress(d)
		}
	}
}

// progress sets state and percentage from the time that has passed.
func (p *Platform) progress(d *deployment) {
	percent := 100
	if passed := p.o.Clock.Now().Sub(d.start); d.takes > 0 && passed < d.takes {
		percent = int(100 * passed / d.takes)
	}
	const failsAt = 60
	switch {
	case d.fails && percent >= failsAt:
		d.State, d.Percent = "failed", failsAt
		d.Message = fmt.Sprintf("%s: the image %s:%s could not be pulled in time", d.Hosts[len(d.Hosts)-1], d.Service, d.Version)
	case percent >= 100:
		d.State, d.Percent, d.Message = "succeeded", 100, fmt.Sprintf("%s is on %d hosts", d.Version, len(d.Hosts))
		for _, name := range d.Hosts {
			p.host(name).Version = d.Version
		}
	default:
		done := percent * len(d.Hosts) / 100
		d.State, d.Percent, d.Message = "running", percent, fmt.Sprintf("%d of %d hosts", done, len(d.Hosts))
	}
}

func (p *Platform) host(name string) *Host {
	for _, h := range p.hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

func (p *Platform) effect(kind string, r *http.Request, subject string) {
	p.effects = append(p.effects, Effect{kind, r.Header.Get("Idempotency-Key"), subject})
}

func read(w http.ResponseWriter, r *http.Request, v any) bool {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		refuse(w, http.StatusBadRequest, "the body cannot be read")
		return false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		refuse(w, http.StatusBadRequest, "the body holds more than one value")
		return false
	}
	return true
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a caller who has gone needs no answer
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]any{"error": map[string]string{"message": message}})
}
