package live_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/live"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// history is a source of one run whose records are committed by the test.
type history struct {
	mu sync.Mutex
	rs []engine.Record
}

func (h *history) commit(rs ...engine.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rs = append(h.rs, rs...)
}

func (h *history) Snapshot(_ context.Context, _, run string) (engine.RunView, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if run != "r" {
		return engine.RunView{}, fmt.Errorf("look up: %w", live.ErrNoRun)
	}
	return engine.RunView{Run: run, Seq: uint64(len(h.rs))}, nil
}

func (h *history) Records(_ context.Context, _, run string, after uint64, limit int) ([]engine.Record, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if run != "r" {
		return nil, live.ErrNoRun
	}
	if after >= uint64(len(h.rs)) {
		return nil, nil
	}
	rs := h.rs[after:]
	return rs[:min(limit, len(rs))], nil
}

func record(seq uint64) engine.Record {
	return engine.Record{Seq: seq, Kind: engine.KindTokenMoved, Data: engine.TokenMoved{Token: int(seq)}}
}

// serve puts a hub behind a listener and returns it with its ws:// address.
func serve(t *testing.T, src live.Source, o live.Options) (*live.Hub, string) {
	t.Helper()
	hub := live.New(src, o)
	up := websocket.Upgrader{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var after *uint64
		if s := r.URL.Query().Get("after"); s != "" {
			n, err := strconv.ParseUint(s, 10, 64)
			if err != nil {
				t.Error(err)
			}
			after = &n
		}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		hub.Serve(context.Background(), conn, "p", r.URL.Query().Get("run"), after)
	}))
	// A small buffer, so that a client that does not read is noticed soon.
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if tcp, ok := c.(*net.TCPConn); ok {
			if err := tcp.SetWriteBuffer(16 << 10); err != nil {
				t.Error(err)
			}
		}
		return ctx
	}
	srv.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := hub.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
		srv.Close()
	})
	return hub, "ws" + strings.TrimPrefix(srv.URL, "http")
}

type frame struct {
	Type    string          `json:"type"`
	Seq     uint64          `json:"seq"`
	Run     json.RawMessage `json:"run"`
	Records []struct {
		Seq  uint64          `json:"seq"`
		Data json.RawMessage `json:"data"`
	} `json:"records"`
}

func dial(t *testing.T, url string, after *uint64) *websocket.Conn {
	t.Helper()
	url += "/?run=r"
	if after != nil {
		url += fmt.Sprintf("&after=%d", *after)
	}
	c, resp, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return c
}

func next(t *testing.T, c *websocket.Conn) frame {
	t.Helper()
	var f frame
	if err := c.ReadJSON(&f); err != nil {
		t.Fatal(err)
	}
	return f
}

func closeCode(err error) int {
	var ce *websocket.CloseError
	if errors.As(err, &ce) {
		return ce.Code
	}
	return 0
}

func TestSnapshotThenRecordsInOrder(t *testing.T) {
	t.Parallel()
	src := &history{}
	src.commit(record(1), record(2))
	hub, url := serve(t, src, live.Options{})
	c := dial(t, url, nil)
	defer c.Close()
	if f := next(t, c); f.Type != "snapshot" || f.Seq != 2 || f.Run == nil {
		t.Fatalf("first frame = %+v", f)
	}
	src.commit(record(3), record(4))
	hub.Publish("r", []engine.Record{record(3), record(4)})
	if f := next(t, c); f.Type != "records" || len(f.Records) != 2 || f.Records[0].Seq != 3 {
		t.Fatalf("second frame = %+v", f)
	}
}

func TestAfterReadsWhatWasMissed(t *testing.T) {
	t.Parallel()
	src := &history{}
	for i := range uint64(1234) {
		src.commit(record(i + 1))
	}
	_, url := serve(t, src, live.Options{PageMax: 100})
	after := uint64(7)
	c := dial(t, url, &after)
	defer c.Close()
	for want := uint64(8); want <= 1234; {
		for _, r := range next(t, c).Records {
			if r.Seq != want {
				t.Fatalf("seq %d, want %d", r.Seq, want)
			}
			want++
		}
	}
}

