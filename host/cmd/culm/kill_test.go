package main

import (
	"context"
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

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/sqlite"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/demo"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// The real program is killed at random moments while runs start, work on an outside
// system, wait, and are operated. Whatever it had acknowledged is there after the
// restart and goes on; no finished node runs twice; the outside system saw every
// effect at most once for its key; and the database holds every invariant.
func TestKillAtRandomMomentsLosesNothingAcknowledged(t *testing.T) {
	t.Parallel()
	kills := 50
	if s := os.Getenv("CULM_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("CULM_KILLS: %v", err)
		}
		kills = n
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("CULM_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("CULM_SEED: %v", err)
		}
		seed = n
	}
	t.Logf("%d kills, CULM_SEED=%d", kills, seed)
	w := newKillWorld(t, rand.New(rand.NewPCG(seed, 1)))
	for i := range kills {
		srv := w.serve(t)
		w.checkAcknowledged(t, srv)
		stop := w.load(srv)
		wait(time.Duration(10+w.draw(400)) * time.Millisecond)
		srv.kill()
		stop()
		if i%10 == 9 {
			t.Logf("%d kills, %d runs acknowledged, %d effects outside", i+1, len(w.runs), len(w.platform.Effects()))
		}
	}
	srv := w.serve(t)
	w.checkAcknowledged(t, srv)
	w.finish(t, srv)
	if err := srv.stop(); err != nil {
		t.Fatal(err)
	}
	w.checkEffects(t)
	verify(t, w.dir)
}

// killWorld is what survives the kills: the outside system, the data directory, and
// what was acknowledged.
type killWorld struct {
	dir      string
	rnd      *rand.Rand
	platform *demo.Platform
	upstream string
	flow     any

	mu   sync.Mutex
	runs map[string]uint64 // the last sequence number acknowledged, by run
	keys int
}

