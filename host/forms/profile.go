package forms

import (
	"bytes"
	_ "embed" // for the meta-schema
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// The limits of the schema of an action: a form beyond them is not one for people.
const (
	ProfilePropertiesMax = 200
	ProfileDepthMax      = 6
)

// profileJSON is the meta-schema of form schemas, published as schemas/form.v1.json.
//
//go:embed form.v1.json
var profileJSON []byte

// ProfileSchema returns the meta-schema that Profile checks with, as JSON.
func ProfileSchema() []byte { return bytes.Clone(profileJSON) }

// Profile checks the schemas of actions: whether forms can draw them, and whether each
// keyword says what it may say. It is immutable and safe for concurrent use.
type Profile struct {
	meta     *jsonschema.Schema
	document any
}

// NewProfile compiles the meta-schema.
func NewProfile() (*Profile, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(profileJSON))
	if err != nil {
		return nil, fmt.Errorf("read the form profile: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(refusal{})
	if err := c.AddResource(root, doc); err != nil {
		return nil, fmt.Errorf("read the form profile: %w", err)
	}
	s, err := c.Compile(root)
	if err != nil {
		return nil, fmt.Errorf("compile the form profile: %w", err)
	}
	return &Profile{meta: s, document: doc}, nil
}

// Check returns what is wrong with the schema of an action's inputs or outputs. The
// field of a Fault is a JSON Pointer into the schema, in the order of the fields.
func (p *Profile) Check(schema json.RawMessage) []Fault {
	if len(schema) > SchemaBytesMax {
		return []Fault{{Keyword: "size", Message: fmt.Sprintf("has %d bytes, at most %d are allowed", len(schema), SchemaBytesMax)}}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	object, isObject := doc.(map[string]any)
	if err != nil || !isObject {
		return []Fault{{Keyword: "type", Message: "is not a JSON Schema of type object"}}
	}
	out := profileFaults{profile: p, seen: map[string]bool{}}
	var bad *jsonschema.ValidationError
	if errors.As(p.meta.Validate(doc), &bad) {
		out.collect(bad)
	}
	w := profileWalk{faults: &out, root: object}
	w.node("", object, 0)
	if w.properties > ProfilePropertiesMax {
		out.add("", "properties", fmt.Sprintf("has %d properties, at most %d are allowed", w.properties, ProfilePropertiesMax))
	}
	if len(out.faults) == 0 {
		if _, err := Parse(schema); err != nil { // what a full implementation finds besides
			out.add("", "schema", strings.TrimPrefix(err.Error(), "schema: "))
		}
	}
	slices.SortStableFunc(out.faults, func(a, b Fault) int { return strings.Compare(a.Field, b.Field) })
	return out.faults
}

// profileFaults gathers faults: the first at a place is the one that is told.
type profileFaults struct {
	profile *Profile
	faults  []Fault
	seen    map[string]bool
}

func (f *profileFaults) add(field, keyword, message string) {
	if f.seen[field] || len(f.faults) == faultsMax {
		return
	}
	f.seen[field] = true
	f.faults = append(f.faults, Fault{Field: field, Keyword: keyword, Message: message})
}

// collect walks the errors of the meta-schema. A rule that describes itself speaks for
// all below it.
func (f *profileFaults) collect(e *jsonschema.ValidationError) {
	at := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		text, known := "is not known here", []string(nil)
		if strings.HasSuffix(e.SchemaURL, "/$defs/node") {
			text, known = "the keyword is not part of the profile of forms", f.profile.keywords()
		}
		for _, name := range k.Properties {
			f.add(at+"/"+escape(name), "additionalProperties", text+meant(name, known))
		}
		return
	case *kind.Required:
		for _, name := range k.Missing {
			f.add(at+"/"+escape(name), "required", "is missing")
		}
		return
	case *kind.Enum:
		got, _ := k.Got.(string)
		f.add(at, keyword(e.ErrorKind), f.told(e)+meant(got, texts(k.Want)))
		return
	case *kind.AnyOf, *kind.Not:
		f.add(at, keyword(e.ErrorKind), f.told(e))
		return
	default:
	}
	if len(e.Causes) == 0 {
		f.add(at, keyword(e.ErrorKind), f.told(e))
	}
	for _, cause := range e.Causes {
		f.collect(cause)
	}
}

// texts are those of some values that are texts.
func texts(values []any) []string {
	var out []string
	for _, v := range values {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// told is what the rule that an error broke says of itself.
func (f *profileFaults) told(e *jsonschema.ValidationError) string {
	_, fragment, _ := strings.Cut(e.SchemaURL, "#")
	rule, _ := find(f.profile.document, fragment)
	if s, ok := rule.(map[string]any); ok {
		if text, ok := s["description"].(string); ok {
			return text
		}
	}
	text, _ := message(e.ErrorKind)
	return text
}

// profileWalk looks at what a meta-schema cannot: how deep and how large a schema is,
// and whether what it names is there.
type profileWalk struct {
	faults     *profileFaults
	root       map[string]any
	properties int
}

func (w *profileWalk) bad(field, keyword, format string, args ...any) {
	w.faults.add(field, keyword, fmt.Sprintf(format, args...))
}

func (w *profileWalk) node(at string, node map[string]any, depth int) {
	if depth > ProfileDepthMax {
		w.bad(at, "depth", "lies deeper than %d levels", ProfileDepthMax)
		return
	}
	w.references(at, node)
	for _, key := range sortedKeys(node) {
		field := at + "/" + escape(key)
		switch v := node[key].(type) {
		case map[string]any:
			switch key {
			case "properties", "$defs", "dependentSchemas":
				w.properties += len(v)
				for _, name := range sortedKeys(v) {
					w.child(field+"/"+escape(name), v[name], depth+1)
				}
			case "items", "if", "then", "else", "not", "additionalProperties":
				w.node(field, v, depth+1)
			}
		case []any:
			if key == "prefixItems" || key == "oneOf" || key == "allOf" {
				for i, child := range v {
					w.child(field+"/"+strconv.Itoa(i), child, depth+1)
				}
			}
		}
	}
}

func (w *profileWalk) child(at string, v any, depth int) {
	if node, ok := v.(map[string]any); ok {
		w.node(at, node, depth)
	}
}

// references checks the keywords that name something else.
func (w *profileWalk) references(at string, node map[string]any) {
	if ref, ok := node["$ref"].(string); ok && strings.HasPrefix(ref, "#/$defs/") {
		if _, found := find(w.root, strings.TrimPrefix(ref, "#")); !found {
			w.bad(at+"/$ref", "$ref", "%s is not there", ref)
		}
	}
	if text, ok := node["pattern"].(string); ok {
		if _, err := regexp.Compile(text); err != nil {
			w.bad(at+"/pattern", "pattern", "%q is not a pattern that Go and browsers share (no look-around, no back-references)", text)
		}
	}
	if _, ok := node["not"]; ok && !strings.HasSuffix(at, "/if") {
		w.bad(at+"/not", "not", "is allowed inside if only")
	}
	if names, ok := node["ui:order"].([]any); ok {
		for i, name := range names {
			if s, _ := name.(string); s != "*" && !has(node, s) {
				w.bad(fmt.Sprintf("%s/ui:order/%d", at, i), "ui:order", "there is no property %q", s)
			}
		}
	}
	if source, ok := node["x-source"].(map[string]any); ok {
		w.source(at, source)
	}
	if field, ok := node[operationKeyword].(map[string]any); ok {
		w.operation(at, field)
	}
	w.labels(at, node)
}

// source checks what the choices of a field depend on.
func (w *profileWalk) source(at string, source map[string]any) {
	names, _ := source["dependsOn"].([]any)
	for i, name := range names {
		field := fmt.Sprintf("%s/x-source/dependsOn/%d", at, i)
		s, _ := name.(string)
		switch {
		case !has(w.root, s):
			w.bad(field, "x-source", "there is no field %q at the top of the form", s)
		case at == "/properties/"+escape(s):
			w.bad(field, "x-source", "a field cannot depend on itself")
		}
	}
}

// operation checks where a field that stands for a part of a call is, and whether the fields
// that choose the operation are there and say so.
func (w *profileWalk) operation(at string, field map[string]any) {
	properties, _ := w.root["properties"].(map[string]any)
	if name, ok := strings.CutPrefix(at, "/properties/"); !ok || strings.Contains(name, "/") {
		w.bad(at+"/"+operationKeyword, operationKeyword, "is allowed for fields at the top of the form only")
		return
	}
	needs := map[any][]string{PartSystem: {}, PartOperation: {"system"}, PartParams: {"system", "operation"}, PartBody: {"system", "operation"}}
	for _, key := range []string{"system", "operation"} {
		name, given := field[key].(string)
		needed := slices.Contains(needs[field["part"]], key)
		place := at + "/" + operationKeyword + "/" + key
		other, _ := properties[name].(map[string]any)
		is, _ := other[operationKeyword].(map[string]any)
		switch {
		case needed && !given:
			w.bad(place, "required", "is missing")
		case !needed && given:
			w.bad(place, operationKeyword, "is not used by this part")
		case given && is["part"] != key:
			w.bad(place, operationKeyword, "there is no field %q at the top of the form that stands for the part %s", name, key)
		}
	}
}

// labels checks that translated labels of an enumeration are as many as its values.
func (w *profileWalk) labels(at string, node map[string]any) {
	langs, _ := node["ui:i18n"].(map[string]any)
	values, ok := node["oneOf"].([]any)
	if !ok {
		values, _ = node["enum"].([]any)
	}
	for _, lang := range sortedKeys(langs) {
		texts, _ := langs[lang].(map[string]any)
		names, ok := texts["enumNames"].([]any)
		if ok && len(names) != len(values) {
			w.bad(at+"/ui:i18n/"+escape(lang)+"/enumNames", "ui:i18n", "has %d labels for %d values", len(names), len(values))
		}
	}
}

// has reports whether an object schema declares a property itself.
func has(node map[string]any, name string) bool {
	properties, _ := node["properties"].(map[string]any)
	_, ok := properties[name]
	return ok
}
