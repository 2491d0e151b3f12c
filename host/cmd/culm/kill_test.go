package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/demo"
	"github.com/culmhq/culm/host/hosttest"
)

// The real program is killed at random moments, also while it starts, as runs start, work
// on outside systems, wait, and are operated. Whatever it had acknowledged is there after
// the restart and goes on; no finished node runs twice; the outside systems carried out
// every effect at most once for its key; and the database holds every invariant.
func TestKillAtRandomMomentsLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	kills := number(t, "CULM_KILLS", 200)
	w := newWorld(t)
	began := time.Now()
	for i := range kills {
		srv := w.launch(t, nil)
		if w.chance(20) {
			wait(time.Duration(w.draw(250)) * time.Millisecond) // it may be ready by then, or not
			srv.kill()
			continue
		}
		if err := srv.ready(); err != nil {
			t.Fatal(err)
		}
		w.checkAcknowledged(t, srv)
		stop := w.load(srv)
		w.outlast()
		srv.kill()
		stop()
		if i%50 == 49 {
			t.Logf("%d kills in %v: %s", i+1, time.Since(began).Round(time.Second), w)
		}
	}
	w.settle(t)
}

// outlast waits until it is time to kill: half of the times at a random moment, which may
// be before anything was done, and else, so that the runs get on also on a slow machine,
// a moment after a random number of further effects.
func (w *world) outlast() {
	if w.chance(50) {
		wait(time.Duration(w.draw(400)) * time.Millisecond)
		return
	}
	target := w.effects() + 1 + w.draw(12)
	late := time.NewTimer(3 * time.Second)
	defer late.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for w.effects() < target {
		select {
		case <-tick.C:
		case <-late.C:
			return
		}
	}
	wait(time.Duration(w.draw(20_000)) * time.Microsecond)
}

// effects counts what the outside systems have carried out.
func (w *world) effects() int { return w.ledger.Count() + len(w.platform.Effects()) }

// number reads a number from the environment.
func number(t *testing.T, name string, without int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return without
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// world is what survives the lives of a server: the outside systems, the data directory,
// and what was acknowledged.
type world struct {
	dir      string
	args     []string // of the server
	platform *demo.Platform
	ledger   *hosttest.Ledger
	account  *account

	mu  sync.Mutex
	rnd *rand.Rand
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, filepath.Join(t.TempDir(), "data"))
}

func newWorldIn(t *testing.T, dir string) *world {
	t.Helper()
	seed := number(t, "CULM_SEED", int(time.Now().UnixNano()))
	t.Logf("CULM_SEED=%d", seed)
	w := &world{
		dir: dir, rnd: rand.New(rand.NewPCG(uint64(seed), 1)), ledger: hosttest.NewLedger(), account: newAccount(),
		platform: demo.NewPlatform(demo.PlatformOptions{Token: "kill-test", Clock: wallClock{}, Latency: 5 * time.Millisecond, DeployTime: 300 * time.Millisecond}),
	}
	platform, book := httptest.NewServer(w.platform), httptest.NewServer(w.ledger)
	t.Cleanup(platform.Close)
	t.Cleanup(book.Close)
	w.args = []string{"--allow", strings.TrimPrefix(platform.URL, "http://") + "," + strings.TrimPrefix(book.URL, "http://")}
	prepare(t, w.dir)
	srv := startServer(t, w.dir, w.args...)
	srv.connect(t, "demo", platform.URL)
	srv.must(http.MethodPut, project+"/systems/demo/credential", map[string]any{"token": "kill-test"}, nil)
	document, err := w.ledger.System(book.URL)
	if err != nil {
		t.Fatal(err)
	}
	srv.must(http.MethodPut, project+"/systems/"+hosttest.LedgerSystem, document, nil)
	srv.must(http.MethodPut, project+"/plugins/http/grants", map[string]any{"grants": []need{{hosttest.LedgerSystem, "look"}, {hosttest.LedgerSystem, "mark"}, {hosttest.LedgerSystem, "book"}}}, nil)
	srv.publish(t, "kill-child", readJSON(t, filepath.Join("testdata", "kill-child.json")))
	srv.publish(t, "kill", readJSON(t, filepath.Join("testdata", "kill.json")))
	srv.kill()
	return w
}

func readJSON(t *testing.T, path string) (v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// launch begins a life of the server, under another program if wrap is not empty.
func (w *world) launch(t *testing.T, wrap []string) *server {
	t.Helper()
	return launch(t, wrap, w.dir, w.args...)
}

// settle brings every run to its end in a last life that nobody disturbs, and judges
// everything.
func (w *world) settle(t *testing.T) {
	t.Helper()
	srv := w.launch(t, nil)
	if err := srv.ready(); err != nil {
		t.Fatal(err)
	}
	w.checkAcknowledged(t, srv)
	w.finish(t, srv)
	if err := srv.stop(); err != nil {
		t.Fatal(err)
	}
	w.judge(t)
	t.Logf("at the end: %s", w)
}

// String sums the world up for the log.
func (w *world) String() string {
	return fmt.Sprintf("%s; %d effects outside", w.account, w.effects())
}

func (w *world) chance(percent int) bool { return w.draw(100) < percent }

// draw returns a number below n from the test's one seed.
func (w *world) draw(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}

// wallClock is the platform's clock: it lives outside the program under test.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) After(d time.Duration) (c <-chan time.Time, stop func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
