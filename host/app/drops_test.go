package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"
)

// envDrops is how often each client of TestDroppedClientsMissNothing loses its connection.
const envDrops = "CULM_DROPS"

// holding is a flow that waits until somebody answers, so that its run can be given as many
// records as a test wants.
const holding = `{"format":"culm.flow/v1","id":"holding","name":"Holding",
"variables":[{"name":"n","source":"input","schema":{"type":"integer"},"value":0}],
"nodes":[{"id":"start","type":"start"},
 {"id":"ask","type":"task","plugin":"core","action":"confirm","inputs":{"prompt":"Go on?"}},
 {"id":"end","type":"end"}],
"edges":[{"id":"a","from":"start","to":"ask"},{"id":"b","from":"ask","to":"end"}]}`

// TestDroppedClientsMissNothing has 100 clients whose connections are reset at random places while
// a run is given records as fast as its commands are answered. Each comes back with the last record
// that it applied, and in the end each has seen exactly the records of the store, byte for byte:
// none lost, none twice, none out of order.
func TestDroppedClientsMissNothing(t *testing.T) {
	t.Parallel()
	const clients = 100
	drops := 10
	if text := os.Getenv(envDrops); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		drops = n
	}
	s := start(t, false, "core")
	s.publish(holding)
	run := s.run("holding", nil)
	s.published.wait(t, run, "ask waiting")

	seen := &ledger{}
	var dropping, reading sync.WaitGroup
	last := make(chan uint64, clients)
	dropping.Add(clients)
	for i := range clients {
		reading.Go(func() {
			d := dropper{s: s, run: run, rnd: rand.New(rand.NewPCG(uint64(i), 11)), ledger: seen}
			d.drop(drops)
			dropping.Done()
			d.readTo(<-last)
		})
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		dropping.Wait()
	}()
	end := s.feed(run, over)
	for range clients {
		last <- end
	}
	reading.Wait()
	if t.Failed() {
		return
	}
	seen.compare(s, run, end)
	t.Logf("%d clients, %d drops each, %d records", clients, drops, end)
}

// feed sets a variable of the run again and again until over is closed, and returns the run's last
// record.
func (s *server) feed(run string, over <-chan struct{}) uint64 {
	s.t.Helper()
	seq := uint64(0)
	for n := 1; ; n++ {
		answer := want[struct {
			Seq uint64 `json:"seq"`
		}](s, 200, "POST", s.in("/runs/%s/commands", run), fmt.Sprintf(`{"command":"set_variables","values":{"n":%d}}`, n))
		seq = answer.Seq
		select {
		case <-over:
			return seq
		default:
		}
	}
}

// ledger is what the clients saw: the hash of each record, which must be the same for all.
type ledger struct {
	mu   sync.Mutex
	sums []uint64 // of record i+1
}

// see notes a record; it reports whether another client saw something else.
func (l *ledger) see(seq uint64, text []byte) bool {
	sum := sumOf(text)
	l.mu.Lock()
	defer l.mu.Unlock()
	for uint64(len(l.sums)) < seq {
		l.sums = append(l.sums, 0)
	}
	if l.sums[seq-1] == 0 {
		l.sums[seq-1] = sum
	}
	return l.sums[seq-1] == sum
}

// compare reads the records of the run over the API and fails where they differ from what was seen.
func (l *ledger) compare(s *server, run string, end uint64) {
	s.t.Helper()
	if uint64(len(l.sums)) != end {
		s.t.Fatalf("%d records were seen, the run has %d", len(l.sums), end)
	}
	for seq := uint64(0); seq < end; {
		page := want[struct {
			Items []json.RawMessage `json:"items"`
		}](s, 200, "GET", s.in("/runs/%s/records?after=%d&limit=500", run, seq), nil)
		if len(page.Items) == 0 {
			s.t.Fatalf("no records after %d", seq)
		}
		for _, r := range page.Items {
			if l.sums[seq] != sumOf(r) {
				s.t.Fatalf("record %d was seen as something else than %s", seq+1, r)
			}
			seq++
		}
	}
}

func sumOf(record []byte) uint64 {
	var text bytes.Buffer
	h := fnv.New64a()
	if json.Compact(&text, record) == nil {
		_, _ = h.Write(text.Bytes()) // a hash takes everything
	}
	return h.Sum64()
}

// dropper is a client that applies the records of a run and loses its connection.
type dropper struct {
	s       *server
	run     string
	rnd     *rand.Rand
	ledger  *ledger
	applied uint64
}

// drop loses the connection that often, after a few records each time.
func (d *dropper) drop(times int) {
	for range times {
		conn := d.dial()
		if conn == nil {
			return
		}
		if !d.apply(conn, d.applied+1+d.rnd.Uint64N(20)) {
			return
		}
		// A reset, as by a network that is gone; it also leaves no port behind that waits.
		if tcp, ok := conn.NetConn().(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// readTo reads to the last record of the run.
func (d *dropper) readTo(last uint64) {
	if conn := d.dial(); conn != nil {
		d.apply(conn, last)
		_ = conn.Close()
	}
}

// apply reads frames until the record enough has been applied.
func (d *dropper) apply(conn *websocket.Conn, enough uint64) bool {
	for d.applied < enough {
		var f struct {
			Records []json.RawMessage `json:"records"`
		}
		if err := conn.ReadJSON(&f); err != nil {
			d.s.t.Errorf("after record %d: %v", d.applied, err)
			return false
		}
		for _, text := range f.Records {
			var r struct {
				Seq uint64 `json:"seq"`
			}
			if err := json.Unmarshal(text, &r); err != nil {
				d.s.t.Error(err)
				return false
			}
			if r.Seq != d.applied+1 {
				d.s.t.Errorf("record %d after %d", r.Seq, d.applied)
				return false
			}
			if !d.ledger.see(r.Seq, text) {
				d.s.t.Errorf("record %d differs between clients: %s", r.Seq, text)
				return false
			}
			d.applied = r.Seq
		}
	}
	return true
}

func (d *dropper) dial() *websocket.Conn {
	url := "ws" + strings.TrimPrefix(d.s.URL(), "http") + d.s.in("/runs/%s/events?after=%d", d.run, d.applied)
	conn, resp, err := websocket.DefaultDialer.DialContext(d.s.t.Context(), url, http.Header{})
	if err != nil {
		d.s.t.Errorf("dial after record %d: %v", d.applied, err)
		return nil
	}
	_ = resp.Body.Close()
	return conn
}
