package runner_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

func TestAfterACrashTheCallIsMadeAgain(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, _ := s.exec.hold("b")
		s.run("r1", serial("a", "b", "c"))
		first := <-began
		s.crash(func() { s.exec.on("b", nil) })
		s.untilState("r1", engine.RunSucceeded)
		calls := s.exec.of("b")
		if n := len(s.exec.of("a")); n != 1 {
			t.Errorf("a was called %d times; it had finished", n)
		}
		again := calls[len(calls)-1]
		if !again.Recovered || again.Epoch != first.Epoch || again.Attempt != first.Attempt || again.Call != first.Call {
			t.Errorf("the call after the crash = %+v; the one before %+v", again, first)
		}
	})
}

// A runner is killed again and again while runs go on. What was acknowledged is there,
// histories are sound, and no node is called after its end was durable.
func TestCrashesAtAnyMoment(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		const crashes, nodes = 15, 8
		// Some nodes run ahead of the commit, some do not.
		s.exec.pure = func(node string) bool { return strings.ContainsAny(node, "ac1346") }
		acknowledged := map[string]uint64{}
		for i := range crashes {
			id := fmt.Sprintf("r%d", i)
			q := s.request(id, steps(nodes))
			if i%2 == 1 {
				q = s.request(id, wide("a", "b", "c", "d"))
			}
			v, err := s.runner.StartRun(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			acknowledged[id] = v.Seq
			target := uint64(i) // the crash comes at another record each time
			s.until(id, "record", func(rs []engine.Record) bool { return uint64(len(rs)) > min(target, 20) })
			for id := range acknowledged {
				acknowledged[id] = max(acknowledged[id], lastSeq(s.pub.of(id)))
			}
			durable := s.finishedNodes()
			s.exec.forget()
			s.crash()
			for id, seq := range acknowledged {
				rs, err := s.runner.Records(t.Context(), id, 0, 0)
				if err != nil || lastSeq(rs) < seq {
					t.Errorf("%s is at %d after a crash (%v); %d was acknowledged", id, lastSeq(rs), err, seq)
				}
			}
			s.wantNotCalled(durable)
		}
		for _, id := range slices.Sorted(maps.Keys(acknowledged)) {
			s.untilEnded(id)
		}
		s.stop()
	})
}

// finishedNodes lists the nodes, by run, whose end is durable.
func (s *stage) finishedNodes() map[string]map[string]bool {
	s.t.Helper()
	out := map[string]map[string]bool{}
	heads, err := s.store.List(s.t.Context(), runner.RunQuery{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range heads {
		out[h.ID] = map[string]bool{}
		rs, err := s.store.Records(s.t.Context(), h.ID, 0, 0)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, r := range rs {
			if c, ok := r.Data.(engine.NodeChanged); ok && c.To == engine.NodeSucceeded {
				out[h.ID][r.Node] = true
			}
		}
	}
	return out
}

// wantNotCalled checks the calls since forget.
func (s *stage) wantNotCalled(finished map[string]map[string]bool) {
	s.t.Helper()
	s.exec.mu.Lock()
	defer s.exec.mu.Unlock()
	for i, d := range s.exec.calls {
		if finished[s.exec.runs[i].ID][d.Node] {
			s.t.Errorf("%s of %s was called after its end was durable", d.Node, s.exec.runs[i].ID)
		}
	}
}

// untilEnded waits for the end of a run whose last records may have been published
// before a crash, or not at all.
func (s *stage) untilEnded(run string) {
	s.t.Helper()
	if s.view(run).State.Ended() {
		return
	}
	s.until(run, "end", func(rs []engine.Record) bool {
		for _, r := range rs {
			if c, ok := r.Data.(engine.RunChanged); ok && c.To.Ended() {
				return true
			}
		}
		return false
	})
}

func (x *script) forget() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls, x.runs = nil, nil
}

func lastSeq(rs []engine.Record) uint64 {
	if len(rs) == 0 {
		return 0
	}
	return rs[len(rs)-1].Seq
}

func TestARunThatCannotBeRecoveredDoesNotStopTheOthers(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, _ := s.exec.hold("x")
		began2, _ := s.exec.hold("y")
		s.run("poison", serial("x"))
		s.run("good", serial("y"))
		<-began
		<-began2
		bad := s.request("", serial("x")).Options.Digest
		g := s.graphs[bad]
		delete(s.graphs, bad)
		s.crash(func() { s.exec.on("y", nil) })
		s.untilState("good", engine.RunSucceeded)
		_, err := s.runner.Command(t.Context(), "p", "poison", by("li"), engine.Revoke{})
		wantIs(t, err, runner.ErrQuarantined)
		_, err = s.runner.View(t.Context(), "poison")
		wantIs(t, err, runner.ErrQuarantined)
		q, err := s.runner.Quarantined(t.Context())
		if err != nil || len(q) != 1 || q["poison"] == nil {
			t.Errorf("Quarantined = %v, %v", q, err)
		}
		// When what was wrong is put right, the next start takes the run in.
		s.graphs[bad] = g
		s.crash()
		s.command("poison", by("li"), engine.Revoke{})
	})
}

func TestStopLetsCallsEnd(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, release := s.exec.hold("a")
		s.run("r1", serial("a", "b"))
		<-began
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			s.stop()
		}()
		for { // it is stopping once it refuses everything, also what is incomplete
			if _, err := s.runner.StartRun(t.Context(), runner.StartRequest{}); errors.Is(err, runner.ErrStopped) {
				break
			}
		}
		select {
		case <-stopped:
			t.Error("stopped while a call was running")
		default:
		}
		release()
		<-stopped
		if n := len(s.exec.of("b")); n != 0 {
			t.Errorf("b was called %d times while the runner was stopping", n)
		}
		_, err := s.runner.View(t.Context(), "r1")
		wantIs(t, err, runner.ErrStopped)
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		s.start()
		s.untilState("r1", engine.RunSucceeded)
		if n := len(s.exec.of("a")); n != 1 {
			t.Errorf("a was called %d times; its end was committed by the stop", n)
		}
	})
}

func TestStopDoesNotWaitForEver(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		began, _ := s.exec.hold("a")
		s.run("r1", serial("a"))
		<-began
		before, err := s.runner.Records(t.Context(), "r1", 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantIs(t, s.runner.Stop(ctx), context.Canceled)
		after, err := s.runner.Records(t.Context(), "r1", 0, 0)
		if err != nil || lines(after) != lines(before) {
			t.Errorf("a call that was cut off left records:\n%s", lines(after))
		}
		if err := s.store.Close(); err != nil {
			t.Fatal(err)
		}
		s.exec.on("a", func(_ context.Context, d engine.Dispatch, _ func(engine.Note)) contract.Answer {
			if !d.Recovered {
				return failed("NOT_MARKED")
			}
			return done()
		})
		s.start()
		s.untilState("r1", engine.RunSucceeded)
	})
}
