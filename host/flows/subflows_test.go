package flows_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
	"github.com/culmhq/culm/pdk/contract"
)

// chain is a flow with a task and, behind it, one subflow node for each reference
// ("b" the latest version, "b@2" version 2).
func chain(t *testing.T, id string, references ...string) *engine.Flow {
	t.Helper()
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.ID, f.Name, f.Variables = id, contract.T(id), nil
	f.Nodes = []engine.Node{
		{ID: "start", Type: engine.TypeStart},
		{ID: "add", Type: engine.TypeTask, Plugin: "toy", Action: "add", Inputs: map[string]json.RawMessage{"a": json.RawMessage("1")}},
	}
	for i, reference := range references {
		n := engine.Node{ID: fmt.Sprintf("sub%d", i+1), Type: engine.TypeSubflow}
		flow, version, _ := strings.Cut(reference, "@")
		n.Flow = flow
		if version != "" {
			if _, err := fmt.Sscan(version, &n.Version); err != nil {
				t.Fatal(err)
			}
		}
		f.Nodes = append(f.Nodes, n)
	}
	f.Nodes = append(f.Nodes, engine.Node{ID: "end", Type: engine.TypeEnd})
	f.Edges = nil
	for i := 1; i < len(f.Nodes); i++ {
		f.Edges = append(f.Edges, engine.Edge{ID: fmt.Sprintf("e%d", i), From: f.Nodes[i-1].ID, To: f.Nodes[i].ID})
	}
	return f
}

