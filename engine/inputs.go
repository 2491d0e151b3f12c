package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// scope shows a state to expressions.
type scope State

// Variable returns a variable's value, or nil.
func (s *scope) Variable(name string) json.RawMessage {
	if i, ok := s.g.varIdx[name]; ok {
		return s.vars[i]
	}
	return nil
}

// Outputs returns a node's outputs, or nil.
func (s *scope) Outputs(node string) json.RawMessage {
	if i, ok := s.g.nodeIdx[node]; ok && s.nodes[i] != nil {
		return s.nodes[i].outputs
	}
	return nil
}

// Environment returns the project's variables.
func (s *scope) Environment() map[string]json.RawMessage { return s.info.Env }

// Run returns the run's own facts.
func (s *scope) Run() expr.Run {
	return expr.Run{
		ID: s.info.Run, Name: s.info.Name, Project: s.info.Project, Operator: s.info.Operator, StartedAt: s.createdAt,
	}
}

// inputs evaluates the inputs of a task. A task without expressions evaluates nothing.
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
	dst := []byte{'{'}
	for i, in := range inputs {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, in.name), ':')
		var err error
		if dst, err = in.value.Append(dst, (*scope)(t.s)); err != nil {
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
	value, errs := g.env.Template(raw)
	return value, errors.Join(errs...)
}

// checkInput holds a replaced input against the action: its name, its expressions,
// and its value when that is known already.
func (g *Graph) checkInput(n *graphNode, name string, raw json.RawMessage) error {
	schema, ok := n.schema.Property(name)
	if !ok {
		return fmt.Errorf("the action has no input %q", name)
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

// runOutputs collects the variables that are the run's outputs.
func (t *step) runOutputs() (map[string]json.RawMessage, *contract.Failure) {
	if len(t.g.outputs) == 0 {
		return nil, nil
	}
	outputs := make(map[string]json.RawMessage, len(t.g.outputs))
	for _, i := range t.g.outputs {
		v := &t.g.vars[i]
		value := t.s.vars[i]
		if v.computed != nil {
			var err error
			if value, err = v.computed.Eval((*scope)(t.s)); err != nil {
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