func TestCloseCodes(t *testing.T) {
	t.Parallel()
	src := &history{}
	src.commit(record(1))
	for name, tc := range map[string]struct {
		query string
		talk  bool
		want  int
	}{
		"no such run":         {"?run=other", false, live.CloseNoRun},
		"no such run, resume": {"?run=other&after=0", false, live.CloseNoRun},
		"beyond the end":      {"?run=r&after=2", false, live.CloseBeyond},
		"talks":               {"?run=r&after=1", true, websocket.CloseUnsupportedData},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, url := serve(t, src, live.Options{})
			c, resp, err := websocket.DefaultDialer.Dial(url+"/"+tc.query, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			defer c.Close()
			if tc.talk {
				if err := c.WriteMessage(websocket.TextMessage, []byte("{}")); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err = c.ReadMessage()
			if closeCode(err) != tc.want {
				t.Fatalf("error %v, want close code %d", err, tc.want)
			}
		})
	}
}

func TestStoppingServerSaysSo(t *testing.T) {
	t.Parallel()
	src := &history{}
	src.commit(record(1))
	hub, url := serve(t, src, live.Options{})
	c := dial(t, url, nil)
	defer c.Close()
	next(t, c)
	closed := make(chan error, 1)
	go func() { closed <- hub.Close(context.Background()) }()
	if _, _, err := c.ReadMessage(); closeCode(err) != websocket.CloseGoingAway {
		t.Fatalf("error %v, want 1001", err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	late := dial(t, url, nil)
	defer late.Close()
	if _, _, err := late.ReadMessage(); closeCode(err) != websocket.CloseGoingAway {
		t.Fatalf("a client of a stopped hub: %v, want 1001", err)
	}
}

func TestPingWhenQuiet(t *testing.T) {
	t.Parallel()
	src := &history{}
	_, url := serve(t, src, live.Options{Ping: 10 * time.Millisecond})
	c := dial(t, url, nil)
	defer c.Close()
	next(t, c)
	for range 2 {
		if f := next(t, c); f.Type != "ping" {
			t.Fatalf("frame %+v, want ping", f)
		}
	}
}

func TestLargeValuesAreLeftOut(t *testing.T) {
	t.Parallel()
	big := json.RawMessage(`"` + strings.Repeat("x", live.ValueMaxBytes) + `"`)
	edge := big[: live.ValueMaxBytes-1 : live.ValueMaxBytes-1]
	edge = append(edge, '"')
	r := engine.Record{Seq: 1, Kind: engine.KindNodeState, Data: engine.NodeChanged{
		Inputs: big, Outputs: edge, Overrides: map[string]json.RawMessage{"a": big, "b": edge},
	}}
	src := &history{}
	src.commit(r)
	_, url := serve(t, src, live.Options{})
	after := uint64(0)
	c := dial(t, url, &after)
	defer c.Close()
	var got struct {
		Inputs    map[string]int             `json:"inputs"`
		Outputs   string                     `json:"outputs"`
		Overrides map[string]json.RawMessage `json:"overrides"`
	}
	if err := json.Unmarshal(next(t, c).Records[0].Data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Inputs["$omitted"] != len(big) || len(got.Outputs) != live.ValueMaxBytes-2 ||
		string(got.Overrides["a"]) != fmt.Sprintf(`{"$omitted":%d}`, len(big)) || len(got.Overrides["b"]) != len(edge) {
		t.Fatalf("got %+v", got)
	}
	if d, ok := r.Data.(engine.NodeChanged); !ok || len(d.Inputs) != len(big) || len(d.Overrides["a"]) != len(big) {
		t.Fatal("the published record was changed")
	}
}

// Values of every size, one of ten megabytes among them, and a client that reads them all at
// once: no frame is larger than it may be, and no record is missing.
func TestFramesStaySmallWhateverTheValues(t *testing.T) {
	t.Parallel()
	src := &history{}
	const records = 300
	for i := range records {
		size := 10 << 20
		if i != records/2 {
			size = i * live.ValueMaxBytes / records
		}
		value := json.RawMessage(`"` + strings.Repeat("x", size) + `"`)
		src.commit(engine.Record{Seq: uint64(i + 1), Kind: engine.KindNodeState, Data: engine.NodeChanged{Inputs: value, Outputs: value}})
	}
	_, url := serve(t, src, live.Options{})
	after := uint64(0)
	c := dial(t, url, &after)
	defer c.Close()
	const most = 64 << 10
	for seen := uint64(0); seen < records; {
		_, text, err := c.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if len(text) > most {
			t.Errorf("a frame of %d bytes", len(text))
		}
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatal(err)
		}
		for _, r := range f.Records {
			if seen++; r.Seq != seen {
				t.Fatalf("record %d came after %d", r.Seq, seen-1)
			}
		}
	}
}

// TestSlowClientIsClosedAndBlocksNobody has one client that does not read while
// megabytes are published; the publisher never waits for it, and another client sees
// everything.
func TestSlowClientIsClosedAndBlocksNobody(t *testing.T) {
	t.Parallel()
	src := &history{}
	hub, url := serve(t, src, live.Options{Window: time.Millisecond, WriteTimeout: time.Minute})
	slow, fast := dial(t, url, nil), dial(t, url, nil)
	defer slow.Close()
	defer fast.Close()
	next(t, slow)
	next(t, fast)

	// The fast client paces the publisher: the loop can only end if the slow one
	// holds up neither of them. 4 MB are beyond every buffer on the way.
	value := json.RawMessage(`"` + strings.Repeat("v", live.ValueMaxBytes-2) + `"`)
	seq, seen := uint64(0), uint64(0)
	for seq < 1000 {
		for range 100 {
			seq++
			r := engine.Record{Seq: seq, Kind: engine.KindVariable, Data: engine.VariableSet{Name: "v", Value: value}}
			src.commit(r)
			hub.Publish("r", []engine.Record{r})
		}
		for seen < seq {
			for _, r := range next(t, fast).Records {
				if r.Seq != seen+1 {
					t.Fatalf("fast client: seq %d after %d", r.Seq, seen)
				}
				seen = r.Seq
			}
		}
	}
	var err error
	for err == nil {
		_, _, err = slow.ReadMessage()
	}
	if closeCode(err) != live.CloseSlow {
		t.Fatalf("slow client: %v, want close code %d", err, live.CloseSlow)
	}
}

// TestDropAndResume has clients that drop their connection at random places and come
// back with the last record they applied, under a publisher that does not wait: each
// sees exactly the sequence of the store.
func TestDropAndResume(t *testing.T) {
	t.Parallel()
	const clients, records = 100, 2000
	src := &history{}
	hub, url := serve(t, src, live.Options{Window: time.Millisecond, PageMax: 64, QueueMax: 16})

	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range clients {
		wg.Add(1)
		go func() {
			defer wg.Done()
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			<-start
			follow(t, url, rnd, records)
		}()
	}
	close(start)
	rnd := rand.New(rand.NewPCG(7, 7))
	for seq := uint64(0); seq < records; {
		n := min(1+rnd.Uint64N(8), records-seq)
		batch := make([]engine.Record, n)
		for i := range batch {
			seq++
			batch[i] = record(seq)
		}
		src.commit(batch...)
		hub.Publish("r", batch)
	}
	wg.Wait()
}

// follow reads the run to its last record over as many connections as it takes. Half
// of the clients begin with a snapshot, half with the first record.
func follow(t *testing.T, url string, rnd *rand.Rand, last uint64) {
	t.Helper()
	applied := uint64(0)
	fresh := rnd.IntN(2) == 0
	for applied < last {
		var after *uint64
		if !fresh {
			n := applied
			after = &n
		}
		c := dial(t, url, after)
		for budget := 1 + rnd.IntN(300); budget > 0 && applied < last; {
			var f frame
			if err := c.ReadJSON(&f); err != nil {
				if code := closeCode(err); code != live.CloseSlow {
					t.Errorf("closed with %v", err)
					applied = last
				}
				break
			}
			if f.Type == "snapshot" {
				if !fresh {
					t.Error("a snapshot after a resume")
				}
				applied, fresh = f.Seq, false
			}
			for _, r := range f.Records {
				if r.Seq != applied+1 {
					t.Errorf("seq %d after %d", r.Seq, applied)
					applied = last
					break
				}
				applied = r.Seq
				budget--
			}
		}
		c.Close()
	}
}
