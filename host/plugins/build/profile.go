package build

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The limits of a schema in a manifest.
const (
	maxSchemaBytes      = 256 << 10
	maxSchemaProperties = 200
	maxSchemaDepth      = 6
)

// words lists a set of words as a text; the tables below are made from them where they
// are used, so that nothing in the package can change them.
type words string

func (w words) has(s string) bool { return slices.Contains(strings.Fields(string(w)), s) }

const (
	plainKeywords words = `$schema $comment $ref type title description default examples enum const
		minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern format
		required dependentRequired minItems maxItems uniqueItems readOnly writeOnly deprecated
		contentMediaType contentEncoding
		ui:widget ui:options ui:order ui:group ui:cols ui:placeholder ui:help ui:advanced ui:i18n
		x-expression x-source x-secret x-credential x-validate`
	formats words = `date date-time time duration email uri hostname ipv4 ipv6 cidr cron regex password`
	widgets words = `text textarea code password number slider select radio checkboxes switch date datetime time
		duration cron cascader tree transfer table keyvalue tags file json color member host ip topology
		credential variable markdown`
	types words = `null boolean object array number string integer`
)

// schema checks the schema of an action against the profile that forms can draw and
// that Go and browsers understand alike.
func (c *checker) schema(at string, raw json.RawMessage) {
	if len(raw) > maxSchemaBytes {
		c.add(at, "has %d bytes, at most %d are allowed", len(raw), maxSchemaBytes)
		return
	}
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		c.add(at, "is not a JSON Schema of type object")
		return
	}
	if root["type"] != "object" {
		c.add(at+"/type", `must be "object"`)
	}
	p := profile{checker: c, root: at}
	before := len(c.problems)
	p.node(at, root, 0)
	if p.properties > maxSchemaProperties {
		c.add(at, "has %d properties, at most %d are allowed", p.properties, maxSchemaProperties)
	}
	if len(c.problems) == before {
		p.compile(raw)
	}
}

// profile walks one schema.
type profile struct {
	*checker
	root       string
	properties int
}

// compile lets a full implementation find what the walk does not look at.
func (p *profile) compile(raw json.RawMessage) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		p.add(p.root, "%v", err)
		return
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	if err := c.AddResource("schema.json", doc); err != nil {
		p.add(p.root, "%v", err)
		return
	}
	if _, err := c.Compile("schema.json"); err != nil {
		p.add(p.root, "%v", err)
	}
}

// noLoader refuses references to the outside.
type noLoader struct{}

// Load refuses.
func (noLoader) Load(url string) (any, error) {
	return nil, &FieldError{Field: url, Reason: "is not loaded"}
}

func (p *profile) node(at string, node map[string]any, depth int) {
	if depth > maxSchemaDepth {
		p.add(at, "lies deeper than %d levels", maxSchemaDepth)
		return
	}
	for _, key := range slices.Sorted(maps.Keys(node)) {
		field := at + "/" + key
		switch v := node[key]; key {
		case "properties", "$defs", "dependentSchemas":
			p.named(field, v, depth+1)
		case "items", "if", "then", "else":
			p.child(field, v, depth+1)
		case "additionalProperties":
			p.child(field, v, depth+1)
		case "prefixItems", "oneOf", "allOf":
			p.list(field, v, depth+1)
		case "not":
			if !strings.HasSuffix(at, "/if") {
				p.add(field, "is allowed inside if only")
			}
			p.child(field, v, depth+1)
		default:
			p.keyword(field, key, v)
		}
	}
}

func (p *profile) keyword(field, key string, v any) {
	text, _ := v.(string)
	switch {
	case !plainKeywords.has(key):
		p.add(field, "the keyword is not part of the profile")
	case key == "type":
		p.types(field, v)
	case key == "$ref" && !strings.HasPrefix(text, "#/$defs/"):
		p.add(field, "only #/$defs/... is allowed")
	case key == "pattern":
		if _, err := regexp.Compile(text); err != nil || text == "" {
			p.add(field, "%q is not a pattern that Go and browsers share (no look-around, no back-references)", text)
		}
	case key == "format" && !formats.has(text):
		p.add(field, "%q is none of %s", text, strings.Join(strings.Fields(string(formats)), ", "))
	case key == "ui:widget" && !widgets.has(text):
		p.add(field, "%q is none of %s", text, strings.Join(strings.Fields(string(widgets)), ", "))
	case key == "x-expression" && !words("optional required forbidden").has(text):
		p.add(field, "%q is none of optional, required, forbidden", text)
	}
}

// types allows one type, or one with null.
func (p *profile) types(field string, v any) {
	if s, ok := v.(string); ok {
		if !types.has(s) {
			p.add(field, "%q is no type", s)
		}
		return
	}
	list, ok := v.([]any)
	if !ok || len(list) != 2 || !slices.Contains(list, any("null")) {
		p.add(field, `must be one type, or [type, "null"]`)
	}
}

func (p *profile) named(field string, v any, depth int) {
	object, ok := v.(map[string]any)
	if !ok {
		p.add(field, "must be an object")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		p.properties++
		p.child(field+"/"+name, object[name], depth)
	}
}

func (p *profile) list(field string, v any, depth int) {
	list, ok := v.([]any)
	if !ok {
		p.add(field, "must be an array")
		return
	}
	for i, child := range list {
		p.child(field+"/"+strconv.Itoa(i), child, depth)
	}
}

func (p *profile) child(field string, v any, depth int) {
	switch v := v.(type) {
	case bool:
	case map[string]any:
		p.node(field, v, depth)
	default:
		p.add(field, "is not a schema")
	}
}
