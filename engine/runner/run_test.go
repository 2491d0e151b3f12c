package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/pdk/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestARunGoesToItsEnd(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		v := s.run("r1", serial("a", "b", "c"))
		if v.State != engine.RunRunning || v.Run != "r1" || v.Operator != "li" || v.Nodes["a"].State != engine.NodeRunning {
			t.Errorf("view at the start = %+v", v)
		}
		s.untilState("r1", engine.RunSucceeded)
		for _, node := range []string{"a", "b", "c"} {
			if ds := s.exec.of(node); len(ds) != 1 || ds[0].Recovered || ds[0].Attempt != 1 {
				t.Errorf("calls of %s = %+v", node, ds)
			}
		}
		want := runner.RunInfo{
			ID: "r1", Project: "p", Flow: "serial", Operator: "li", Zone: "Asia/Shanghai",
			Plugins: map[string]string{"test": "sha256:1"},
		}
		if got := s.exec.runs[0]; !reflect.DeepEqual(got, want) {
			t.Errorf("run info = %+v; want %+v", got, want)
		}
		stored, err := s.runner.Records(t.Context(), "r1", 0, 0)
		if err != nil || lines(stored) != lines(s.pub.of("r1")) {
			t.Errorf("stored and published records differ (%v):\n%s\n%s", err, lines(stored), lines(s.pub.of("r1")))
		}
		v = s.view("r1")
		if v.State != engine.RunSucceeded || v.Seq != uint64(len(stored)) || v.EndedAt == nil {
			t.Errorf("view of the ended run = %+v", v)
		}
		h, err := s.runner.Head(t.Context(), "r1")
		if err != nil || h.State != engine.RunSucceeded || h.EndedAt == nil || h.Seq != v.Seq {
			t.Errorf("head = %+v, %v", h, err)
		}
		_, err = s.runner.Command(t.Context(), "p", "r1", by("li"), engine.Pause{})
		wantCode(t, err, engine.CodeEnded)
	})
}

func TestParallelNodesRunTogether(t *testing.T) {
	onStores(t, func(s *stage) {
		began, release := s.exec.hold("a")
		alsoBegan, alsoRelease := s.exec.hold("b")
		defer release()
		defer alsoRelease()
		s.run("r1", wide("a", "b"))
		<-began
		<-alsoBegan // both at the same time, or this waits for ever
		release()
		s.untilNode("r1", "a", engine.NodeSucceeded)
		alsoRelease()
		s.untilState("r1", engine.RunSucceeded)
	})
}

func TestStartKey(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		_, release := s.exec.hold("a")
		defer release()
		var wg sync.WaitGroup
		views := make([]engine.RunView, 16)
		for i := range views {
			q := s.request(fmt.Sprintf("r%d", i), serial("a"))
			q.Key, q.Hash = "key", "hash"
			wg.Go(func() {
				var err error
				if views[i], err = s.runner.StartRun(t.Context(), q); err != nil {
					t.Errorf("start %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		for _, v := range views {
			if v.Run != views[0].Run || v.Run == "" {
				t.Errorf("one key made runs %q and %q", views[0].Run, v.Run)
			}
		}
		other := s.request("other", serial("a"))
		other.Key, other.Hash = "key", "another"
		if _, err := s.runner.StartRun(t.Context(), other); !errors.Is(err, runner.ErrKeyReused) || !errors.Is(err, runner.ErrExists) {
			t.Errorf("the key with another body: %v", err)
		}
		release()
		s.untilState(views[0].Run, engine.RunSucceeded)
		other.Hash = "hash"
		if v, err := s.runner.StartRun(t.Context(), other); err != nil || v.Run != views[0].Run || v.State != engine.RunSucceeded {
			t.Errorf("the key after the end = %+v, %v", v, err)
		}
		other.Options.Project = "q"
		if v, err := s.runner.StartRun(t.Context(), other); err != nil || v.Run != "other" {
			t.Errorf("the key in another project = %+v, %v", v, err)
		}
		s.untilState("other", engine.RunSucceeded)
	})
}

func TestStartIsRefused(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.run("r1", serial("a"))
		s.untilState("r1", engine.RunSucceeded)
		_, err := s.runner.StartRun(t.Context(), s.request("r1", serial("a")))
		wantIs(t, err, runner.ErrExists)
		for name, spoil := range map[string]func(q *runner.StartRequest){
			"Options.Run":     func(q *runner.StartRequest) { q.Options.Run = "" },
			"Options.Project": func(q *runner.StartRequest) { q.Options.Project = "" },
			"Options.Digest":  func(q *runner.StartRequest) { q.Options.Digest = "" },
			"Document":        func(q *runner.StartRequest) { q.Document = nil },
			"Graph":           func(q *runner.StartRequest) { q.Graph = nil },
			"Key":             func(q *runner.StartRequest) { q.Hash = "h" },
		} {
			q := s.request("r2", serial("a"))
			spoil(&q)
			_, err := s.runner.StartRun(t.Context(), q)
			wantIs(t, err, runner.ErrRequest)
			if want := "runner: incomplete request: " + name + " is missing"; err != nil && err.Error() != want {
				t.Errorf("error %q; want %q", err, want)
			}
		}
		q := s.request("r2", serial("a"))
		q.Options.Inputs = map[string]json.RawMessage{"none": json.RawMessage(`1`)}
		_, err = s.runner.StartRun(t.Context(), q)
		wantCode(t, err, engine.CodeInvalid)
		_, err = s.runner.View(t.Context(), "r2")
		wantIs(t, err, runner.ErrNotFound)
	})
}