// put saves a document as the draft of its flow.
func put(t *testing.T, s *flows.Service, f *engine.Flow) flows.Detail {
	t.Helper()
	old, err := s.Get(t.Context(), hosttest.Project, f.ID)
	if fault.Is(err, fault.NotFound) {
		return create(t, s, f)
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Save(t.Context(), flows.SaveRequest{Project: hosttest.Project, Actor: actor, Flow: f.ID, Revision: old.Revision, Document: f})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func publish(ctx context.Context, s *flows.Service, d flows.Detail) error {
	_, err := s.Publish(ctx, flows.PublishRequest{Project: hosttest.Project, Actor: actor, Flow: d.ID, Revision: d.Revision})
	return err
}

// release saves and publishes.
func release(t *testing.T, s *flows.Service, f *engine.Flow) {
	t.Helper()
	if err := publish(t.Context(), s, put(t, s, f)); err != nil {
		t.Fatal(err)
	}
}

// errorsOf lists the errors of a draft as "node field CODE names".
func errorsOf(ps []engine.Problem) []string {
	var out []string
	for _, p := range ps {
		if p.Level == engine.SeverityError {
			out = append(out, strings.TrimSpace(strings.Join([]string{p.Node, p.Field, p.Code, p.Args["names"]}, " ")))
		}
	}
	return out
}

func wantErrors(t *testing.T, got []engine.Problem, want ...string) {
	t.Helper()
	if have := errorsOf(got); !slices.Equal(have, want) {
		t.Errorf("problems %q, want %q", have, want)
	}
}

func TestSubflowsAreFoundInTheProject(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	create(t, s, chain(t, "draft-only"))
	d := put(t, s, chain(t, "a", "nowhere", "draft-only", "b"))
	wantErrors(t, d.Problems, "sub1 /flow SUBFLOW_UNKNOWN", "sub2 /flow SUBFLOW_UNPUBLISHED", "sub3 /flow SUBFLOW_UNKNOWN")

	release(t, s, chain(t, "b"))
	d = put(t, s, chain(t, "a", "b", "b@1", "b@2"))
	wantErrors(t, d.Problems, "sub3 /version SUBFLOW_VERSION_UNKNOWN")
	if len(d.Document.Subflows) != 0 {
		t.Errorf("the draft keeps copies of %d flows", len(d.Document.Subflows))
	}
	release(t, s, chain(t, "a", "b", "b@1"))
	v, err := s.Version(t.Context(), hosttest.Project, "a", 0)
	if err != nil || strings.Contains(string(v.Document), "subflows") {
		t.Errorf("the version is %s, %v", v.Document, err)
	}
}

func TestPinnedVersionsStay(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	release(t, s, chain(t, "c"))
	release(t, s, chain(t, "b", "c"))
	release(t, s, chain(t, "a", "b"))
	pinned := func() *engine.Flow {
		r, err := s.Resolve(t.Context(), hosttest.Project, chain(t, "a", "b", "b@1"))
		if err != nil || len(r.Problems) != 0 {
			t.Fatal(err, r.Problems)
		}
		return r.Pinned()
	}
	before := pinned()
	if got := slices.Sorted(maps.Keys(before.Subflows)); !slices.Equal(got, []string{"b@1", "c@1"}) {
		t.Errorf("subflows %q", got)
	}
	if before.Nodes[2].Version != 1 || before.Subflows["b@1"].Nodes[2].Version != 1 {
		t.Error("the nodes do not name the versions")
	}
	changed := chain(t, "c")
	changed.Doc = contract.T("changed")
	release(t, s, changed)
	after := pinned()
	if got := slices.Sorted(maps.Keys(after.Subflows)); !slices.Equal(got, []string{"b@1", "c@2"}) {
		t.Errorf("subflows %q after c was published again", got)
	}
	if engine.Digest(before) == engine.Digest(after) {
		t.Error("the digest does not cover the subflows")
	}
}

func TestRecursionIsRefused(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	release(t, s, chain(t, "a"))
	release(t, s, chain(t, "b", "a"))
	release(t, s, chain(t, "c", "b"))
	wantErrors(t, put(t, s, chain(t, "a", "a")).Problems, "sub1 /flow SUBFLOW_RECURSION a → a")
	d := put(t, s, chain(t, "a", "c"))
	wantErrors(t, d.Problems, "sub1 /flow SUBFLOW_RECURSION a → c → b → a")
	e := wantFault(t, publish(t.Context(), s, d), fault.Invalid, "")
	wantErrors(t, e.Problems, "sub1 /flow SUBFLOW_RECURSION a → c → b → a")
}

// Two drafts may name each other; the second one to be published closes the circle.
func TestRecursionThroughAFlowPublishedLater(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	release(t, s, chain(t, "a"))
	release(t, s, chain(t, "b"))
	a, b := put(t, s, chain(t, "a", "b")), put(t, s, chain(t, "b", "a"))
	wantErrors(t, a.Problems)
	wantErrors(t, b.Problems)
	if err := publish(t.Context(), s, a); err != nil {
		t.Fatal(err)
	}
	e := wantFault(t, publish(t.Context(), s, b), fault.Invalid, "")
	wantErrors(t, e.Problems, "sub1 /flow SUBFLOW_RECURSION b → a → b")
	d, err := s.Get(t.Context(), hosttest.Project, "b")
	if err != nil {
		t.Fatal(err)
	}
	wantErrors(t, d.Problems, "sub1 /flow SUBFLOW_RECURSION b → a → b")
}

func TestOneOfTwoFlowsThatCloseACircleAtOnceIsPublished(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	release(t, s, chain(t, "a"))
	release(t, s, chain(t, "b"))
	drafts := []flows.Detail{put(t, s, chain(t, "a", "b")), put(t, s, chain(t, "b", "a"))}
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i, d := range drafts {
		wg.Go(func() { errs[i] = publish(t.Context(), s, d) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) {
		t.Errorf("publishing gave %v and %v", errs[0], errs[1])
	}
}

func TestADocumentMayBringItsSubflows(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	release(t, s, chain(t, "b"))
	f := chain(t, "a", "b", "own", "own@2")
	f.Subflows = map[string]*engine.Flow{"own": chain(t, "own", "b")}
	d := put(t, s, f)
	wantErrors(t, d.Problems, "sub3 /flow SUBFLOW_UNKNOWN")
	if d.Document.Subflows["own"] == nil || len(d.Document.Subflows) != 1 {
		t.Errorf("the draft keeps %v", d.Document.Subflows)
	}
	f = chain(t, "a", "b", "own")
	f.Subflows = map[string]*engine.Flow{"own": chain(t, "own", "b")}
	release(t, s, f)
	r, err := s.Resolve(t.Context(), hosttest.Project, f)
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(r.Pinned().Subflows)); !slices.Equal(got, []string{"b@1", "own"}) {
		t.Errorf("subflows %q", got)
	}
	wantErrors(t, put(t, s, chain(t, "c", "a")).Problems, "sub1 /flow SUBFLOW_CLOSED")

	f = chain(t, "d", "x")
	f.Subflows = map[string]*engine.Flow{"x": chain(t, "x", "y"), "y": chain(t, "y", "x")}
	wantErrors(t, put(t, s, f).Problems, "sub1 /flow SUBFLOW_RECURSION x → y → x")
}

func TestWhatSubflowsAreGivenIsChecked(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	release(t, s, hosttest.Flow(t, hosttest.AddFlow))
	f := chain(t, "a", "add-up")
	f.Nodes[2].Inputs = map[string]json.RawMessage{"count": json.RawMessage("101")}
	wantErrors(t, put(t, s, f).Problems, "sub1 /inputs/count INPUT_INVALID")
	f.Nodes[2].Inputs = map[string]json.RawMessage{"count": json.RawMessage("100")}
	wantErrors(t, put(t, s, f).Problems)
}

func TestAFlowThatOthersContainIsNotDeleted(t *testing.T) {
	t.Parallel()
	s := hosttest.Open(t).Flows(nil)
	remove := func(id string) error { return s.Delete(t.Context(), hosttest.Project, id, actor) }
	release(t, s, chain(t, "b"))
	release(t, s, chain(t, "in-version", "b"))
	put(t, s, chain(t, "in-version"))
	create(t, s, chain(t, "in-draft", "b@1"))
	e := wantFault(t, remove("b"), fault.InUse, "")
	if !strings.Contains(e.Message, "in-draft, in-version") {
		t.Errorf("the refusal says %q", e.Message)
	}
	release(t, s, chain(t, "in-version"))
	if err := remove("in-draft"); err != nil {
		t.Fatal(err)
	}
	if err := remove("b"); err != nil {
		t.Error(err)
	}
}
