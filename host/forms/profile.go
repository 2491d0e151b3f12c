package forms

import (
	"bytes"
	_ "embed" // for the meta-schema
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/effort"
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
// field of a problem is a JSON Pointer into the schema, in the order of the fields. Each has
// a code: one of those below, one that form.v1.json gives a rule, or that of a Fault.
func (p *Profile) Check(schema json.RawMessage) document.Problems {
	if len(schema) > SchemaBytesMax {
		return document.Problems{document.Coded("FORM_TOO_LARGE", "has %d bytes, at most %d are allowed", len(schema), SchemaBytesMax)}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	object, isObject := doc.(map[string]any)
	if err != nil || !isObject {
		return document.Problems{document.Coded("FORM_NO_SCHEMA", "is not a JSON Schema of type object")}
	}
	out := profileProblems{profile: p, seen: map[string]bool{}}
	var bad *jsonschema.ValidationError
	if errors.As(p.meta.Validate(doc), &bad) {
		out.collect(bad)
	}
	w := profileWalk{problems: &out, root: object}
	w.node("", object, 0)
	if w.properties > ProfilePropertiesMax {
		out.add("", document.Coded("FORM_PROPERTIES", "has %d properties, at most %d are allowed", w.properties, ProfilePropertiesMax))
	}
	if len(out.problems) == 0 {
		if _, err := Parse(schema); err != nil { // what a full implementation finds besides
			p := document.Coded("FORM_STANDARD", "%s", strings.TrimPrefix(err.Error(), "schema: "))
			p.Args = SchemaArgs(err)
			out.add("", p)
		}
	}
	slices.SortStableFunc(out.problems, func(a, b document.Problem) int { return strings.Compare(a.Field, b.Field) })
	return out.problems
}

// profileProblems gathers problems: the first at a place is the one that is told.
type profileProblems struct {
	profile  *Profile
	problems document.Problems
	seen     map[string]bool
}

func (f *profileProblems) add(field string, p document.Problem) {
	if f.seen[field] || len(f.problems) == faultsMax {
		return
	}
	f.seen[field] = true
	p.Field = field
	f.problems = append(f.problems, p)
}

// collect walks the errors of the meta-schema. A rule that describes itself speaks for
// all below it.
func (f *profileProblems) collect(e *jsonschema.ValidationError) {
	at := pointer(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		p, known := document.Coded("FORM_UNKNOWN", "is not known here"), []string(nil)
		if strings.HasSuffix(e.SchemaURL, "/$defs/node") {
			p, known = document.Coded("FORM_KEYWORD", "the keyword is not part of the profile of forms"), f.profile.keywords()
		}
		for _, name := range k.Properties {
			f.add(at+"/"+escape(name), meaning(p, name, known))
		}
		return
	case *kind.Required:
		for _, name := range k.Missing {
			f.add(at+"/"+escape(name), document.Coded("FORM_MISSING", "is missing"))
		}
		return
	case *kind.Enum:
		got, _ := k.Got.(string)
		f.add(at, meaning(f.told(e), got, texts(k.Want)))
		return
	case *kind.AnyOf, *kind.Not:
		f.add(at, f.told(e))
		return
	default:
	}
	if len(e.Causes) == 0 {
		f.add(at, f.told(e))
	}
	for _, cause := range e.Causes {
		f.collect(cause)
	}
}

// meaning adds to a problem about a word the known one that was meant, where one is like it:
// to the message, and as the argument "meant".
func meaning(p document.Problem, word string, known []string) document.Problem {
	other := meant(word, known)
	if other == "" {
		return p
	}
	p.Message += ", did you mean " + other + "?"
	p.Args = maps.Clone(p.Args)
	if p.Args == nil {
		p.Args = map[string]string{}
	}
	p.Args["meant"] = other
	return p
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

// told is what the rule that an error broke says of itself. Its keywords are the arguments.
func (f *profileProblems) told(e *jsonschema.ValidationError) document.Problem {
	_, fragment, _ := strings.Cut(e.SchemaURL, "#")
	found, _ := effort.Find(f.profile.document, fragment)
	rule, _ := found.(map[string]any)
	text, described := rule["description"].(string)
	if !described {
		said, want := message(e.ErrorKind)
		fault := Fault{Keyword: keyword(e.ErrorKind), Message: said, Want: want}
		return document.Problem{Code: fault.Reason(), Message: said, Args: fault.Args()}
	}
	code, _ := rule["x-code"].(string)
	return document.Problem{Code: code, Message: text, Args: ruleArgs(rule)}
}

// ruleArgs are the keywords of a rule that say what it wants, as texts.
func ruleArgs(rule map[string]any) map[string]string {
	out := map[string]string{}
	for word, v := range rule {
		switch v := v.(type) {
		case []any:
			all := make([]string, len(v))
			for i, x := range v {
				all[i] = fmt.Sprint(x)
			}
			out[word] = strings.Join(all, ", ")
		case map[string]any: // rules below this one
		default:
			out[word] = fmt.Sprint(v)
		}
	}
	delete(out, "description")
	delete(out, "x-code")
	return out
}

// profileWalk looks at what a meta-schema cannot: how deep and how large a schema is,
// and whether what it names is there.
type profileWalk struct {
	problems   *profileProblems
	root       map[string]any
	properties int
}

func (w *profileWalk) bad(field, code, format string, args ...any) {
	w.problems.add(field, document.Coded(code, format, args...))
}

func (w *profileWalk) node(at string, node map[string]any, depth int) {
	if depth > ProfileDepthMax {
		w.bad(at, "FORM_DEPTH", "lies deeper than %d levels", ProfileDepthMax)
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
		if _, found := effort.Find(w.root, strings.TrimPrefix(ref, "#")); !found {
			w.bad(at+"/$ref", "FORM_NO_DEFINITION", "%s is not there", ref)
		}
	}
	if text, ok := node["pattern"].(string); ok {
		if _, err := regexp.Compile(text); err != nil {
			w.bad(at+"/pattern", "FORM_PATTERN", "%q is not a pattern that Go and browsers share (no look-around, no back-references)", text)
		}
	}
	if _, ok := node["not"]; ok && !strings.HasSuffix(at, "/if") {
		w.bad(at+"/not", "FORM_NOT", "is allowed inside if only")
	}
	if names, ok := node["ui:order"].([]any); ok {
		for i, name := range names {
			if s, _ := name.(string); s != "*" && !has(node, s) {
				w.bad(fmt.Sprintf("%s/ui:order/%d", at, i), "FORM_NO_PROPERTY", "there is no property %q", s)
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
			w.bad(field, "FORM_NO_FIELD", "there is no field %q at the top of the form", s)
		case at == "/properties/"+escape(s):
			w.bad(field, "FORM_ITSELF", "a field cannot depend on itself")
		}
	}
}

// operation checks where a field that stands for a part of a call is, and whether the fields
// that choose the operation are there and say so.
func (w *profileWalk) operation(at string, field map[string]any) {
	properties, _ := w.root["properties"].(map[string]any)
	if name, ok := strings.CutPrefix(at, "/properties/"); !ok || strings.Contains(name, "/") {
		w.bad(at+"/"+operationKeyword, "FORM_TOP", "is allowed for fields at the top of the form only")
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
			w.bad(place, "FORM_MISSING", "is missing")
		case !needed && given:
			w.bad(place, "FORM_UNUSED", "is not used by this part")
		case given && is["part"] != key:
			w.bad(place, "FORM_NO_PART", "there is no field %q at the top of the form that stands for the part %s", name, key)
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
			w.bad(at+"/ui:i18n/"+escape(lang)+"/enumNames", "FORM_LABELS", "has %d labels for %d values", len(names), len(values))
		}
	}
}

// has reports whether an object schema declares a property itself.
func has(node map[string]any, name string) bool {
	properties, _ := node["properties"].(map[string]any)
	_, ok := properties[name]
	return ok
}
