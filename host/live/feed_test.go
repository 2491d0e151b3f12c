package live_test

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

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/live"
	"github.com/culmhq/culm/pdk/contract"
)

// known are the projects p and q.
type known struct{}

func (known) Exists(_ context.Context, project string) error {
	if project != "p" && project != "q" {
		return errors.New("no such project")
	}
	return nil
}

// feedOf puts a feed behind a listener; the path names the project.
func feedOf(t *testing.T, o live.FeedOptions) (*live.Feed, string) {
	t.Helper()
	feed := live.NewFeed(known{}, o)
	up := websocket.Upgrader{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		feed.Serve(context.Background(), conn, strings.TrimPrefix(r.URL.Path, "/"))
	}))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := feed.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		srv.Close()
	})
	return feed, "ws" + strings.TrimPrefix(srv.URL, "http")
}

// quick is a feed whose frames follow each other closely.
func quick() live.FeedOptions { return live.FeedOptions{Window: time.Millisecond} }

type changes struct {
	Type string   `json:"type"`
	What []string `json:"what"`
}

// reads opens a project, and reads the first frame.
func reads(t *testing.T, url, project string) *websocket.Conn {
	t.Helper()
	c, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url+"/"+project, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	t.Cleanup(func() { _ = c.Close() })
	if f := told(t, c); !slices.Equal(f.What, []string{"attention", "flows", "runs"}) {
		t.Fatalf("first frame = %+v, want every list", f)
	}
	return c
}

func told(t *testing.T, c *websocket.Conn) changes {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	var f changes
	if err := c.ReadJSON(&f); err != nil {
		t.Fatal(err)
	}
	return f
}

func started(project string) engine.Record {
	return engine.Record{Seq: 1, Data: engine.RunStarted{Project: project}}
}

func nodeTo(from, to engine.NodeState, w *contract.Wait) engine.Record {
	return engine.Record{Seq: 2, Node: "n", Data: engine.NodeChanged{From: from, To: to, Wait: w}}
}

func TestReadersAreToldWhichListsChanged(t *testing.T) {
	t.Parallel()
	feed, url := feedOf(t, quick())
	c := reads(t, url, "p")
	human, timer := &contract.Wait{Kind: contract.WaitHuman}, &contract.Wait{Kind: contract.WaitTimer}
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"a run begins", func() { feed.Publish("r", []engine.Record{started("p")}) }, []string{"runs"}},
		{"a draft is saved", func() { feed.Changed("p", "f", 2, 1) }, []string{"flows"}},
		{"a node asks", func() {
			feed.Publish("r", []engine.Record{nodeTo(engine.NodeRunning, engine.NodeWaiting, human)})
		}, []string{"attention"}},
		{"it is answered", func() {
			feed.Publish("r", []engine.Record{nodeTo(engine.NodeWaiting, engine.NodeRunning, nil)})
		}, []string{"attention"}},
		{"a node only waits for a time, then the run pauses", func() {
			feed.Publish("r", []engine.Record{nodeTo(engine.NodeRunning, engine.NodeWaiting, timer)})
			feed.Publish("r", []engine.Record{{Data: engine.RunChanged{To: engine.RunSuspended}}})
		}, []string{"runs"}},
		{"the run ends", func() {
			feed.Publish("r", []engine.Record{{Data: engine.RunChanged{To: engine.RunFailed}}})
		}, []string{"attention", "runs"}},
	} {
		step.do()
		if got := told(t, c); got.Type != "changed" || !slices.Equal(got.What, step.want) {
			t.Errorf("%s: told %+v, want %v", step.name, got, step.want)
		}
	}
}

func TestAProjectIsNotToldOfTheRunsOfAnother(t *testing.T) {
	t.Parallel()
	feed, url := feedOf(t, quick())
	p, q := reads(t, url, "p"), reads(t, url, "q")
	feed.Publish("r", []engine.Record{started("p")})
	feed.Publish("r", []engine.Record{nodeTo(engine.NodeRunning, engine.NodeFailed, nil)})
	feed.Changed("q", "f", 2, 1)
	if got := told(t, q); !slices.Equal(got.What, []string{"flows"}) {
		t.Errorf("q was told %v", got.What)
	}
	told(t, p)
	// Nobody knows any more whose run this is: everybody looks.
	feed.Publish("of before", []engine.Record{nodeTo(engine.NodeRunning, engine.NodeFailed, nil)})
	if got := told(t, q); !slices.Equal(got.What, []string{"attention"}) {
		t.Errorf("q was told %v of an older run", got.What)
	}
}

func TestManyChangesShareAFrame(t *testing.T) {
	t.Parallel()
	feed, url := feedOf(t, live.FeedOptions{Window: 200 * time.Millisecond})
	c := reads(t, url, "p")
	begin := time.Now()
	frames := 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 20_000 {
			feed.Publish("r", []engine.Record{started("p")})
			if i == 19_999 {
				feed.Changed("p", "f", 2, 1)
			}
		}
	}()
	for !slices.Contains(told(t, c).What, "flows") {
		frames++
	}
	<-done
	if most := 2 + int(time.Since(begin)/(200*time.Millisecond)); frames > most {
		t.Errorf("%d frames for changes of %v, want at most %d", frames, time.Since(begin), most)
	}
}

func TestAReaderIsTurnedAwayWithTheReason(t *testing.T) {
	t.Parallel()
	o := quick()
	o.ReadersMax = 1
	feed, url := feedOf(t, o)
	first := reads(t, url, "p")
	for project, want := range map[string]int{"p": live.CloseFull, "nowhere": live.CloseNoRun} {
		c, resp, err := websocket.DefaultDialer.DialContext(t.Context(), url+"/"+project, nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if _, _, err := c.ReadMessage(); closeCode(err) != want {
			t.Errorf("%s: %v, want code %d", project, err, want)
		}
		_ = c.Close()
	}
	if err := first.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := first.ReadMessage(); closeCode(err) != websocket.CloseUnsupportedData {
		t.Errorf("a reader that talks: %v", err)
	}
	_ = feed
}

func TestAFeedThatClosesTellsItsReaders(t *testing.T) {
	t.Parallel()
	feed, url := feedOf(t, quick())
	c := reads(t, url, "p")
	if n := feed.Readers(); n != 1 {
		t.Errorf("%d readers, want 1", n)
	}
	if err := feed.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.ReadMessage(); closeCode(err) != websocket.CloseGoingAway {
		t.Errorf("closed with %v", err)
	}
	if n := feed.Readers(); n != 0 {
		t.Errorf("%d readers after the end", n)
	}
}
