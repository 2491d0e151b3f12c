package live

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// CloseFull is the code with which a feed turns a client away, besides those of the hub.
const CloseFull = 4429

// The reasons why a reader is closed that a client of a run cannot have; constant.
var (
	errNoProject = &closeError{CloseNoRun, "no such project"}
	errFull      = &closeError{CloseFull, "too many read what changes"}
)

// Topic is a set of lists of a project; zero is none of them.
type Topic uint32

// The lists that can change.
const (
	// TopicRuns: a run began, ended, or came into another state.
	TopicRuns Topic = 1 << iota
	// TopicAttention: a node came to need a person, or does not need one any more.
	TopicAttention
	// TopicFlows: a draft was made, saved or deleted, or a version published.
	TopicFlows

	topicsAll = TopicRuns | TopicAttention | TopicFlows
)

// names are the topics as a frame has them, in the order of their letters.
func (t Topic) names() []string {
	var out []string
	for _, n := range []struct {
		topic Topic
		name  string
	}{{TopicAttention, "attention"}, {TopicFlows, "flows"}, {TopicRuns, "runs"}} {
		if t&n.topic != 0 {
			out = append(out, n.name)
		}
	}
	return out
}

// Projects tells whether a project exists: nil, or an error.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// FeedOptions are the limits of a feed. A zero field takes the default.
type FeedOptions struct {
	// Window is the time whose changes share a frame: a reader gets no more than one
	// in that time. Default 1 s.
	Window time.Duration
	// Ping is the time without traffic after which a ping is sent; default 15 s.
	Ping time.Duration
	// WriteTimeout bounds the writing of one frame; default 10 s.
	WriteTimeout time.Duration
	// ReadersMax bounds the readers of all projects; default 20,000.
	ReadersMax int
}

// Feed tells the readers of a project which of its lists changed, not how: they ask for
// what they show. So a reader that is slow has lost nothing and has no queue, and a
// commit costs the same with one reader and with ten thousand. It is safe for
// concurrent use; make one with NewFeed.
type Feed struct {
	projects Projects
	opt      FeedOptions

	mu    sync.Mutex
	rooms map[string]*audience // projects that somebody reads
	// runs holds the projects of the runs that began since the program did, until they
	// end. A change in an older one is told in every project.
	runs    map[string]string
	readers int
	closed  bool
	wg      sync.WaitGroup
}

// audience is who reads a project. Its fields are guarded by the feed's mutex.
type audience struct {
	changed Topic
	wake    chan struct{}
	done    chan struct{} // closed when the last reader left
	readers map[*reader]struct{}
}

// reader is one connection. Its stream method is the only writer of data frames.
type reader struct {
	conn    *websocket.Conn
	opt     *FeedOptions
	cancel  context.CancelCauseFunc
	wake    chan struct{}
	changed atomic.Uint32 // Topic that it was not told of yet
}

// NewFeed makes a feed of the projects.
func NewFeed(p Projects, o FeedOptions) *Feed {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.Window, time.Second)
	def(&o.Ping, 15*time.Second)
	def(&o.WriteTimeout, 10*time.Second)
	if o.ReadersMax == 0 {
		o.ReadersMax = 20_000
	}
	return &Feed{projects: p, opt: o, rooms: map[string]*audience{}, runs: map[string]string{}}
}

// Publish implements runner.Publisher: it notes which lists the records of a commit
// change. It does no I/O and waits for nobody.
func (f *Feed) Publish(run string, rs []engine.Record) {
	var changed Topic
	project, ended := "", false
	for i := range rs {
		switch d := rs[i].Data.(type) {
		case engine.RunStarted:
			project = d.Project
			changed |= TopicRuns
		case engine.RunChanged:
			ended = d.To.Ended()
			changed |= TopicRuns
			if ended {
				changed |= TopicAttention
			}
		case engine.NodeChanged:
			if needy(d.From, nil) || needy(d.To, d.Wait) {
				changed |= TopicAttention
			}
		default: // no list shows anything else
		}
	}
	if changed == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if project != "" {
		f.runs[run] = project
	}
	project, known := f.runs[run]
	if ended {
		delete(f.runs, run)
	}
	if known {
		f.note(project, changed)
		return
	}
	for p := range f.rooms {
		f.note(p, changed)
	}
}

