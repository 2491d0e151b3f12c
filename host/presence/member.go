package presence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gorilla/websocket"
)

// The codes with which the hub closes a member, besides 1001 for a server that stops.
const (
	CloseFull    = 4429 // too many have the flow open
	CloseNoFlow  = 4404 // there is no such flow
	CloseInvalid = 4400 // the member said what is no message
)

type closeError struct {
	code   int
	reason string
}

func (e *closeError) Error() string { return fmt.Sprintf("close %d: %s", e.code, e.reason) }

// The reasons why a member is closed; constant.
var (
	errFull      = &closeError{CloseFull, "too many have this flow open"}
	errNoFlow    = &closeError{CloseNoFlow, "no such flow"}
	errInvalid   = &closeError{CloseInvalid, "not a message"}
	errGoingAway = &closeError{websocket.CloseGoingAway, "the server stops"}
	errGone      = errors.New("presence: the member went")
)

const (
	// inboundMax bounds a message of a member in bytes.
	inboundMax = 2 << 10
	// byeTimeout bounds the writing of the close frame.
	byeTimeout = time.Second
	// inboundPause is the time between two messages that are read: who says more fills the
	// connection, not the server.
	inboundPause = 20 * time.Millisecond
)

// member is one connection. Its write method is the only writer of data frames.
type member struct {
	hub    *Hub
	conn   *websocket.Conn
	key    key
	actor  string
	wake   chan struct{}
	cancel context.CancelCauseFunc
}

// Serve lets a client in until it goes, is closed for cause, or the hub closes. It takes
// over conn and closes it.
func (h *Hub) Serve(ctx context.Context, conn *websocket.Conn, project, flow, actor string) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer func() { _ = conn.Close() }() // the client is gone, or has been told why
	m := &member{hub: h, conn: conn, key: key{project, flow}, actor: actor, wake: make(chan struct{}, 1), cancel: cancel}
	h.mu.Lock()
	known := h.flows
	h.mu.Unlock()
	revision, version, err := known.Standing(ctx, project, flow)
	if err != nil {
		cancel(err)
		m.bye(errNoFlow)
		return
	}
	if err := h.enter(m, revision, version); err != nil {
		cancel(err)
		m.bye(err)
		return
	}
	defer h.leave(m)
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		m.read(ctx)
	}()
	err = m.write(ctx)
	cancel(err)
	m.bye(err)
	<-reader
}

// read hears what the client says until it goes.
func (m *member) read(ctx context.Context) {
	m.conn.SetReadLimit(inboundMax)
	alive := func(string) error { return m.conn.SetReadDeadline(m.hub.deadline()) }
	m.conn.SetPongHandler(alive)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		if alive("") != nil {
			m.cancel(errGone)
			return
		}
		_, text, err := m.conn.ReadMessage()
		if err != nil {
			m.cancel(errGone)
			return
		}
		var s said
		if json.Unmarshal(text, &s) != nil || s.check() != nil {
			m.cancel(errInvalid)
			return
		}
		m.hub.hear(m, s)
		pause.Reset(inboundPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return
		}
	}
}

// deadline is when a member that says nothing and answers no ping is gone.
func (h *Hub) deadline() time.Time { return time.Now().Add(3 * h.opt.Ping) }

// write tells the client what is, each time that it changes, until ctx is done.
func (m *member) write(ctx context.Context) error {
	ping := time.NewTicker(m.hub.opt.Ping)
	defer ping.Stop()
	window := time.NewTimer(0)
	defer window.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ping.C:
			if m.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(m.hub.opt.WriteTimeout)) != nil {
				return errGone
			}
		case <-m.wake:
			if err := m.say(m.hub.look(m)); err != nil {
				return err
			}
			window.Reset(m.hub.opt.Window)
			select {
			case <-window.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

func (m *member) say(r Room) error {
	if m.conn.SetWriteDeadline(time.Now().Add(m.hub.opt.WriteTimeout)) != nil || m.conn.WriteJSON(r) != nil {
		return errGone
	}
	return nil
}

// bye says why the client is closed, and gives it byeTimeout to hear it.
func (m *member) bye(err error) {
	var ce *closeError
	if !errors.As(err, &ce) {
		_ = m.conn.Close()
		return
	}
	end := time.Now().Add(byeTimeout)
	if m.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(ce.code, ce.reason), end) != nil {
		_ = m.conn.Close()
		return
	}
	_ = m.conn.SetReadDeadline(end)
}
