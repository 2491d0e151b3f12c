package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// object is a piece of the OpenAPI document.
type object map[string]any

// openAPI makes the OpenAPI 3.1 document of the routes. Its maps are written in
// sorted order, so that the document changes only when the table does.
func openAPI(rs []route, version string) ([]byte, error) {
	b := &documenter{schemas: object{}}
	paths := object{}
	for _, r := range rs {
		item, _ := paths[prefix+r.path].(object)
		if item == nil {
			item = object{}
			paths[prefix+r.path] = item
		}
		op, err := b.operation(r)
		if err != nil {
			return nil, fmt.Errorf("api: describe %s %s: %w", r.method, r.path, err)
		}
		item[strings.ToLower(r.method)] = op
	}
	if _, err := b.schema(problem{}); err != nil {
		return nil, fmt.Errorf("api: describe problems: %w", err)
	}
	return json.MarshalIndent(object{
		"openapi":    "3.1.0",
		"info":       object{"title": "Culm", "version": version},
		"paths":      paths,
		"components": object{"schemas": b.schemas},
	}, "", " ")
}

// documenter collects the schemas that operations refer to.
type documenter struct{ schemas object }

func (b *documenter) operation(r route) (object, error) {
	code := r.status
	if code == 0 {
		code = http.StatusOK
	}
	success := object{"description": http.StatusText(code)}
	if r.out != nil {
		s, err := b.schema(r.out)
		if err != nil {
			return nil, err
		}
		success["content"] = object{"application/json": object{"schema": s}}
	}
	if r.media != "" {
		success["content"] = object{r.media: object{}}
	}
	op := object{
		"summary":     r.summary,
		"operationId": operationID(r),
		"responses": object{
			strconv.Itoa(code): success,
			"default": object{
				"description": "Problem",
				"content":     object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/ApiProblem"}}},
			},
		},
	}
	if r.right != "" {
		op["description"] = "Needs the right " + string(r.right) + "."
	}
	if ps := parameters(r); len(ps) > 0 {
		op["parameters"] = ps
	}
	if _, ok := r.in.(module); ok {
		op["requestBody"] = object{"required": true, "content": object{mediaWasm: object{"schema": object{"type": "string", "format": "binary"}}}}
	} else if r.in != nil {
		s, err := b.schema(r.in)
		if err != nil {
			return nil, err
		}
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": s}}}
	}
	return op, nil
}

var pathParameter = regexp.MustCompile(`\{([a-z]+)\}`)

func parameters(r route) []object {
	text := object{"type": "string"}
	var ps []object
	for _, m := range pathParameter.FindAllStringSubmatch(r.path, -1) {
		ps = append(ps, object{"name": m[1], "in": "path", "required": true, "schema": text})
	}
	for _, q := range r.query {
		p := object{"name": q, "in": "query", "schema": text}
		switch q {
		case "limit", "after":
			p["schema"] = object{"type": "integer", "minimum": 0}
		case "state":
			p["schema"] = object{"type": "array", "items": text}
		}
		ps = append(ps, p)
	}
	if r.creates {
		ps = append(ps, object{"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "maxLength": 255}})
	}
	if r.edits {
		ps = append(ps, object{"name": "If-Match", "in": "header", "required": true, "schema": text})
	}
	return ps
}

// operationID derives a stable name: "getProjectsFlowsVersions" would be ambiguous
// between list and item, so items end in "ByName".
func operationID(r route) string {
	id := strings.ToLower(r.method)
	for _, part := range strings.FieldsFunc(r.path, func(c rune) bool { return c == '/' || c == '.' }) {
		if m := pathParameter.FindStringSubmatch(part); m != nil {
			part = "by-" + m[1]
		}
		for _, w := range strings.Split(part, "-") {
			id += strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return id
}

// schema describes the type of v and returns a reference to it.
func (b *documenter) schema(v any) (object, error) {
	r := &jsonschema.Reflector{Namer: schemaName, Mapper: special, AllowAdditionalProperties: false}
	js, err := json.Marshal(r.Reflect(v))
	if err != nil {
		return nil, err
	}
	js = []byte(strings.ReplaceAll(string(js), `"#/$defs/`, `"#/components/schemas/`))
	var s object
	if err := json.Unmarshal(js, &s); err != nil {
		return nil, err
	}
	if defs, ok := s["$defs"].(map[string]any); ok {
		maps.Copy(b.schemas, defs)
	}
	delete(s, "$defs")
	delete(s, "$schema")
	delete(s, "$id")
	return s, nil
}

var notWord = regexp.MustCompile(`[^A-Za-z0-9]+`)

// schemaName names a type with its package, since two packages may use one name.
func schemaName(t reflect.Type) string {
	name := t.Name()
	if base, arg, ok := strings.Cut(name, "["); ok { // page.Of[.../flows.Summary]
		arg = path.Base(strings.TrimSuffix(arg, "]"))
		name = base + " " + arg
	}
	var out strings.Builder
	for _, w := range notWord.Split(path.Base(t.PkgPath())+" "+name, -1) {
		if w != "" {
			out.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return out.String()
}

// special describes the types that write their own JSON.
func special(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[contract.Text]():
		return &jsonschema.Schema{
			Description: "A text, or one for each language: {\"en\", \"zh\"}.",
			OneOf:       []*jsonschema.Schema{{Type: "string"}, {Type: "object"}},
		}
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{} // anything; the library writes into what it gets
	case reflect.TypeFor[replay.Data]():
		return &jsonschema.Schema{
			Description: "Bytes: a text where they are UTF-8, else {\"base64\": text}.",
			OneOf:       []*jsonschema.Schema{{Type: "string"}, {Type: "object"}},
		}
	case reflect.TypeFor[engine.Payload]():
		return &jsonschema.Schema{Type: "object", Description: "Depends on kind; see the docs."}
	case reflect.TypeFor[time.Time]():
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	default:
		return nil
	}
}