// needy reports whether a node in a state may need a person. What a node waited for that
// waits no longer is not known: then w is nil.
func needy(s engine.NodeState, w *contract.Wait) bool {
	switch s {
	case engine.NodeWaiting:
		return w == nil || w.Kind == contract.WaitHuman
	case engine.NodeFailed, engine.NodeUnknown, engine.NodeRollbackFailed:
		return true
	case engine.NodeIdle, engine.NodeReady, engine.NodeRunning, engine.NodeSuspended, engine.NodeSucceeded,
		engine.NodeSkipped, engine.NodeCancelled, engine.NodeRollingBack, engine.NodeRolledBack:
	}
	return false
}

// Changed tells that a flow of a project changed. It implements flows.Followers and
// waits for nobody.
func (f *Feed) Changed(project, _ string, _, _ int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note(project, TopicFlows)
}

// note is called with the mutex held.
func (f *Feed) note(project string, changed Topic) {
	if a := f.rooms[project]; a != nil {
		a.changed |= changed
		signal(a.wake)
	}
}

// Readers returns the number of connected clients.
func (f *Feed) Readers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.readers
}

// Serve tells a client what changes in a project until it goes, is closed for cause, or
// the feed closes. It takes over conn and closes it. The first frame names every list:
// what the client read before may be old.
func (f *Feed) Serve(ctx context.Context, conn *websocket.Conn, project string) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer func() { _ = conn.Close() }() // the client is gone, or has been told why
	r := &reader{conn: conn, opt: &f.opt, cancel: cancel, wake: make(chan struct{}, 1)}
	err := errNoProject.unless(f.projects.Exists(ctx, project))
	if err == nil {
		err = f.enter(project, r)
	}
	if err != nil {
		cancel(err)
		bye(conn, err)
		return
	}
	defer f.leave(project, r)
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		refuse(conn, cancel)
	}()
	err = r.stream(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(err)
	bye(conn, err)
	<-gone
}

// unless answers the reason where something failed.
func (e *closeError) unless(err error) error {
	if err != nil {
		return e
	}
	return nil
}

func (f *Feed) enter(project string, r *reader) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return errGoingAway
	}
	if f.readers >= f.opt.ReadersMax {
		return errFull
	}
	a := f.rooms[project]
	if a == nil {
		a = &audience{wake: make(chan struct{}, 1), done: make(chan struct{}), readers: map[*reader]struct{}{}}
		f.rooms[project] = a
		f.wg.Go(func() { f.tell(a) })
	}
	a.readers[r] = struct{}{}
	f.readers++
	f.wg.Add(1)
	r.note(topicsAll)
	return nil
}

func (f *Feed) leave(project string, r *reader) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.rooms[project]
	delete(a.readers, r)
	f.readers--
	if len(a.readers) == 0 {
		delete(f.rooms, project)
		close(a.done)
	}
	f.wg.Done()
}

// tell hands on what was noted, once in a window, until the last reader left. The first
// change after a quiet time does not wait.
func (f *Feed) tell(a *audience) {
	window := time.NewTimer(0)
	defer window.Stop()
	for {
		select {
		case <-a.done:
			return
		case <-a.wake:
		}
		f.mu.Lock()
		for r := range a.readers {
			r.note(a.changed)
		}
		a.changed = 0
		f.mu.Unlock()
		window.Reset(f.opt.Window)
		select {
		case <-a.done:
			return
		case <-window.C:
		}
	}
}

// Close tells every client that the server stops, refuses new ones, and waits until
// they are gone or ctx is done.
func (f *Feed) Close(ctx context.Context) error {
	f.mu.Lock()
	f.closed = true
	for _, a := range f.rooms {
		for r := range a.readers {
			r.cancel(errGoingAway)
			// A write that is under way gets as long as the close frame would.
			_ = r.conn.NetConn().SetWriteDeadline(time.Now().Add(byeTimeout))
		}
	}
	f.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		f.wg.Wait()
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *reader) note(changed Topic) {
	r.changed.Or(uint32(changed))
	signal(r.wake)
}

// stream writes what changed until ctx is done or the client is gone.
func (r *reader) stream(ctx context.Context) error {
	ping := time.NewTimer(r.opt.Ping)
	defer ping.Stop()
	for {
		frame := []byte(`{"type":"ping"}`)
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ping.C:
		case <-r.wake:
			var err error
			if frame, err = changedFrame(Topic(r.changed.Swap(0))); err != nil {
				return errInternal
			}
		}
		if err := write(r.conn, frame, r.opt.WriteTimeout); err != nil {
			return err
		}
		ping.Reset(r.opt.Ping)
	}
}

func changedFrame(t Topic) ([]byte, error) {
	return json.Marshal(struct {
		Type string   `json:"type"`
		What []string `json:"what"`
	}{"changed", t.names()})
}
