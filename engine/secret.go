package engine

import (
	"fmt"
	"slices"

	"github.com/culmhq/culm/engine/expr"
)

// A secret variable holds a reference (expr.SecretRefPrefix), which the host makes for
// an input and Compile for a secret of the project. The core passes references on whole
// and never learns what they stand for.

// secretFields checks what a variable that is a secret must and must not have.
func (b *builder) secretFields(v *Variable) {
	report := func(code, field, message string, args ...string) {
		b.report(Problem{Code: code, Variable: v.Name, Field: field}, message, args...)
	}
	switch v.Source {
	case SourceInput:
		if len(v.Value) > 0 {
			report(ProblemSecretValue, "/value", "a secret has no default: it would stand in the drawing")
		}
	case SourceComputed:
		if _, ok := expr.ProjectSecret(v.Expression); !ok && v.Expression != "" {
			report(ProblemSecretBinding, "/expression", "the expression of a secret is secrets.NAME, a secret of the project")
		}
	case SourceConstant, SourceNode:
		report(ProblemSecretSource, "/source", "a secret is an input, or computed as secrets.NAME")
	}
	if v.Output {
		report(ProblemSecretOutput, "/output", "a secret cannot be an output of the run")
	}
	if s, err := expr.ParseSchema(v.Schema); len(v.Schema) > 0 && (err != nil || s.Type() != "string") {
		report(ProblemSecretSchema, "/schema", "the value of a secret is a text")
	}
	if len(v.Uses) == 0 {
		report(ProblemSecretUses, "/uses", "a secret names the operations that it may be sent to")
	}
	for i, u := range v.Uses {
		if u.System == "" {
			report(ProblemSecretUses, fmt.Sprintf("/uses/%d/system", i), "the system is missing")
		}
		if u.Operation == "" {
			report(ProblemSecretUses, fmt.Sprintf("/uses/%d/operation", i), "the operation is missing")
		}
	}
}

// bindSecret gives a variable that stands for a secret of the project its reference.
func (b *builder) bindSecret(v *graphVar) {
	if v.Source == SourceComputed {
		name, _ := expr.ProjectSecret(v.Expression)
		v.Variable = withValue(v.Variable, appendString(nil, expr.ProjectSecretPrefix+name))
	}
}

// passedSecrets checks where the inputs of a node pass secrets on.
func (b *builder) passedSecrets(i int32, n *Node) {
	g := &b.g.nodes[i]
	takes := b.secretInputs[i]
	for _, in := range g.inputs {
		at := Problem{Node: n.ID, Field: "/inputs/" + escapePointer(in.name)}
		if v := takes[in.name]; v != nil {
			b.passedSecret(at, in, v)
			continue
		}
		schema, known := g.schema.Property(in.name)
		for _, p := range in.value.Secrets() {
			if known && schema.TakesSecret(p.Pointer) {
				continue
			}
			at := at
			at.Code, at.Field = ProblemSecretPlace, at.Field+p.Pointer
			b.report(at, fmt.Sprintf("the input takes no secret, and %s is one", p.Variable), "name", p.Variable)
		}
	}
}

// passedSecret checks what a subflow node gives to an input that is a secret.
func (b *builder) passedSecret(at Problem, in graphInput, takes *Variable) {
	parts := in.value.Secrets()
	if len(parts) != 1 || parts[0].Pointer != "" {
		at.Code = ProblemSecretPlain
		b.report(at, "the input is a secret: pass a secret variable on, whole", "input", in.name)
		return
	}
	k, ok := b.g.varIdx[parts[0].Variable]
	if !ok {
		return
	}
	for _, u := range takes.Uses {
		if !slices.Contains(b.g.vars[k].Uses, u) {
			at.Code = ProblemSecretWider
			b.report(at, fmt.Sprintf("the subflow may send the secret to %s/%s, and %s may not be sent there", u.System, u.Operation, parts[0].Variable),
				"name", parts[0].Variable, "system", u.System, "operation", u.Operation)
		}
	}
}

// valueSchema is what a given value is held against: that of a secret is a reference.
func (v *graphVar) valueSchema() *expr.Schema {
	if v.Secret {
		return v.schema.Secret()
	}
	return v.schema
}

// secretInputs lists the places in the inputs of a node where secrets stand.
func (s *State) secretInputs(i int32) []SecretInput {
	doc := s.g.scopeOf(i).doc
	if !doc.secrets {
		return nil
	}
	n := s.nodes[i]
	inputs, failure := s.g.withOverrides(&s.g.nodes[i], n.overrides, n.only)
	if failure != nil {
		return nil // they were evaluated before
	}
	var out []SecretInput
	for _, in := range inputs {
		for _, p := range in.value.Secrets() {
			if k, ok := doc.varIdx[p.Variable]; ok {
				out = append(out, SecretInput{Pointer: "/" + escapePointer(in.name) + p.Pointer, Uses: doc.vars[k].Uses})
			}
		}
	}
	return out
}

// SecretVariables returns the names of the inputs of a flow that are secrets, with the
// variables.
func SecretVariables(f *Flow) map[string]*Variable {
	var out map[string]*Variable
	for i := range f.Variables {
		if v := &f.Variables[i]; v.Secret && v.Source == SourceInput {
			if out == nil {
				out = map[string]*Variable{}
			}
			out[v.Name] = v
		}
	}
	return out
}