func newKillWorld(t *testing.T, rnd *rand.Rand) *killWorld {
	t.Helper()
	w := &killWorld{dir: filepath.Join(t.TempDir(), "data"), rnd: rnd, runs: map[string]uint64{}}
	w.platform = demo.NewPlatform(demo.PlatformOptions{Token: "kill-test", Clock: wallClock{}, Latency: 5 * time.Millisecond, DeployTime: 300 * time.Millisecond})
	upstream := httptest.NewServer(w.platform)
	t.Cleanup(upstream.Close)
	w.upstream = upstream.URL
	b, err := os.ReadFile(filepath.Join("testdata", "kill.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &w.flow); err != nil {
		t.Fatal(err)
	}
	srv := w.serve(t)
	srv.connect(t, "demo", w.upstream)
	srv.must(http.MethodPut, project+"/systems/demo/credential", map[string]any{"token": "kill-test"}, nil)
	srv.publish(t, "kill", w.flow)
	srv.kill()
	return w
}

func (w *killWorld) serve(t *testing.T) *server {
	t.Helper()
	return startServer(t, w.dir, "--allow", strings.TrimPrefix(w.upstream, "http://"))
}

// load starts runs and operates on them until the server is gone; the function it
// returns waits for that.
func (w *killWorld) load(srv *server) (stop func()) {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil && w.start(srv) {
				w.operate(srv)
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// start asks for one run, with a key, and remembers it when it is acknowledged.
func (w *killWorld) start(srv *server) bool {
	w.mu.Lock()
	w.keys++
	key := fmt.Sprintf("start-%d", w.keys)
	w.mu.Unlock()
	var run struct{ ID string }
	status, err := srv.call(http.MethodPost, project+"/flows/kill/runs", map[string]any{"inputs": map[string]any{"service": "checkout"}},
		map[string]string{"Idempotency-Key": key}, &run)
	if err != nil {
		return false
	}
	if status == http.StatusCreated {
		w.acknowledge(run.ID, 1)
	}
	return true
}

// operate answers people's questions, pauses and resumes, and resolves what nobody
// can vouch for, over a few of the runs.
func (w *killWorld) operate(srv *server) {
	var list struct{ Items []struct{ ID, State string } }
	if status, err := srv.call(http.MethodGet, project+"/runs?state=running&state=blocked&state=suspended&limit=20", nil, nil, &list); err != nil || status != http.StatusOK {
		return
	}
	for _, r := range list.Items {
		if !w.step(srv, r.ID, r.State, true) {
			return
		}
	}
}

// step does what one run needs from people; false when the server is gone.
func (w *killWorld) step(srv *server, id, state string, mischief bool) bool {
	if state == "suspended" {
		return w.do(srv, id, "/commands", map[string]any{"command": "resume"})
	}
	if mischief && w.chance(10) {
		return w.do(srv, id, "/commands", map[string]any{"command": "pause"})
	}
	var v runView
	if status, err := srv.call(http.MethodGet, runPath(id), nil, nil, &v); err != nil || status != http.StatusOK {
		return err == nil
	}
	for node, n := range v.Nodes {
		alive := true
		switch {
		case n.State == "waiting" && n.Wait != nil && n.Wait.Kind == "human":
			alive = w.do(srv, id, "/nodes/"+node+"/commands", map[string]any{"command": "callback", "data": map[string]any{"approved": true}})
		case n.State == "unknown":
			alive = w.do(srv, id, "/nodes/"+node+"/commands", w.resolution(id))
		case n.State == "failed":
			alive = w.do(srv, id, "/nodes/"+node+"/commands", map[string]any{"command": "retry"})
		}
		if !alive {
			return false
		}
	}
	return true
}

// resolution decides an unknown deployment by looking at the platform itself.
func (w *killWorld) resolution(run string) map[string]any {
	for _, e := range w.platform.Effects() {
		if e.Kind == "deployment" && strings.HasSuffix(e.Subject, run) {
			return map[string]any{"command": "resolve", "as": "done", "outputs": map[string]any{"deployment_id": "seen", "state": "succeeded", "message": "seen by the operator"}}
		}
	}
	return map[string]any{"command": "resolve", "as": "retry"}
}

func (w *killWorld) do(srv *server, run, path string, body map[string]any) bool {
	var out struct{ Seq uint64 }
	status, err := srv.call(http.MethodPost, runPath(run)+path, body, nil, &out)
	if err != nil {
		return false
	}
	if status == http.StatusOK {
		w.acknowledge(run, out.Seq)
	}
	return true
}

func (w *killWorld) acknowledge(run string, seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.runs[run] = max(w.runs[run], seq)
}

func (w *killWorld) chance(percent int) bool { return w.draw(100) < percent }

// draw returns a number below n from the test's one seed.
func (w *killWorld) draw(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rnd.IntN(n)
}

// checkAcknowledged asks for every run that was ever acknowledged.
func (w *killWorld) checkAcknowledged(t *testing.T, srv *server) {
	t.Helper()
	for id, seq := range w.runs {
		if v := srv.view(t, id); v.Seq < seq {
			t.Fatalf("run %s: record %d was acknowledged, after the restart there are %d", id, seq, v.Seq)
		}
	}
}

// finish brings every run to its end.
func (w *killWorld) finish(t *testing.T, srv *server) {
	t.Helper()
	await(t, "every run ends", 4*time.Minute, func() bool {
		var list struct{ Items []struct{ ID, State string } }
		srv.must(http.MethodGet, project+"/runs?state=running&state=blocked&state=suspended&limit=200", nil, &list)
		for _, r := range list.Items {
			w.step(srv, r.ID, r.State, false)
		}
		return len(list.Items) == 0
	})
	for id := range w.runs {
		if v := srv.view(t, id); v.State != "succeeded" {
			t.Fatalf("run %s ended as %s: %+v", id, v.State, v.Nodes)
		}
	}
}

// checkEffects counts what the outside system carried out: one deployment a run (an
// operation that must not be repeated), and one ticket (repeated with the same key).
func (w *killWorld) checkEffects(t *testing.T) {
	t.Helper()
	deployments, tickets := map[string]int{}, map[string]int{}
	for _, e := range w.platform.Effects() {
		switch e.Kind {
		case "deployment":
			deployments[strings.TrimPrefix(e.Subject, "checkout ")]++
		case "ticket":
			tickets[e.Subject]++
		}
	}
	for run := range w.runs {
		if deployments[run] != 1 {
			t.Errorf("run %s made %d deployments, want 1", run, deployments[run])
		}
		if tickets["deployed "+run] != 1 {
			t.Errorf("run %s opened %d tickets, want 1", run, tickets["deployed "+run])
		}
	}
}

// wallClock is the platform's clock: it lives outside the program under test.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) After(d time.Duration) (c <-chan time.Time, stop func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}

// verify opens the database that the program left behind and checks every invariant
// of every run in it.
func verify(t *testing.T, dir string) {
	t.Helper()
	plugins, err := app.NewShipped(shipped.Files)
	if err != nil {
		t.Fatal(err)
	}
	manifests, err := plugins.Manifests()
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Verify(t.Context(), filepath.Join(dir, "culm.db"), shippedGraphs{manifests}); err != nil {
		t.Fatal(err)
	}
}

// shippedGraphs compiles flow versions against the plugins inside the binary.
type shippedGraphs struct{ catalogue engine.Catalogue }

func (g shippedGraphs) Graph(_ context.Context, digest string, document []byte, _ map[string]string) (*engine.Graph, error) {
	f, err := engine.ParseFlow(document)
	if err != nil {
		return nil, err
	}
	graph, problems := engine.Compile(f, g.catalogue)
	if graph == nil {
		return nil, fmt.Errorf("flow version %s: %+v", digest, problems)
	}
	return graph, nil
}
