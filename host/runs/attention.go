package runs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/runner"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Need is why a node of a run that has not ended needs a person.
type Need string

// What a node may need.
const (
	// NeedAnswer: it waits for what a person says.
	NeedAnswer Need = "answer"
	// NeedDecision: it failed, or nobody knows whether it acted, or it could not be
	// rolled back. Somebody must say how to go on.
	NeedDecision Need = "decision"
)

// Attention is a node that needs a person.
type Attention struct {
	Need     Need             `json:"need"`
	State    engine.NodeState `json:"state"`
	Run      string           `json:"run"`
	RunName  string           `json:"run_name"`
	Flow     string           `json:"flow"`
	FlowName contract.Text    `json:"flow_name"`
	Version  int              `json:"version"`
	Operator string           `json:"operator"`
	// Node is its path, NodeName what the flow calls it.
	Node     string        `json:"node"`
	NodeName contract.Text `json:"node_name,omitzero"`
	// Since is when it came to need somebody.
	Since time.Time `json:"since"`
	// Prompt is what a person is asked (NeedAnswer), Failure what went wrong.
	Prompt  contract.Text     `json:"prompt,omitzero"`
	Failure *contract.Failure `json:"failure,omitempty"`
	// More is how many further nodes of the run have the same need, if the question was
	// for one node a run.
	More int `json:"more,omitempty"`
}

// AttentionQuery asks for the nodes of a project that need a person, the newest first.
type AttentionQuery struct {
	Project string
	// Need, if not empty, restricts.
	Need Need
	// PerRun asks for the newest node of each need of each run, so that one run with many
	// failures does not hide the others.
	PerRun bool
	Page   page.Query
}

// AttentionPage is one page of nodes, and how many there are of each need in all.
type AttentionPage struct {
	page.Of[Attention]
	Answers   int `json:"answers"`
	Decisions int `json:"decisions"`
}

// AttentionRuns is what the index reads of the runs; *runner.Runner is one.
type AttentionRuns interface {
	View(ctx context.Context, run string) (engine.RunView, error)
	Head(ctx context.Context, run string) (runner.RunHead, error)
	Lister
}

// Attentions knows which nodes need a person. It follows the commits, so that a question
// about all runs reads none of them. It is safe for concurrent use; make it with
// NewAttentions.
type Attentions struct {
	runs     AttentionRuns
	projects Projects

	// loading is held while the index is filled, on the first question.
	loading sync.Mutex
	loaded  bool

	mu sync.Mutex
	// follows says that commits are heeded; touched holds the last one of each run while
	// the index is being filled.
	follows bool
	touched map[string]uint64
	at      map[string]*needy
	flows   map[string]*engine.Flow // by digest, few
}

// needy is a run with nodes that need a person; head has no document.
type needy struct {
	nodes map[string]need
	head  *runner.RunHead
}

type need struct {
	kind    Need
	state   engine.NodeState
	since   time.Time
	prompt  contract.Text
	failure *contract.Failure
}

// NewAttentions makes an index; Follow comes before any question.
func NewAttentions() *Attentions {
	return &Attentions{at: map[string]*needy{}, flows: map[string]*engine.Flow{}}
}

// Follow names whose commits are published to the index. It is called once, before
// anything else; the runner is made with the index as a publisher.
func (a *Attentions) Follow(r AttentionRuns, p Projects) { a.runs, a.projects = r, p }

// Publish implements runner.Publisher.
func (a *Attentions) Publish(run string, rs []engine.Record) {
	for i := range rs {
		switch d := rs[i].Data.(type) {
		case engine.NodeChanged:
			n, needs := needOf(d.To, d.Wait)
			if _, did := needOf(d.From, humanly(d.From)); needs || did {
				n.since, n.failure = rs[i].At, d.Failure
				a.heed(run, rs[i].Seq, rs[i].Node, n, needs)
			}
		case engine.RunChanged:
			if d.To.Ended() {
				a.end(run, rs[i].Seq)
			}
		default: // nothing else changes what a node needs
		}
	}
}

// humanly stands for the wait of a node that leaves a state: whatever it waited for, it
// does not any more.
func humanly(s engine.NodeState) *contract.Wait {
	if s == engine.NodeWaiting {
		return &contract.Wait{Kind: contract.WaitHuman}
	}
	return nil
}