func TestUnknownRuns(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		_, release := s.exec.hold("a")
		defer release()
		s.run("r1", serial("a"))
		_, err := s.runner.Command(t.Context(), "p", "none", by("li"), engine.Pause{})
		wantIs(t, err, runner.ErrNotFound)
		_, err = s.runner.Command(t.Context(), "q", "r1", by("li"), engine.Pause{})
		wantIs(t, err, runner.ErrNotFound)
		release()
		s.untilState("r1", engine.RunSucceeded)
		_, err = s.runner.Command(t.Context(), "q", "r1", by("li"), engine.Pause{})
		wantIs(t, err, runner.ErrNotFound)
		_, err = s.runner.View(t.Context(), "none")
		wantIs(t, err, runner.ErrNotFound)
		_, err = s.runner.Records(t.Context(), "none", 0, 0)
		wantIs(t, err, runner.ErrNotFound)
		hs, err := s.runner.List(t.Context(), runner.RunQuery{Project: "p"})
		if err != nil || len(hs) != 1 {
			t.Errorf("List = %v, %v", hs, err)
		}
	})
}

func TestNotesOfARunningCall(t *testing.T) {
	onStores(t, func(s *stage) {
		noted := make(chan struct{})
		var late func(engine.Note)
		s.exec.on("a", func(_ context.Context, _ engine.Dispatch, emit func(engine.Note)) contract.Answer {
			emit(engine.Note{Progress: &engine.Progress{Percent: 40, Message: "copying"}})
			<-noted
			late = emit
			return done()
		})
		s.run("r1", serial("a"))
		s.until("r1", "note", func(rs []engine.Record) bool { return rs[len(rs)-1].Kind == engine.KindNodeNote })
		if p := s.view("r1").Nodes["a"].Progress; p == nil || p.Percent != 40 {
			s.t.Errorf("progress = %+v", p)
		}
		close(noted)
		s.untilState("r1", engine.RunSucceeded)
		late(engine.Note{Progress: &engine.Progress{Percent: 1}})
	})
}

// A call that says something last of all and ends at once is heard: its result does not
// overtake what it said.
func TestTheLastNotesOfACallAreKept(t *testing.T) {
	onStores(t, func(s *stage) {
		s.exec.on("a", func(_ context.Context, _ engine.Dispatch, emit func(engine.Note)) contract.Answer {
			for percent := range 3 {
				emit(engine.Note{Progress: &engine.Progress{Percent: percent}})
			}
			return done()
		})
		for n := range 50 {
			id := fmt.Sprintf("r%d", n)
			s.run(id, serial("a"))
			s.untilState(id, engine.RunSucceeded)
			var said []int
			for _, r := range s.pub.of(id) {
				if d, ok := r.Data.(engine.NodeNoted); ok {
					said = append(said, d.Progress.Percent)
				}
			}
			if fmt.Sprint(said) != "[0 1 2]" {
				s.t.Fatalf("run %s: heard %v", id, said)
			}
		}
	})
}

func TestAPanicOfTheExecutorFailsTheNode(t *testing.T) {
	onStores(t, func(s *stage) {
		t := s.t
		s.exec.on("a", func(context.Context, engine.Dispatch, func(engine.Note)) contract.Answer {
			panic("a secret in the stack")
		})
		s.run("r1", serial("a"))
		s.untilState("r1", engine.RunBlocked)
		f := s.view("r1").Nodes["a"].Failure
		if f == nil || f.Code != runner.FailPanic || f.Origin != contract.OriginHost || f.Message == "a secret in the stack" {
			t.Errorf("failure = %+v", f)
		}
		s.exec.on("a", nil)
		s.command("r1", by("li"), engine.Retry{Node: "a"})
		s.untilState("r1", engine.RunSucceeded)
	})
}

func wantIs(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v; want %v", got, want)
	}
}

func wantCode(t *testing.T, err error, want engine.Code) {
	t.Helper()
	var e *engine.Error
	if !errors.As(err, &e) || e.Code != want {
		t.Errorf("error %v; want code %s", err, want)
	}
}
