// Package presence tells the people who have the same flow open of each other: who is
// there, which node each of them is at, and that somebody saved or published. The protocol
// is in docs/api.md.
//
// Nothing of it is stored, and nothing depends on it: a draft is guarded by its revision.
// Every frame holds all there is to know, so a client that misses some has lost nothing;
// that is why a member has no queue, only the note that it has not seen the latest.
package presence

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Flows tells how far a flow is. An error says that there is no such flow, or that it
// cannot be told.
type Flows interface {
	Standing(ctx context.Context, project, flow string) (revision, version int, err error)
}

// Clock tells the time.
type Clock interface{ Now() time.Time }

// The limits of what is told.
const (
	// MembersMax bounds who is in a room; others are turned away.
	MembersMax = 64
	// NameMax and NodeMax bound what a member says of itself, in bytes.
	NameMax = 120
	NodeMax = 512
)

// Member is one open editor.
type Member struct {
	// ID names the editor as long as it is connected.
	ID string `json:"id"`
	// Actor is who it acts as. Name is what the person wants to be called, empty for none,
	// and Number tells those without a name apart: the smallest from 1 that is free.
	Actor  string    `json:"actor"`
	Name   string    `json:"name,omitempty"`
	Number int       `json:"number"`
	Since  time.Time `json:"since"`
	// Node is the node that is selected, and Editing says that its fields are being changed.
	Node    string `json:"node,omitempty"`
	Editing bool   `json:"editing,omitempty"`
	// Revision is the one that the editor's edits are based on.
	Revision int `json:"revision,omitempty"`
}

// said is what a member tells of itself; all of it each time.
type said struct {
	Name     string `json:"name"`
	Node     string `json:"node"`
	Editing  bool   `json:"editing"`
	Revision int    `json:"revision"`
}

func (s said) check() error {
	if len(s.Name) > NameMax || len(s.Node) > NodeMax || s.Revision < 0 {
		return fmt.Errorf("presence: more than a member may say")
	}
	return nil
}

// Room is what every member of a flow is told.
type Room struct {
	Type string `json:"type"`
	// You is the ID of the member that is told.
	You string `json:"you"`
	// Revision and Version are the draft's and the latest version's number.
	Revision int      `json:"revision"`
	Version  int      `json:"version"`
	Members  []Member `json:"members"`
}

type key struct{ project, flow string }

type room struct {
	revision, version int
	members           map[*member]Member
}

// Hub keeps the rooms. Make one with New. It is safe for concurrent use.
type Hub struct {
	opt Options

	mu     sync.Mutex
	flows  Flows
	rooms  map[key]*room
	last   int // number of the last member
	closed bool
	wg     sync.WaitGroup
}

// Options are the limits of a hub; a zero time takes the default.
type Options struct {
	Clock Clock
	// Window is the time whose changes share a frame; default 100 ms.
	Window time.Duration
	// Ping is the time between two pings; default 15 s. A member that does not answer for
	// three of them is gone.
	Ping time.Duration
	// WriteTimeout bounds the writing of one frame; default 10 s.
	WriteTimeout time.Duration
}

// New makes a hub. Follow must be called before Serve.
func New(o Options) *Hub {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.Window, 100*time.Millisecond)
	def(&o.Ping, 15*time.Second)
	def(&o.WriteTimeout, 10*time.Second)
	return &Hub{opt: o, rooms: map[key]*room{}}
}

// Follow says where the hub looks up flows.
func (h *Hub) Follow(f Flows) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flows = f
}

// Changed tells the members of a flow that its draft was saved, or a version published. It
// implements flows.Followers and waits for nobody.
func (h *Hub) Changed(project, flow string, revision, version int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[key{project, flow}]
	if r == nil {
		return
	}
	r.revision, r.version = max(r.revision, revision), max(r.version, version)
	r.tell()
}

// Members counts those who are connected, in all rooms.
func (h *Hub) Members() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, r := range h.rooms {
		n += len(r.members)
	}
	return n
}

// Close sends everybody away, lets nobody in any more, and waits until they are gone or ctx
// is done.
func (h *Hub) Close(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	for _, r := range h.rooms {
		for m := range r.members {
			m.cancel(errGoingAway)
		}
	}
	h.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		h.wg.Wait()
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter takes a member in. It says why it does not.
func (h *Hub) enter(m *member, revision, version int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return errGoingAway
	}
	r := h.rooms[m.key]
	if r == nil {
		r = &room{members: map[*member]Member{}}
		h.rooms[m.key] = r
	}
	if len(r.members) >= MembersMax {
		return errFull
	}
	h.last++
	r.revision, r.version = max(r.revision, revision), max(r.version, version)
	r.members[m] = Member{
		ID: fmt.Sprintf("m%d", h.last), Actor: m.actor, Number: r.free(), Since: h.opt.Clock.Now().UTC().Truncate(time.Second),
	}
	h.wg.Add(1)
	r.tell()
	return nil
}

func (h *Hub) leave(m *member) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[m.key]
	delete(r.members, m)
	if len(r.members) == 0 {
		delete(h.rooms, m.key)
	}
	r.tell()
	h.wg.Done()
}

// hear takes in what a member says of itself.
func (h *Hub) hear(m *member, s said) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[m.key]
	before := r.members[m]
	now := before
	now.Name, now.Node, now.Editing, now.Revision = s.Name, s.Node, s.Editing, s.Revision
	if now == before {
		return
	}
	r.members[m] = now
	r.tell()
}

// look returns what a member is told, those who were there first, first.
func (h *Hub) look(m *member) Room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[m.key]
	out := Room{Type: "room", You: r.members[m].ID, Revision: r.revision, Version: r.version, Members: make([]Member, 0, len(r.members))}
	for _, other := range r.members {
		out.Members = append(out.Members, other)
	}
	slices.SortFunc(out.Members, func(a, b Member) int { return a.Number - b.Number })
	return out
}

// tell notes that no member has seen the latest.
func (r *room) tell() {
	for m := range r.members {
		select {
		case m.wake <- struct{}{}:
		default:
		}
	}
}

// free returns the smallest number that no member has.
func (r *room) free() int {
	for n := 1; ; n++ {
		if !slices.ContainsFunc(members(r), func(m Member) bool { return m.Number == n }) {
			return n
		}
	}
}

func members(r *room) []Member {
	out := make([]Member, 0, len(r.members))
	for _, m := range r.members {
		out = append(out, m)
	}
	return out
}
