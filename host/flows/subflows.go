package flows

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
)

// The limits of what the subflows of one flow bring in, all of them together.
const (
	// ResolvedBytesMax bounds the size of a document with its subflows.
	ResolvedBytesMax = 4 * DocumentBytesMax
	subflowsMax      = 1000
)

// The codes of problems with what a subflow node names; those of the core are in its
// codes.go.
const (
	CodeSubflowUnpublished = "SUBFLOW_UNPUBLISHED"     // it has no version yet; Args: flow
	CodeSubflowVersion     = "SUBFLOW_VERSION_UNKNOWN" // Args: flow, version
	CodeSubflowClosed      = "SUBFLOW_CLOSED"          // it brings subflows of its own; Args: flow
	CodeSubflowsTooLarge   = "SUBFLOWS_TOO_LARGE"      // Args: what, max
)

// Resolved is a flow document together with what its subflow nodes name.
type Resolved struct {
	// Flow is a copy of the document whose Subflows are complete, but for what
	// Problems say.
	Flow     *engine.Flow
	Problems []engine.Problem

	versions   map[string]int // of what came from the project, by reference
	operations map[called]taken
}

// Resolve finds what the subflow nodes of a document name: the flows that the document
// brings itself, else the published versions of the project. A document that brings a
// flow brings every version of it that it names. What is missing, and a flow that
// contains itself, is a problem at the node, and so is a plugin that the project has
// switched off. The document is not changed.
func (s *Service) Resolve(ctx context.Context, project string, f *engine.Flow) (Resolved, error) {
	r := resolution{
		repository: s.o.Repository, project: project, root: f,
		own: map[string]bool{}, found: map[string]*part{},
	}
	for reference := range f.Subflows {
		id, _, _ := strings.Cut(reference, "@")
		r.own[id] = true
	}
	out := Resolved{versions: map[string]int{}}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Type != engine.TypeSubflow || n.Flow == "" {
			continue
		}
		p, err := r.visit(ctx, n, []string{f.ID})
		if err != nil {
			return Resolved{}, err
		}
		if p.problem != nil && (p.flow == nil || p.problem.Code == engine.ProblemSubflowRecursion) {
			own := *p.problem
			own.Node = n.ID
			out.Problems = append(out.Problems, own)
		}
	}
	out.Problems = append(out.Problems, s.switchedOff(project, f, r.found)...)
	out.Problems = append(out.Problems, s.notHanded(f, r.found)...)
	unknown, err := s.unknownSecrets(ctx, project, f, r.found)
	if err != nil {
		return Resolved{}, err
	}
	out.Problems = append(out.Problems, unknown...)
	whole := *f
	if len(r.found) > 0 {
		whole.Subflows = maps.Clone(f.Subflows)
		if whole.Subflows == nil {
			whole.Subflows = map[string]*engine.Flow{}
		}
	}
	for reference, p := range r.found {
		if p.flow != nil {
			whole.Subflows[reference] = p.flow
		}
		if p.version != 0 {
			out.versions[reference] = p.version
		}
	}
	out.Flow = &whole
	return out, nil
}

// Pinned returns the document with the number of the version in each subflow node of
// the whole tree, as a run keeps it. Flows that the document brought itself have none.
func (r Resolved) Pinned() *engine.Flow {
	out := r.pin(r.Flow)
	if len(r.Flow.Subflows) == 0 {
		return out
	}
	out.Subflows = make(map[string]*engine.Flow, len(r.Flow.Subflows))
	for reference, f := range r.Flow.Subflows {
		if version, ok := r.versions[reference]; ok {
			id, _, _ := strings.Cut(reference, "@")
			reference = (&engine.Node{Flow: id, Version: version}).Reference()
		}
		out.Subflows[reference] = r.pin(f)
	}
	return out
}

func (r Resolved) pin(f *engine.Flow) *engine.Flow {
	out := *f
	out.Nodes = slices.Clone(f.Nodes)
	for i := range out.Nodes {
		n := &out.Nodes[i]
		if n.Type != engine.TypeSubflow {
			continue
		}
		if version, ok := r.versions[n.Reference()]; ok {
			n.Version = version
		}
	}
	return &out
}

// resolution is one run of Resolve.
type resolution struct {
	repository Repository
	project    string
	root       *engine.Flow
	own        map[string]bool // ids of the flows that the document brings
	found      map[string]*part
	bytes      int
}

// part is what a reference means.
type part struct {
	flow    *engine.Flow // nil when it is not there
	version int
	problem *engine.Problem
	// inside are the ids of the flows in it, at any depth.
	inside map[string]bool
}

