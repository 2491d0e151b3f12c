package flows

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
)

// CodeSecretPlugin says that a task passes a secret to a plugin that is handed none,
// because nobody signed or approved it, or that one in a subflow does; Args: plugin, and
// flow where it is a subflow's.
const CodeSecretPlugin = "SECRET_PLUGIN"

// notHanded returns a problem for each node of a document that passes a secret to a plugin
// which may not be handed one, and for each subflow node below which there is one. What
// starts later may meet another version or policy, so that the call is checked again.
func (s *Service) notHanded(f *engine.Flow, found map[string]*part) []engine.Problem {
	if s.o.SecretsTo == nil {
		return nil
	}
	below := map[string]string{} // the first such plugin, by reference
	var out []engine.Problem
	for i := range f.Nodes {
		n := &f.Nodes[i]
		var p *engine.Problem
		switch {
		case s.withheld(f, n):
			p = problem(CodeSecretPlugin, "/plugin", "plugin "+n.Plugin+" is handed no secrets: no trusted key signed it, and secrets.approved does not name it", "plugin", n.Plugin)
		case n.Type == engine.TypeSubflow && n.Flow != "":
			if plugin := firstBelow(n, found, below, s.withheld); plugin != "" {
				p = problem(CodeSecretPlugin, "/flow", "flow "+n.Flow+" passes a secret to plugin "+plugin+", which is handed none", "plugin", plugin, "flow", n.Flow)
			}
		}
		if p != nil {
			p.Node = n.ID
			out = append(out, *p)
		}
	}
	return out
}

// withheld reports whether a task passes a secret to a plugin that is handed none.
func (s *Service) withheld(f *engine.Flow, n *engine.Node) bool {
	return n.Type == engine.TypeTask && n.Plugin != "" && passesSecret(f, n) && !s.o.SecretsTo(n.Plugin)
}

// passesSecret reports whether an input of a node is a secret of its document. A secret is
// passed on whole, so it is a text that is one expression, the variable's name; whatever
// else names a secret, the core refuses.
func passesSecret(f *engine.Flow, n *engine.Node) bool {
	secret := func(text string) bool {
		inner, ok := strings.CutPrefix(text, "${")
		inner, ok2 := strings.CutSuffix(inner, "}")
		inner = strings.TrimSpace(inner)
		return ok && ok2 && slices.ContainsFunc(f.Variables, func(v engine.Variable) bool { return v.Secret && v.Name == inner })
	}
	var holds func(v any) bool
	holds = func(v any) bool {
		switch x := v.(type) {
		case string:
			return secret(x)
		case []any:
			return slices.ContainsFunc(x, holds)
		case map[string]any:
			for _, inner := range x {
				if holds(inner) {
					return true
				}
			}
		}
		return false
	}
	for name, raw := range n.Inputs {
		var v any
		if !slices.Contains(n.Literal, name) && json.Unmarshal(raw, &v) == nil && holds(v) {
			return true
		}
	}
	return false
}
