package pdktest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/culmhq/culm/pdk/contract"
)

// schemas are the compiled schemas of a manifest, by action.
type schemas struct{ in, out map[string]*jsonschema.Schema }

func compile(m contract.Manifest) (*schemas, error) {
	s := &schemas{in: map[string]*jsonschema.Schema{}, out: map[string]*jsonschema.Schema{}}
	for _, a := range m.Actions {
		var err error
		if s.in[a.ID], err = compileOne(a.ID+"/inputs", a.Inputs); err != nil {
			return nil, err
		}
		if s.out[a.ID], err = compileOne(a.ID+"/outputs", a.Outputs); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func compileOne(name string, raw json.RawMessage) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c.Compile(name)
}

func (s *schemas) inputs(action string, raw json.RawMessage) error {
	return validate(s.in[action], raw)
}

func (s *schemas) outputs(action string, raw json.RawMessage) error {
	return validate(s.out[action], raw)
}

func validate(s *jsonschema.Schema, raw json.RawMessage) error {
	if s == nil {
		return errors.New("no such action")
	}
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	return s.Validate(v)
}
