package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// liveMax is at how many live runs no more are started, so that a last life ends soon.
const liveMax = 40

// load starts runs and operates on them until the server is gone; the function it
// returns waits for that.
func (w *world) load(srv *server) (stop func()) {
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for range 3 {
		wg.Go(func() {
			for ctx.Err() == nil && w.work(srv) {
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// work asks once more for what is in doubt, starts a run, and operates on those that
// live; false when the server is gone.
func (w *world) work(srv *server) bool {
	if q, ok := w.account.doubt(); ok && !w.ask(srv, q) {
		return false
	}
	live, ok := w.live(srv)
	if !ok {
		return false
	}
	if len(live) < liveMax && !w.ask(srv, w.account.start()) {
		return false
	}
	for _, r := range live {
		if w.chance(40) && !w.step(srv, r.ID, r.State, true) {
			return false
		}
	}
	return true
}

type listed struct{ ID, State string }

// live lists the runs that have not ended; false when the server is gone.
func (w *world) live(srv *server) ([]listed, bool) {
	var list struct{ Items []listed }
	status, err := srv.call(http.MethodGet, project+"/runs?state=running&state=blocked&state=suspended&limit=200", nil, nil, &list)
	return list.Items, err == nil && (status == http.StatusOK || status == http.StatusServiceUnavailable)
}

// step does what one run needs from people, and with mischief also what it does not;
// false when the server is gone.
func (w *world) step(srv *server, id, state string, mischief bool) bool {
	if state == "suspended" {
		return w.run(srv, id, map[string]any{"command": "resume"})
	}
	if mischief {
		switch n := w.draw(100); {
		case n < 10:
			return w.run(srv, id, map[string]any{"command": "pause"})
		case n < 12:
			return w.run(srv, id, map[string]any{"command": "revoke", "reason": "enough"})
		}
	}
	var v runView
	if status, err := srv.call(http.MethodGet, runPath(id), nil, nil, &v); err != nil || status != http.StatusOK {
		return err == nil
	}
	for node, n := range v.Nodes {
		alive := true
		switch {
		case n.State == "waiting" && n.Wait != nil && n.Wait.Kind == "human":
			alive = w.answer(srv, id, node, mischief)
		case n.State == "waiting" && n.Child != "": // lists show only what people started
			alive = w.below(srv, n.Child)
		case n.State == "unknown":
			alive = w.node(srv, id, node, w.seen(v, w.resolution(id, node)))
		case n.State == "failed" && n.Due == "":
			alive = w.node(srv, id, node, w.seen(v, w.remedy(id, node)))
		}
		if !alive {
			return false
		}
	}
	return true
}

// below does what a run needs that another one started.
func (w *world) below(srv *server, id string) bool {
	var v runView
	status, err := srv.call(http.MethodGet, runPath(id), nil, nil, &v)
	if err != nil || status != http.StatusOK || v.State != "running" && v.State != "blocked" && v.State != "suspended" {
		return err == nil
	}
	return w.step(srv, id, v.State, false)
}

// answer answers the question of a node: often several people do, at the same moment.
func (w *world) answer(srv *server, run, node string, mischief bool) bool {
	people := 1
	if mischief && w.chance(50) {
		people = 4
	}
	var wg sync.WaitGroup
	alive := make([]bool, people)
	for i := range people {
		wg.Go(func() {
			alive[i] = w.node(srv, run, node, map[string]any{"command": "callback", "data": map[string]any{"approved": true, "comment": fmt.Sprintf("person %d", i)}})
		})
	}
	wg.Wait()
	for _, a := range alive {
		if !a {
			return false
		}
	}
	return true
}

// done reports whether the effect of a node is there, by looking into the systems
// themselves.
func (w *world) done(run, node string) (outputs map[string]any, done bool) {
	switch node {
	case "deploy":
		for _, e := range w.platform.Effects() {
			if e.Kind == "deployment" && strings.HasSuffix(e.Subject, run) {
				return map[string]any{"deployment_id": "seen", "state": "succeeded", "message": "seen by the operator"}, true
			}
		}
	case "report":
		for _, e := range w.platform.Effects() {
			if e.Kind == "ticket" && strings.HasSuffix(e.Subject, run) {
				return map[string]any{"id": "seen", "url": "https://tickets.example/seen"}, true
			}
		}
	case "inside.mark":
		return map[string]any{"status": http.StatusOK, "headers": map[string]any{}}, w.ledger.Has(run, "inside-"+run)
	case "mark":
		return map[string]any{"status": http.StatusOK, "headers": map[string]any{}}, w.ledger.HasAny("outside-" + run)
	case "book", "flaky":
		return map[string]any{"status": http.StatusOK, "headers": map[string]any{}}, w.ledger.Has(run, node)
	}
	return nil, false
}

// seen makes a command hold only for what was looked at. One whose answer was lost is sent
// again much later, when somebody else may have decided.
func (w *world) seen(v runView, command map[string]any) map[string]any {
	command["expected_seq"] = v.Seq
	return command
}

// resolution decides a node that nobody can vouch for.
func (w *world) resolution(run, node string) map[string]any {
	if outputs, ok := w.done(run, node); ok {
		return map[string]any{"command": "resolve", "as": "done", "outputs": outputs}
	}
	return map[string]any{"command": "resolve", "as": "retry"}
}

// remedy decides a node that failed.
func (w *world) remedy(run, node string) map[string]any {
	if _, ok := w.done(run, node); ok {
		return map[string]any{"command": "skip"}
	}
	return map[string]any{"command": "retry"}
}

func (w *world) run(srv *server, run string, body map[string]any) bool {
	return w.ask(srv, w.account.command(run, runPath(run)+"/commands", body))
}

func (w *world) node(srv *server, run, node string, body map[string]any) bool {
	return w.ask(srv, w.account.command(run, runPath(run)+"/nodes/"+node+"/commands", body))
}

// ask sends a request and writes into the account what became of it; false when the
// server is gone.
func (w *world) ask(srv *server, q *asked) bool {
	var out struct {
		ID  string
		Seq uint64
	}
	status, err := srv.call(http.MethodPost, q.path, q.body, map[string]string{"Idempotency-Key": q.key}, &out)
	switch {
	case err != nil:
		w.account.lost(q)
	case status >= http.StatusInternalServerError: // it may have been done all the same
		w.account.busy(status)
		w.account.lost(q)
	case status == http.StatusCreated:
		w.account.started(q, out.ID)
	case status == http.StatusOK:
		w.account.obeyed(q, out.Seq)
	}
	return err == nil
}

// finish brings every run to its end.
func (w *world) finish(t *testing.T, srv *server) {
	t.Helper()
	for q, ok := w.account.doubt(); ok; q, ok = w.account.doubt() {
		if !w.ask(srv, q) {
			t.Fatal("the server ended")
		}
	}
	defer func() {
		if !t.Failed() {
			return
		}
		live, _ := w.live(srv)
		for _, r := range live {
			t.Logf("run %s does not end: %+v", r.ID, srv.view(t, r.ID))
		}
		t.Logf("the server said:\n%s", srv.logs)
	}()
	await(t, "every run ends", 4*time.Minute, func() bool {
		live, ok := w.live(srv)
		if !ok {
			t.Fatalf("the server ended:\n%s", srv.logs)
		}
		for _, r := range live {
			w.step(srv, r.ID, r.State, false)
		}
		return len(live) == 0
	})
}
