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
}

// scope returns what the expressions of a node see.
func (s *State) scope(node int32) *scope { return &scope{s, s.g.scopeOf(node)} }

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
	overrides := e.overrides
	if overrides == nil {
		overrides = t.s.at(e.node).overrides
	}
	if len(overrides) == 0 && g.static != nil {
		return g.static, nil
	}
	inputs, failure := t.g.withOverrides(g, overrides)
	if failure != nil {
		return nil, failure
	}
	dst, sees := []byte{'{'}, t.s.scope(e.node)
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
	return dst, nil
}

// withOverrides is the node's inputs with those that an operator replaced.
func (g *Graph) withOverrides(n *graphNode, overrides map[string]json.RawMessage) ([]graphInput, *contract.Failure) {
	if len(overrides) == 0 {
		return n.inputs, nil
	}
	inputs := slices.Clone(n.inputs)
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
			if value, err = v.computed.Eval(&scope{t.s, sc}); err != nil {
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
