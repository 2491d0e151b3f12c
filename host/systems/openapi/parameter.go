package openapi

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)

// parameters reads the parameters of the operation and of its path. One that a call cannot
// carry is left out when it is optional; otherwise the operation is.
func (o *operation) parameters(op *systems.Operation) error {
	type key struct{ in, name string }
	var order []key
	all := map[key]map[string]any{}
	for _, v := range append(append([]any{}, o.shared...), list(o.raw["parameters"])...) {
		p, err := o.r.resolve(v)
		if err != nil {
			return fmt.Errorf("a parameter %w", err)
		}
		k := key{text(p["in"]), text(p["name"])}
		if all[k] == nil {
			order = append(order, k)
		}
		all[k] = p
	}
	names := map[string]bool{}
	for _, k := range order {
		if k.in == "header" && ignored(k.name) {
			continue
		}
		p, err := o.parameter(op, all[k], names)
		switch {
		case err == nil:
			names[p.Name] = true
			op.Parameters = append(op.Parameters, p)
		case k.in == "path" || yes(all[k]["required"]):
			return &partError{k.name, err}
		default:
			o.leave(k.in, k.name, err)
		}
	}
	return o.checkPath(op)
}

// ignored are the headers that the standard says are no parameters.
func ignored(name string) bool {
	switch strings.ToLower(name) {
	case "accept", "content-type", "authorization":
		return true
	}
	return false
}

func (o *operation) parameter(op *systems.Operation, raw map[string]any, names map[string]bool) (systems.Parameter, error) {
	p := systems.Parameter{Name: text(raw["name"]), In: systems.Place(text(raw["in"])), Required: yes(raw["required"])}
	if doc := strings.TrimSpace(text(raw["description"])); doc != "" {
		p.Doc = contract.T(clip(doc, maxSchemaDoc))
	}
	style := text(raw["style"])
	switch p.In {
	case systems.InPath:
		p.Required = true
		if style != "" && style != "simple" {
			return p, flawed(CodeParameterStyle, "is written in the style %s, which is not known", clip(style, 20))
		}
	case systems.InQuery:
		if style != "" && style != "form" {
			return p, flawed(CodeParameterStyle, "is written in the style %s, which is not known", clip(style, 20))
		}
	case systems.InHeader:
		if systems.ReservedHeader(p.Name) {
			return p, flawed(CodeParameterHeader, "is a header that the gateway keeps to itself")
		}
	case "cookie":
		return p, flawed(CodeParameterCookie, "is a cookie, and none is sent")
	default:
		return p, flawed(CodeParameterPlace, "is in a place that is not known")
	}
	if err := o.name(op, &p, names); err != nil {
		return p, err
	}
	return p, o.value(&p, raw)
}

// name gives the parameter a name that a call can use, and keeps that of the wire.
func (o *operation) name(op *systems.Operation, p *systems.Parameter, names map[string]bool) error {
	wire := p.Name
	if !plainName.MatchString(p.Name) {
		p.Name = strings.Trim(regexp.MustCompile(`[^A-Za-z0-9_-]+`).ReplaceAllString(p.Name, "_"), "_-")
		if p.Name == "" || p.Name[0] >= '0' && p.Name[0] <= '9' {
			p.Name = "p_" + p.Name
		}
		p.Name = p.Name[:min(len(p.Name), 64)]
	}
	if names[p.Name] {
		p.Name = clip(p.Name, 50) + "_" + string(p.In)
	}
	switch {
	case names[p.Name]:
		return flawed(CodeParameterTwice, "has the name of another one")
	case p.Name == wire:
	case p.In == systems.InPath:
		op.Path = strings.ReplaceAll(op.Path, "{"+wire+"}", "{"+p.Name+"}")
	default:
		p.Wire = wire
	}
	return nil
}

// value reads the schema: text, number, boolean, or a list of these.
func (o *operation) value(p *systems.Parameter, raw map[string]any) error {
	if raw["schema"] == nil {
		if raw["content"] != nil {
			return flawed(CodeParameterContent, "is written as a document of its own")
		}
		return nil
	}
	kind, inner, err := o.r.kind(raw["schema"])
	if err != nil {
		return err
	}
	if text(inner["format"]) == "password" && kind == "string" && p.In != systems.InPath {
		p.Secret, p.Schema = true, []byte(`{"type":"string"}`)
		return nil
	}
	switch kind {
	case "object":
		return flawed(CodeParameterObject, "is an object")
	case "array":
		if done, err := o.listOf(p, raw, inner); done || err != nil {
			return err
		}
	}
	if p.Schema, err = o.r.schema(raw["schema"]); err != nil {
		return fmt.Errorf("has a schema that %w", err)
	}
	return nil
}

// listOf reads a list; it is done where the list travels as one text.
func (o *operation) listOf(p *systems.Parameter, raw, schema map[string]any) (bool, error) {
	items, _, err := o.r.kind(schema["items"])
	switch {
	case err != nil:
		return false, err
	case items == "object" || items == "array":
		return false, flawed(CodeParameterList, "is a list of lists or objects")
	case p.In != systems.InQuery:
		p.Schema = []byte(`{"type":"string"}`) // one text with commas
		return true, nil
	}
	if explode, ok := raw["explode"].(bool); ok && !explode {
		p.ArrayStyle = systems.ArrayComma
	}
	return false, nil
}

var inPath = regexp.MustCompile(`\{([^{}]*)\}`)

// checkPath compares the template with the parameters; one that the document forgot is a
// text.
func (o *operation) checkPath(op *systems.Operation) error {
	used := map[string]bool{}
	for _, m := range inPath.FindAllStringSubmatch(op.Path, -1) {
		used[m[1]] = true
	}
	kept := op.Parameters[:0]
	for _, p := range op.Parameters {
		if p.In == systems.InPath {
			if !used[p.Name] {
				o.leave("path", p.Name, flawed(CodePathParameter, "is not in the path"))
				continue
			}
			delete(used, p.Name)
		}
		kept = append(kept, p)
	}
	op.Parameters = kept
	for _, m := range inPath.FindAllStringSubmatch(op.Path, -1) {
		if used[m[1]] {
			op.Parameters = append(op.Parameters, systems.Parameter{Name: m[1], In: systems.InPath, Required: true})
			delete(used, m[1])
		}
	}
	return systems.CheckPath(op.Path)
}