// needOf says what a node in a state needs, if it needs a person.
func needOf(s engine.NodeState, w *contract.Wait) (need, bool) {
	switch s {
	case engine.NodeWaiting:
		if w == nil || w.Kind != contract.WaitHuman {
			return need{}, false
		}
		return need{kind: NeedAnswer, state: s, prompt: w.Prompt}, true
	case engine.NodeFailed, engine.NodeUnknown, engine.NodeRollbackFailed:
		return need{kind: NeedDecision, state: s}, true
	case engine.NodeIdle, engine.NodeReady, engine.NodeRunning, engine.NodeSuspended, engine.NodeSucceeded,
		engine.NodeSkipped, engine.NodeCancelled, engine.NodeRollingBack, engine.NodeRolledBack:
	}
	return need{}, false
}

func (a *Attentions) heed(run string, seq uint64, node string, n need, needs bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.follows {
		return
	}
	if a.touched != nil {
		a.touched[run] = seq
	}
	r := a.at[run]
	switch {
	case needs && r == nil:
		a.at[run] = &needy{nodes: map[string]need{node: n}}
	case needs:
		r.nodes[node] = n
	case r != nil:
		if delete(r.nodes, node); len(r.nodes) == 0 {
			delete(a.at, run)
		}
	}
}

func (a *Attentions) end(run string, seq uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.touched != nil {
		a.touched[run] = seq
	}
	delete(a.at, run)
}

// List returns a page of nodes that need a person.
func (a *Attentions) List(ctx context.Context, q AttentionQuery) (AttentionPage, error) {
	none := AttentionPage{}
	limit, err := q.Page.Size()
	if err != nil {
		return none, err
	}
	var after place
	further, err := q.Page.After(&after)
	if err != nil {
		return none, err
	}
	if q.Need != "" && q.Need != NeedAnswer && q.Need != NeedDecision {
		return none, fault.At("/need", "no need %.32q", q.Need).Because("CHOICE")
	}
	all, err := a.of(ctx, q.Project)
	if err != nil {
		return none, err
	}
	out := AttentionPage{}
	for i := range all {
		if all[i].Need == NeedAnswer {
			out.Answers++
		} else {
			out.Decisions++
		}
	}
	all = slices.DeleteFunc(all, func(i found) bool { return q.Need != "" && i.Need != q.Need })
	slices.SortFunc(all, func(x, y found) int { return x.place().before(y.place()) })
	if q.PerRun {
		all = newestOfRuns(all)
	}
	all = slices.DeleteFunc(all, func(i found) bool { return further && i.place().before(after) <= 0 })
	cut, err := page.Cut(all[:min(len(all), limit+1)], limit, func(i found) any { return i.place() })
	if err != nil {
		return none, err
	}
	out.Of, err = a.named(ctx, cut)
	return out, err
}

// newestOfRuns keeps the first node of each need of each run, and counts the others there.
func newestOfRuns(all []found) []found {
	type group struct {
		run  string
		need Need
	}
	at := map[group]int{}
	var out []found
	for _, i := range all {
		g := group{i.Run, i.Need}
		if first, seen := at[g]; seen {
			out[first].More++
			continue
		}
		at[g] = len(out)
		out = append(out, i)
	}
	return out
}

// named gives the nodes of a page their names.
func (a *Attentions) named(ctx context.Context, cut page.Of[found]) (page.Of[Attention], error) {
	out := page.Of[Attention]{Items: make([]Attention, 0, len(cut.Items)), Next: cut.Next}
	for _, i := range cut.Items {
		if err := a.name(ctx, &i); err != nil {
			return page.Of[Attention]{}, err
		}
		out.Items = append(out.Items, i.Attention)
	}
	return out, nil
}

// place is where a page of nodes starts.
type place struct {
	Since int64  `json:"since"`
	Run   string `json:"run"`
	Node  string `json:"node"`
}

// before orders the newest first.
func (p place) before(o place) int {
	return cmp.Or(cmp.Compare(o.Since, p.Since), cmp.Compare(o.Run, p.Run), cmp.Compare(p.Node, o.Node))
}

// found is a node without its names, and the version that has them.
type found struct {
	Attention
	digest string
}

func (f *found) place() place { return place{f.Since.UnixMicro(), f.Run, f.Node} }

