// Package manifest reflects the Go types of a plugin into its manifest: JSON Schemas of
// the actions' inputs and outputs, with help texts from doc comments, labels and form
// keywords from struct tags, and translations from locale files. It runs on the
// author's machine when a plugin is built or tested, never inside a module.
package manifest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/culmhq/culm/pdk/contract"
)

// Source is what a manifest is made from.
type Source struct {
	// Dir is the directory of the source, relative to the working directory.
	Dir string
	// LocaleDir is the directory that LocaleFile is relative to; empty is Dir.
	LocaleDir string
	// Manifest holds everything but the actions.
	Manifest contract.Manifest
	Actions  []Action
}

// Action is an action with the types that its schemas are made from.
type Action struct {
	contract.Action
	In, Out reflect.Type
	// Defaults is a value of type In, or nil.
	Defaults any
}

// Schema is implemented by types that bring their own JSON Schema, as a constant text:
// it must not cost a module anything.
type Schema interface{ SchemaJSON() string }

// Reflect makes the manifest. It returns every problem at once, each naming the action
// and field.
func Reflect(src Source) (contract.Manifest, error) {
	m := src.Manifest
	m.Actions = make([]contract.Action, len(src.Actions))
	var errs []error
	for i, a := range src.Actions {
		out, err := reflectAction(src.Dir, a)
		if err != nil {
			errs = append(errs, fmt.Errorf("action %s: %w", a.ID, err))
		}
		m.Actions[i] = out
	}
	if err := errors.Join(errs...); err != nil {
		return m, err
	}
	return m, translate(&m, cmp.Or(src.LocaleDir, src.Dir))
}

func reflectAction(dir string, a Action) (contract.Action, error) {
	act := a.Action
	in, errIn := reflectType(dir, a.In, a.Defaults)
	out, errOut := reflectType(dir, a.Out, nil)
	if err := errors.Join(wrap("inputs", errIn), wrap("outputs", errOut)); err != nil {
		return act, err
	}
	if act.Doc.IsZero() {
		act.Doc = contract.Text{En: in.Description}
	}
	// The root's comment is the action's help; the form does not repeat it.
	in.Description, out.Description = "", ""
	var err error
	if act.Inputs, err = json.Marshal(in); err != nil {
		return act, err
	}
	act.Outputs, err = json.Marshal(out)
	return act, err
}

// reflectType makes the schema of the inputs or outputs of an action.
func reflectType(dir string, t reflect.Type, defaults any) (*jsonschema.Schema, error) {
	if t.Kind() != reflect.Struct && (t.Kind() != reflect.Map || t.Key().Kind() != reflect.String) {
		return nil, fmt.Errorf("%s is neither a struct nor a map with string keys", t)
	}
	if err := supported(t, nil); err != nil {
		return nil, err
	}
	r := &jsonschema.Reflector{Anonymous: true, DoNotReference: true, Mapper: own}
	for _, pkg := range packages(t) {
		// Comments of other packages are not looked up: their source is not at hand.
		if err := r.AddGoComments(pkg, dir, jsonschema.WithFullComment()); err != nil {
			return nil, fmt.Errorf("comments of %s: %w", pkg, err)
		}
	}
	s := r.ReflectFromType(t)
	s.Version = jsonschema.Version
	if err := decorate(s, t, t.Name()); err != nil {
		return nil, err
	}
	return s, setDefaults(s, t, defaults)
}

// packages returns the import path of the package that t is declared in. Inside a
// plugin's own program this is "main".
func packages(t reflect.Type) []string {
	if t.PkgPath() == "" {
		return nil
	}
	return []string{path.Clean(t.PkgPath())}
}

// own returns the schema of a type that brings one.
func own(t reflect.Type) *jsonschema.Schema {
	s, ok := reflect.New(t).Interface().(Schema)
	if !ok {
		return nil
	}
	out, err := parseOwn(s)
	if err != nil {
		// A constant text in the source that is not a schema: supported has
		// reported it before.
		return nil
	}
	return out
}

func parseOwn(s Schema) (*jsonschema.Schema, error) {
	var out jsonschema.Schema
	text := []byte(s.SchemaJSON())
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	out.Extras = map[string]any{}
	for key, v := range all {
		if strings.HasPrefix(key, "ui:") || strings.HasPrefix(key, "x-") {
			out.Extras[key] = v
		}
	}
	return &out, nil
}

// supported reports types that JSON or the reflection cannot do, with their path.
func supported(t reflect.Type, parents []reflect.Type) error {
	for _, p := range parents {
		if p == t {
			return fmt.Errorf("type %s contains itself", t)
		}
	}
	parents = append(parents, t)
	if s, ok := reflect.New(t).Interface().(Schema); ok {
		if _, err := parseOwn(s); err != nil {
			return fmt.Errorf("the schema of %s: %w", t, err)
		}
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return supported(t.Elem(), parents)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return fmt.Errorf("the keys of %s are not strings", t)
		}
		return supported(t.Elem(), parents)
	case reflect.Struct:
		return supportedFields(t, parents)
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr:
		return fmt.Errorf("type %s is not JSON", t)
	default:
		return nil
	}
}

func supportedFields(t reflect.Type, parents []reflect.Type) error {
	if t.PkgPath() == "time" {
		return nil
	}
	var errs []error
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() && !f.Anonymous || f.Tag.Get("json") == "-" {
			continue
		}
		errs = append(errs, wrap(f.Name, supported(f.Type, parents)))
	}
	return errors.Join(errs...)
}

// setDefaults writes the non-zero fields of defaults into the schema; such a field is
// not required.
func setDefaults(s *jsonschema.Schema, t reflect.Type, defaults any) error {
	if defaults == nil || t.Kind() != reflect.Struct {
		return nil
	}
	b, err := json.Marshal(defaults)
	if err != nil {
		return fmt.Errorf("defaults: %w", err)
	}
	var values map[string]any
	if err := json.Unmarshal(b, &values); err != nil {
		return fmt.Errorf("defaults: %w", err)
	}
	v := reflect.ValueOf(defaults)
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		p, ok := s.Properties.Get(name)
		if !ok || v.Field(i).IsZero() {
			continue
		}
		p.Default = values[name]
		s.Required = remove(s.Required, name)
	}
	return nil
}

func remove(names []string, name string) []string {
	var rest []string
	for _, n := range names {
		if n != name {
			rest = append(rest, n)
		}
	}
	return rest
}

func wrap(where string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", where, err)
}
