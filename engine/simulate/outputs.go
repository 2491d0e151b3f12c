package simulate

import (
	"encoding/json"
	"slices"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
)

// outputs makes the outputs of actions complete and checks them.
type outputs struct {
	catalogue engine.Catalogue
	actions   map[[2]string]*actionOutputs
}

// actionOutputs are those of one action: what they must be, and an example.
type actionOutputs struct {
	schema  *expr.Schema
	example json.RawMessage
	fields  map[string]json.RawMessage // of the example
}

func newOutputs(c engine.Catalogue) *outputs {
	return &outputs{catalogue: c, actions: map[[2]string]*actionOutputs{}}
}

// of returns the outputs of an action; an unknown one may give anything.
func (o *outputs) of(plugin, action string) *actionOutputs {
	key := [2]string{plugin, action}
	if a := o.actions[key]; a != nil {
		return a
	}
	a := &actionOutputs{schema: &expr.Schema{}, example: json.RawMessage("{}")}
	o.actions[key] = a
	declared, ok := o.catalogue.Action(plugin, action)
	if !ok {
		return a
	}
	if schema, err := expr.ParseSchema(declared.Outputs); err == nil {
		a.schema = schema
	}
	if b := Example(declared.Outputs); json.Unmarshal(b, &a.fields) == nil && a.fields != nil {
		a.example = b
	}
	return a
}

// complete adds the outputs that the action must give and that a script leaves out, from
// the example. What is no object stays as it is.
func (a *actionOutputs) complete(given json.RawMessage) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(given, &fields) != nil || fields == nil {
		return given
	}
	missing := slices.DeleteFunc(slices.Clone(a.schema.Required()), func(name string) bool {
		_, there := fields[name]
		return there || a.fields[name] == nil
	})
	if len(missing) == 0 {
		return given
	}
	for _, name := range missing {
		fields[name] = a.fields[name]
	}
	b, err := json.Marshal(fields)
	if err != nil {
		return given
	}
	return b
}