// of returns what the index has of a project.
func (a *Attentions) of(ctx context.Context, project string) ([]found, error) {
	if _, err := a.projects.Get(ctx, project); err != nil {
		return nil, err
	}
	if err := a.load(ctx); err != nil {
		return nil, err
	}
	if err := a.heads(ctx); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []found
	for _, r := range a.at {
		if r.head == nil || r.head.Project != project {
			continue // it came a moment ago
		}
		for node, n := range r.nodes {
			out = append(out, found{digest: r.head.Digest, Attention: Attention{
				Need: n.kind, State: n.state, Run: r.head.ID, RunName: r.head.Name, Flow: r.head.Flow, Version: r.head.Version,
				Operator: r.head.Operator, Node: node, Since: n.since, Prompt: n.prompt, Failure: n.failure,
			}})
		}
	}
	return out, nil
}

// heads reads the rows of the runs that came into the index since it was last done.
func (a *Attentions) heads(ctx context.Context) error {
	a.mu.Lock()
	var unread []string
	for id, r := range a.at {
		if r.head == nil {
			unread = append(unread, id)
		}
	}
	a.mu.Unlock()
	for _, id := range unread {
		h, err := a.runs.Head(ctx, id)
		if errors.Is(err, runner.ErrNotFound) {
			continue
		}
		if err != nil {
			return refusal("read run", id, err)
		}
		h.Document = nil
		a.mu.Lock()
		if r := a.at[id]; r != nil {
			r.head = &h
		}
		a.mu.Unlock()
	}
	return nil
}

// attentionFlowsMax bounds how many flow versions are kept for their names.
const attentionFlowsMax = 32

// name gives a node the names of its flow version.
func (a *Attentions) name(ctx context.Context, i *found) error {
	a.mu.Lock()
	f := a.flows[i.digest]
	a.mu.Unlock()
	if f == nil {
		h, err := a.runs.Head(ctx, i.Run)
		if err != nil {
			return refusal("read run", i.Run, err)
		}
		if f, err = decodeFlow(h); err != nil {
			return err
		}
		a.mu.Lock()
		if len(a.flows) >= attentionFlowsMax {
			clear(a.flows)
		}
		a.flows[i.digest] = f
		a.mu.Unlock()
	}
	i.FlowName = f.Name
	if n := nodeAt(f, i.Node); n != nil {
		i.NodeName = n.Name
	}
	return nil
}

// load fills the index with what the live runs need, once. Commits that are published
// meanwhile count where they are later than what was read.
func (a *Attentions) load(ctx context.Context) error {
	a.loading.Lock()
	defer a.loading.Unlock()
	if a.loaded {
		return nil
	}
	a.mu.Lock()
	a.follows, a.touched = true, map[string]uint64{}
	a.mu.Unlock()
	heads, err := a.runs.List(ctx, runner.RunQuery{States: []engine.RunState{
		engine.RunCreated, engine.RunRunning, engine.RunSuspended, engine.RunBlocked,
	}})
	if err != nil {
		return refusal("list runs", "", err)
	}
	for i := range heads {
		if err := a.read(ctx, &heads[i]); err != nil {
			return err
		}
	}
	a.mu.Lock()
	a.touched = nil
	a.mu.Unlock()
	a.loaded = true
	return nil
}

// read takes one run into the index as it is now.
func (a *Attentions) read(ctx context.Context, h *runner.RunHead) error {
	for {
		v, err := a.runs.View(ctx, h.ID)
		if ctx.Err() != nil {
			return refusal("read run", h.ID, ctx.Err())
		}
		if err != nil {
			return nil //nolint:nilerr // one run that cannot be read does not hide the others
		}
		nodes := needs(&v)
		a.mu.Lock()
		current := a.touched[h.ID] <= v.Seq
		if current {
			delete(a.at, h.ID)
			if len(nodes) > 0 && !v.State.Ended() {
				own := *h
				a.at[h.ID] = &needy{nodes: nodes, head: &own}
			}
		}
		a.mu.Unlock()
		if current {
			return nil
		}
	}
}

// needs returns what the nodes of a run need as it is.
func needs(v *engine.RunView) map[string]need {
	nodes := map[string]need{}
	for path, n := range v.Nodes {
		if w, ok := needOf(n.State, n.Wait); ok {
			w.failure, w.since = n.Failure, v.CreatedAt
			if at := cmp.Or(n.EndedAt, n.StartedAt); at != nil {
				w.since = *at
			}
			nodes[path] = w
		}
	}
	return nodes
}
