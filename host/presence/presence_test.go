package presence_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/culmhq/culm/host/presence"
)

// patience bounds every wait for something that must happen.
const patience = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type clock struct{}

func (clock) Now() time.Time { return time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC) }

// one is a product with the flow f, at revision 7 and version 2.
type one struct{}

func (one) Standing(_ context.Context, _, flow string) (revision, version int, err error) {
	if flow != "f" {
		return 0, 0, errors.New("no such flow")
	}
	return 7, 2, nil
}

func serve(t *testing.T) (*presence.Hub, string) {
	t.Helper()
	hub := presence.New(presence.Options{Clock: clock{}, Window: time.Millisecond})
	hub.Follow(one{})
	up := websocket.Upgrader{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		hub.Serve(context.Background(), conn, "demo", strings.TrimPrefix(r.URL.Path, "/"), "local")
	}))
	t.Cleanup(func() {
		if err := hub.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		srv.Close()
	})
	return hub, "ws" + strings.TrimPrefix(srv.URL, "http")
}

type editor struct {
	t    *testing.T
	conn *websocket.Conn
}

func open(t *testing.T, url string) *editor {
	t.Helper()
	conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), url+"/f", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	t.Cleanup(func() { _ = conn.Close() })
	return &editor{t, conn}
}

func (e *editor) say(v any) {
	e.t.Helper()
	if err := e.conn.WriteJSON(v); err != nil {
		e.t.Fatal(err)
	}
}

// sees reads until the room is as it is wanted.
func (e *editor) sees(what string, want func(presence.Room) bool) presence.Room {
	e.t.Helper()
	var r presence.Room
	for {
		if err := e.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			e.t.Fatal(err)
		}
		r = presence.Room{}
		if err := e.conn.ReadJSON(&r); err != nil {
			e.t.Fatalf("%s was not seen: %v; last %+v", what, err, r)
		}
		if want(r) {
			return r
		}
	}
}

func (e *editor) closedWith(code int) {
	e.t.Helper()
	if err := e.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		e.t.Fatal(err)
	}
	for {
		_, _, err := e.conn.ReadMessage()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, code) {
			e.t.Errorf("closed with %v, want %d", err, code)
		}
		return
	}
}

func TestEditorsOfOneFlowSeeEachOther(t *testing.T) {
	t.Parallel()
	hub, url := serve(t)
	a := open(t, url)
	first := a.sees("itself", func(r presence.Room) bool { return len(r.Members) == 1 })
	if first.Revision != 7 || first.Version != 2 || first.Members[0].ID != first.You || first.Members[0].Number != 1 || first.Members[0].Actor != "local" {
		t.Errorf("the room is %+v", first)
	}
	b := open(t, url)
	b.sees("both", func(r presence.Room) bool {
		return len(r.Members) == 2 && r.You == r.Members[1].ID && r.Members[1].Number == 2
	})
	b.say(map[string]any{"name": "李雷", "node": "task", "editing": true, "revision": 7})
	r := a.sees("who edits what", func(r presence.Room) bool { return len(r.Members) == 2 && r.Members[1].Node == "task" })
	if m := r.Members[1]; m.Name != "李雷" || !m.Editing || m.Revision != 7 || !m.Since.Equal(clock{}.Now()) {
		t.Errorf("the other is %+v", m)
	}

	hub.Changed("demo", "f", 8, 3)
	hub.Changed("demo", "other", 99, 99)
	a.sees("that it was saved", func(r presence.Room) bool { return r.Revision == 8 && r.Version == 3 })
	b.sees("that it was saved", func(r presence.Room) bool { return r.Revision == 8 && r.Version == 3 })

	if err := b.conn.Close(); err != nil {
		t.Fatal(err)
	}
	a.sees("that the other went", func(r presence.Room) bool { return len(r.Members) == 1 && r.Revision == 8 })
	// A number that is free is given again, so that people are called 1, 2 and 3.
	c := open(t, url)
	c.sees("its number", func(r presence.Room) bool {
		return slices.ContainsFunc(r.Members, func(m presence.Member) bool { return m.ID == r.You && m.Number == 2 })
	})
}

func TestWhoMayNotComeInIsToldWhy(t *testing.T) {
	t.Parallel()
	_, url := serve(t)
	conn, answer, err := websocket.DefaultDialer.DialContext(t.Context(), url+"/none", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	defer func() { _ = conn.Close() }()
	(&editor{t, conn}).closedWith(presence.CloseNoFlow)

	first := open(t, url)
	for range presence.MembersMax - 1 {
		open(t, url)
	}
	// A connection is there before its member is: the room is full when it says so.
	first.sees("a full room", func(r presence.Room) bool { return len(r.Members) == presence.MembersMax })
	last := open(t, url)
	last.closedWith(presence.CloseFull)
}

func TestWhatIsNoMessageEndsTheConnection(t *testing.T) {
	t.Parallel()
	hub, url := serve(t)
	for _, text := range []string{`[]`, `{"revision":-1}`, `{"name":"` + strings.Repeat("x", presence.NameMax+1) + `"}`, `no JSON`} {
		e := open(t, url)
		if err := e.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
		e.closedWith(presence.CloseInvalid)
	}
	large := open(t, url)
	if err := large.conn.WriteMessage(websocket.TextMessage, make([]byte, 4<<10)); err != nil {
		t.Fatal(err)
	}
	large.closedWith(websocket.CloseMessageTooBig)
	_ = hub
}

func TestAServerThatStopsSendsEverybodyAway(t *testing.T) {
	t.Parallel()
	hub, url := serve(t)
	a := open(t, url)
	a.sees("itself", func(r presence.Room) bool { return len(r.Members) == 1 })
	if err := hub.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.closedWith(websocket.CloseGoingAway)
	if n := hub.Members(); n != 0 {
		t.Errorf("%d are left", n)
	}
	open(t, url).closedWith(websocket.CloseGoingAway)
}
