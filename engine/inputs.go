package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// scope shows a state to the expressions of one scope.
type scope struct {
	*State
	at *graphScope
	// entered is the node whose inputs are evaluated, -1 without one, iteration the one
	// that begins.
	entered   int32
	iteration int
}

// scope returns what the expressions of a node see.
func (s *State) scope(node int32) *scope { return &scope{State: s, at: s.g.scopeOf(node), entered: -1} }

// Variable returns a variable's value, or nil.
func (s *scope) Variable(name string) json.RawMessage {
	if i, ok := s.at.variable(name); ok {
		return s.vars[i]
	}
	return nil
}

// Outputs returns a node's outputs, or nil.
func (s *scope) Outputs(node string) json.RawMessage {
	if i, ok := s.at.doc.nodeIdx[node]; ok && s.nodes[s.at.node0+i] != nil {
		return s.nodes[s.at.node0+i].outputs
	}
	return nil
}

// Iterations counts how often a node has been entered, retries aside. The iteration that
// begins counts while the node's own inputs are evaluated.
func (s *scope) Iterations(node string) int {
	i, ok := s.at.doc.nodeIdx[node]
	if !ok {
		return 0
	}
	i += s.at.node0
	switch n := s.nodes[i]; {
	case i == s.entered:
		return s.iteration + 1
	case n == nil || n.attempt == 0:
		return 0
	default:
		return n.iteration + 1
	}
}

// Environment returns the project's variables.
func (s *scope) Environment() map[string]json.RawMessage { return s.info.Env }

// Run returns the run's own facts.
func (s *scope) Run() expr.Run { return s.info.facts(s.createdAt) }

// facts are those of a run as expressions see them.
func (r *RunStarted) facts(at time.Time) expr.Run {
	return expr.Run{ID: r.Run, Name: r.Name, Project: r.Project, Operator: r.Operator, StartedAt: at}
}

// inputs evaluates the inputs of a task or subflow. One without expressions evaluates
// nothing.
func (t *step) inputs(e entry) (json.RawMessage, *contract.Failure) {
	g := &t.g.nodes[e.node]
	overrides, only := e.overrides, e.only
	if overrides == nil && !only {
		n := t.s.at(e.node)
		overrides, only = n.overrides, n.only
	}
	if len(overrides) == 0 && !only && g.static != nil {
		return g.static, t.room(len(g.static) - len(t.s.at(e.node).inputs))
	}
	inputs, failure := t.g.withOverrides(g, overrides, only)
	if failure != nil {
		return nil, failure
	}
	dst, sees := []byte{'{'}, t.s.scope(e.node)
	sees.entered, sees.iteration = e.node, e.iteration
	for i, in := range inputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, in.name), ':')
		var err error
		if dst, err = in.value.Append(dst, sees); err != nil {
			f := exprFailure(err)
			f.Message = fmt.Sprintf("input %s: %s", in.name, f.Message)
			return nil, f
		}
	}
	dst = append(dst, '}')
	if vs := g.schema.Validate(dst); len(vs) > 0 {
		return nil, failFlow(FailInput, fmt.Sprintf("input %s %s", strings.TrimPrefix(vs[0].Pointer, "/"), vs[0].Message))
	}
	return dst, t.room(len(dst) - len(t.s.at(e.node).inputs))
}

// withOverrides is the node's inputs with those that an operator replaced, or only these.
func (g *Graph) withOverrides(n *graphNode, overrides map[string]json.RawMessage, only bool) ([]graphInput, *contract.Failure) {
	var inputs []graphInput
	if !only {
		if len(overrides) == 0 {
			return n.inputs, nil
		}
		inputs = slices.Clone(n.inputs)
	}
	for name, raw := range overrides {
		value, err := g.inputTemplate(n, name, raw)
		if err != nil {
			return nil, exprFailure(err)
		}
		i, ok := slices.BinarySearchFunc(inputs, name, func(a graphInput, b string) int { return strings.Compare(a.name, b) })
		if ok {
			inputs[i].value = value
			continue
		}
		inputs = slices.Insert(inputs, i, graphInput{name: name, value: value})
	}
	return inputs, nil
}

func (g *Graph) inputTemplate(n *graphNode, name string, raw json.RawMessage) (*expr.Template, error) {
	if n.literal[name] {
		return expr.Literal(raw), nil
	}
	value, errs := g.scopes[n.scope].doc.env.Template(raw)
	return value, errors.Join(errs...)
}

// checkInput holds a replaced input against the schema: its name, its expressions,
// and its value when that is known already.
func (g *Graph) checkInput(n *graphNode, name string, raw json.RawMessage) error {
	schema, ok := n.schema.Property(name)
	if !ok {
		return fmt.Errorf("there is no input %q", name)
	}
	value, err := g.inputTemplate(n, name, raw)
	if err != nil {
		return err
	}
	for _, p := range value.Secrets() {
		if !schema.TakesSecret(p.Pointer) {
			return fmt.Errorf("the input takes no secret, and %s is one", p.Variable)
		}
	}
	if value.Static() && schema.SecretText() && n.typ == TypeTask {
		return errors.New("a secret is not given as a value: pass a secret variable on")
	}
	if value.Static() {
		if vs := schema.Validate(value.Value()); len(vs) > 0 {
			return errors.New(strings.TrimSpace(vs[0].Pointer + " " + vs[0].Message))
		}
	}
	return nil
}

// outputs collects the variables that are the outputs of the run or of a subflow.
func (t *step) outputs(sc *graphScope) (map[string]json.RawMessage, *contract.Failure) {
	if len(sc.doc.outputs) == 0 {
		return nil, nil
	}
	outputs := make(map[string]json.RawMessage, len(sc.doc.outputs))
	for _, i := range sc.doc.outputs {
		v := &sc.doc.vars[i]
		value := t.s.vars[sc.var0+i]
		if v.computed != nil {
			var err error
			if value, err = v.computed.Eval(&scope{State: t.s, at: sc, entered: -1}); err != nil {
				f := exprFailure(err)
				f.Message = fmt.Sprintf("variable %s: %s", v.Name, f.Message)
				return nil, f
			}
		}
		if value != nil {
			outputs[v.Name] = value
		}
	}
	return outputs, nil
}

// failFlow is a failure whose fault is the drawing's.
func failFlow(code, message string) *contract.Failure {
	return &contract.Failure{Code: code, Message: message, Origin: contract.OriginFlow}
}

// exprFailure is the failure of a node whose expression failed.
func exprFailure(err error) *contract.Failure {
	var e *expr.Error
	if errors.As(err, &e) {
		return failFlow(string(e.Code), e.Message)
	}
	return failFlow(string(expr.CodeEval), err.Error())
}