// visit finds what a node names and everything below. path are the ids of the flows
// that the node is in, the root's first.
func (r *resolution) visit(ctx context.Context, n *engine.Node, path []string) (*part, error) {
	if i := slices.Index(path, n.Flow); i >= 0 {
		return &part{problem: recursion(append(slices.Clone(path[i:]), n.Flow))}, nil
	}
	if p := r.found[n.Reference()]; p != nil {
		for i, id := range path {
			if p.inside[id] {
				return &part{problem: recursion(append(slices.Clone(path[i:]), n.Flow, "…", id))}, nil
			}
		}
		return p, nil
	}
	p, err := r.load(ctx, n)
	if err != nil || p.flow == nil {
		return p, err
	}
	r.found[n.Reference()] = p
	path = append(slices.Clone(path), n.Flow)
	for i := range p.flow.Nodes {
		child := &p.flow.Nodes[i]
		if child.Type != engine.TypeSubflow || child.Flow == "" {
			continue
		}
		below, err := r.visit(ctx, child, path)
		if err != nil {
			return nil, err
		}
		if p.problem == nil {
			p.problem = below.problem
		}
		p.inside[child.Flow] = true
		maps.Copy(p.inside, below.inside)
	}
	return p, nil
}

// load reads one flow.
func (r *resolution) load(ctx context.Context, n *engine.Node) (*part, error) {
	p := &part{inside: map[string]bool{}}
	if r.own[n.Flow] {
		p.flow = r.root.Subflows[n.Reference()]
		if p.flow == nil {
			p.problem = missingFlow(n, true)
		}
		return p, nil
	}
	if len(r.found) == subflowsMax {
		p.problem = tooLarge("flows", subflowsMax)
		return p, nil
	}
	v, err := r.repository.FlowVersion(ctx, r.project, n.Flow, n.Version)
	if fault.Is(err, fault.NotFound) {
		p.problem, err = r.missing(ctx, n)
		return p, err
	}
	if err != nil {
		return nil, err
	}
	if r.bytes += len(v.Document); r.bytes > ResolvedBytesMax {
		p.problem = tooLarge("bytes", ResolvedBytesMax)
		return p, nil
	}
	var f engine.Flow
	if err := json.Unmarshal(v.Document, &f); err != nil {
		return nil, fault.Wrap(fmt.Sprintf("read version %d of flow %s", v.Number, n.Flow), err)
	}
	if len(f.Subflows) > 0 {
		p.problem = problem(CodeSubflowClosed, "/flow", "flow "+n.Flow+" brings subflows of its own and cannot be one", "flow", n.Flow)
		return p, nil
	}
	p.flow, p.version = &f, v.Number
	return p, nil
}

// missing says what of a flow and its version is not there.
func (r *resolution) missing(ctx context.Context, n *engine.Node) (*engine.Problem, error) {
	_, err := r.repository.FlowVersion(ctx, r.project, n.Flow, 0)
	switch {
	case err == nil:
		number := strconv.Itoa(n.Version)
		return problem(CodeSubflowVersion, "/version", "flow "+n.Flow+" has no version "+number, "flow", n.Flow, "version", number), nil
	case !fault.Is(err, fault.NotFound):
		return nil, err
	}
	_, err = r.repository.Flow(ctx, r.project, n.Flow)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return missingFlow(n, err != nil), nil
}

func missingFlow(n *engine.Node, unknown bool) *engine.Problem {
	if unknown {
		return problem(engine.ProblemSubflowUnknown, "/flow", "there is no flow "+n.Reference(), "flow", n.Reference())
	}
	return problem(CodeSubflowUnpublished, "/flow", "flow "+n.Flow+" has no published version", "flow", n.Flow)
}

func recursion(chain []string) *engine.Problem {
	text := strings.Join(chain, " → ")
	return problem(engine.ProblemSubflowRecursion, "/flow", "the flow would contain itself: "+text, "names", text)
}

func tooLarge(what string, limit int) *engine.Problem {
	most := strconv.Itoa(limit)
	return problem(CodeSubflowsTooLarge, "/flow", "with its subflows the flow has more than "+most+" "+what, "what", what, "max", most)
}

// problem makes an error of a node; args are name, value pairs.
func problem(code, field, message string, args ...string) *engine.Problem {
	p := &engine.Problem{Code: code, Field: field, Message: message, Level: engine.SeverityError, Args: map[string]string{}}
	for i := 0; i+1 < len(args); i += 2 {
		p.Args[args[i]] = args[i+1]
	}
	return p
}
