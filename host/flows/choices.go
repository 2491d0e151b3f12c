package flows

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/host/forms"
)

// inputSource is the keyword x-source of an input of a flow: a plugin finds the choices
// that the start form offers, as it does for a field of its own.
type inputSource struct {
	Plugin string `json:"plugin"`
	Action string `json:"action"`
	Name   string `json:"name"`
	// Fields names the inputs of the flow that stand for the fields of the action which
	// the choices depend on, by field.
	Fields map[string]string `json:"fields"`
}

// choices checks where the choices of an input come from. Only an input is asked for.
func (c *Checker) choices(f *engine.Flow, v *engine.Variable) []engine.Problem {
	var schema struct {
		Source *inputSource `json:"x-source"`
	}
	bad := func(reason, format string, args ...any) []engine.Problem {
		text := fmt.Sprintf(format, args...)
		told := map[string]string{"detail": text, "why": reason}
		maps.Copy(told, expr.NamedArgs(args))
		return []engine.Problem{{
			Code: engine.ProblemVariableSchema, Message: text, Level: engine.SeverityError, Variable: v.Name,
			Field: "/schema/x-source", Args: told,
		}}
	}
	if len(v.Schema) == 0 || v.Source != engine.SourceInput {
		return nil
	}
	if err := json.Unmarshal(v.Schema, &schema); err != nil {
		return bad("SOURCE_FORM", "x-source must be an object with plugin, action, name and fields")
	}
	s := schema.Source
	if s == nil {
		return nil
	}
	action, ok := c.catalogue.Action(s.Plugin, s.Action)
	if !ok {
		return bad("SOURCE_ACTION", "there is no action %q of a plugin %q to ask for choices", s.Action, s.Plugin)
	}
	sources := forms.Sources(action.Inputs)
	i := slices.IndexFunc(sources, func(x forms.Source) bool { return x.Name == s.Name })
	if i < 0 || !action.Options {
		return bad("SOURCE_NAME", "action %s of plugin %s has no field with choices from %q", s.Action, s.Plugin, s.Name)
	}
	for _, field := range slices.Sorted(maps.Keys(s.Fields)) {
		name := s.Fields[field]
		switch {
		case !slices.Contains(sources[i].DependsOn, field):
			return bad("SOURCE_FIELD", "the choices from %q do not depend on a field %q", s.Name, field)
		case name == v.Name:
			return bad("SOURCE_ITSELF", "an input cannot depend on itself")
		case !slices.ContainsFunc(f.Variables, func(o engine.Variable) bool { return o.Name == name && o.Source == engine.SourceInput && !o.Secret }):
			return bad("SOURCE_INPUT", "there is no input %q that may be shown to a plugin", name)
		}
	}
	return nil
}
