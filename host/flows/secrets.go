package flows

import (
	"context"
	"fmt"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/host/fault"
)

// CodeSecretUnknown says that the project has no secret of the name that a variable is
// bound to; Args: name, and flow where it is a subflow's variable.
const CodeSecretUnknown = "SECRET_UNKNOWN"

// Secrets tells which secrets a project has.
type Secrets interface {
	// HasSecret reports whether the project itself has a secret of that name.
	HasSecret(ctx context.Context, project, name string) (bool, error)
}

// unknownSecrets returns a problem for each variable of a document that is bound to a
// secret which the project does not have, and for each subflow node below which there is
// one.
func (s *Service) unknownSecrets(ctx context.Context, project string, f *engine.Flow, found map[string]*part) ([]engine.Problem, error) {
	w := secretWalk{s: s, project: project, found: found, below: map[string]string{}}
	var out []engine.Problem
	for i := range f.Variables {
		name, err := w.unknown(ctx, &f.Variables[i])
		if err != nil {
			return nil, err
		}
		if name != "" {
			p := problem(CodeSecretUnknown, "/expression", "the project has no secret "+name, "name", name)
			p.Variable = f.Variables[i].Name
			out = append(out, *p)
		}
	}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Type != engine.TypeSubflow || n.Flow == "" {
			continue
		}
		name, err := w.first(ctx, n)
		if err != nil {
			return nil, err
		}
		if name != "" {
			p := problem(CodeSecretUnknown, "/flow", fmt.Sprintf("flow %s uses the secret %s, which the project does not have", n.Flow, name), "name", name, "flow", n.Flow)
			p.Node = n.ID
			out = append(out, *p)
		}
	}
	return out, nil
}

// secretWalk looks for secrets in a flow and those below it.
type secretWalk struct {
	s       *Service
	project string
	found   map[string]*part
	below   map[string]string // the first that is unknown, by reference
}

// unknown returns the name of the secret that a variable is bound to, when the project
// has none of it.
func (w *secretWalk) unknown(ctx context.Context, v *engine.Variable) (string, error) {
	if !v.Secret || v.Source != engine.SourceComputed {
		return "", nil
	}
	name, ok := expr.ProjectSecret(v.Expression)
	if !ok {
		return "", nil // the core says so
	}
	has, err := w.s.o.Secrets.HasSecret(ctx, w.project, name)
	if err != nil {
		return "", fault.Wrap("read the secrets of the project", err)
	}
	if has {
		return "", nil
	}
	return name, nil
}

// first returns the first unknown secret of what a subflow node names, and below that.
func (w *secretWalk) first(ctx context.Context, n *engine.Node) (string, error) {
	reference := n.Reference()
	if name, ok := w.below[reference]; ok {
		return name, nil
	}
	w.below[reference] = "" // a flow that contains itself ends here
	p := w.found[reference]
	if p == nil || p.flow == nil {
		return "", nil
	}
	for i := range p.flow.Variables {
		name, err := w.unknown(ctx, &p.flow.Variables[i])
		if err != nil || name != "" {
			w.below[reference] = name
			return name, err
		}
	}
	for i := range p.flow.Nodes {
		child := &p.flow.Nodes[i]
		if child.Type != engine.TypeSubflow || child.Flow == "" {
			continue
		}
		name, err := w.first(ctx, child)
		if err != nil || name != "" {
			w.below[reference] = name
			return name, err
		}
	}
	return "", nil
}

// inTheClear refuses a draft that holds the value of a secret: drafts are stored and
// shown as they are.
func inTheClear(ps []engine.Problem) error {
	for _, p := range ps {
		if p.Code != engine.ProblemSecretValue {
			continue
		}
		e := fault.New(fault.Invalid, "the draft is not stored: it holds the value of a secret").Because("DRAFT_SECRET")
		e.Problems = ps
		return e
	}
	return nil
}
