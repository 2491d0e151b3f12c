package runs

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
)

// Selection says which of a flow's optional nodes a run leaves out: those of the
// schemes, by id, and those that are named.
type Selection struct {
	Schemes []string `json:"schemes,omitempty"`
	Without []string `json:"without,omitempty"`
}

// PreviewRequest asks what a start would run.
type PreviewRequest struct {
	Project, Flow string
	// Version, if zero, is the latest.
	Version   int
	Selection Selection
	// Inputs are the values of the form as they are now, as far as they may be shown.
	Inputs map[string]json.RawMessage
	Actor  engine.Actor
}

// Preview is what a start would run.
type Preview struct {
	Version int `json:"version"`
	// Document is the flow without the nodes that are left out, with the versions of
	// its subflows, complete in itself.
	Document json.RawMessage  `json:"document"`
	Problems []engine.Problem `json:"problems"`
	// Asked names the inputs that a start with these values is asked for; nil when a
	// problem forbids the start.
	Asked []string `json:"asked"`
}

// Preview returns what a start would run, and why it could not; it stores nothing.
func (s *Service) Preview(ctx context.Context, r PreviewRequest) (Preview, error) {
	project, err := s.o.Projects.Get(ctx, r.Project)
	if err != nil {
		return Preview{}, err
	}
	p, err := s.plan(ctx, r.Project, r.Flow, r.Version, r.Selection)
	if err != nil {
		return Preview{}, err
	}
	out := Preview{Version: p.version.Number, Document: p.document, Problems: append([]engine.Problem{}, p.problems...)}
	if p.graph != nil {
		out.Asked = p.graph.Asked(engine.Meta{At: s.o.Clock.Now().UTC(), Actor: r.Actor}, engine.StartOptions{
			Project: r.Project, Flow: r.Flow, Env: project.Env, Inputs: r.Inputs,
		})
	}
	return out, nil
}

// plan is what a run is made from.
type plan struct {
	version flows.Version
	// flow is what runs, document its canonical JSON, digest the hash of that.
	flow     *engine.Flow
	document []byte
	digest   string
	// plugins are the digests of the whole tree's plugins.
	plugins map[string]string
	// graph is nil when a problem forbids the start.
	graph    *engine.Graph
	problems []engine.Problem
}

// plan takes a published version, leaves out what is not to run, finds the versions of
// its subflows, and compiles it with the plugins that are installed now.
func (s *Service) plan(ctx context.Context, project, flow string, number int, sel Selection) (plan, error) {
	v, err := s.o.Flows.Version(ctx, project, flow, number)
	if err != nil {
		return plan{}, err
	}
	var f engine.Flow
	if err := json.Unmarshal(v.Document, &f); err != nil {
		return plan{}, fault.Wrap("read flow version", err)
	}
	p := plan{version: v, flow: &f, document: v.Document, digest: v.Digest}
	reduced, problems, err := selected(&f, sel)
	if p.problems = problems; err != nil || reduced == nil {
		return p, err
	}
	resolved, err := s.o.Flows.Resolve(ctx, project, reduced)
	if err != nil {
		return plan{}, err
	}
	if reduced != &f || len(resolved.Flow.Subflows) > 0 {
		p.flow = resolved.Pinned()
		p.document, p.digest = engine.Canonical(p.flow), engine.Digest(p.flow)
	}
	if len(p.document) > flows.ResolvedBytesMax {
		return plan{}, fault.New(fault.TooLarge, "with its subflows the flow has more than %d bytes", flows.ResolvedBytesMax).Because("FLOWS_TOO_LARGE")
	}
	p.plugins = pins(p.flow, s.o.Catalogue)
	if p.problems = resolved.Problems; len(p.problems) > 0 {
		return p, nil
	}
	p.graph, p.problems, err = s.o.Graphs.compile(p.digest, p.document, p.plugins)
	return p, fault.Wrap("compile flow", err)
}

// selected leaves the optional nodes out that are not to run: those that all of the
// schemes leave out, and those that are named. It returns f itself when that is none,
// and problems instead of a flow when it cannot be done.
func selected(f *engine.Flow, sel Selection) (*engine.Flow, []engine.Problem, error) {
	without, err := engine.SchemeWithout(f, sel.Schemes)
	if err != nil {
		return nil, nil, refusal("choose schemes", "", err)
	}
	for _, id := range sel.Without {
		if !slices.Contains(without, id) {
			without = append(without, id)
		}
	}
	reduced, problems := engine.Reduce(f, without)
	return reduced, problems, nil
}
