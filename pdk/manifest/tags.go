package manifest

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invopop/jsonschema"
)

// decorate walks a schema and the type it was made from side by side, and adds what
// the tags of this package say. Name is the type's, for its doc comment.
func decorate(s *jsonschema.Schema, t reflect.Type, name string) error {
	s.Description = helpText(s.Description, name)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case s.Items != nil && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		return decorate(s.Items, t.Elem(), t.Elem().Name())
	case s.AdditionalProperties != nil && t.Kind() == reflect.Map:
		return decorate(s.AdditionalProperties, t.Elem(), t.Elem().Name())
	case s.Properties != nil && t.Kind() == reflect.Struct:
		return decorateFields(s, t)
	}
	return nil
}

func decorateFields(s *jsonschema.Schema, t reflect.Type) error {
	var errs []error
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			errs = append(errs, decorateFields(s, f.Type))
			continue
		}
		if name == "" {
			name = f.Name
		}
		p, ok := s.Properties.Get(name)
		if !ok {
			continue
		}
		errs = append(errs, wrap(name, decorateField(p, f, name)))
	}
	return errors.Join(errs...)
}

func decorateField(p *jsonschema.Schema, f reflect.StructField, name string) error {
	if err := decorate(p, f.Type, f.Name); err != nil {
		return err
	}
	if title := f.Tag.Get("title"); title != "" {
		p.Title = title
	}
	if p.Title == "" {
		p.Title = label(name)
	}
	if err := labelled(p, f.Tag.Get("choices")); err != nil {
		return err
	}
	if err := keywords(p, "ui:", f.Tag.Get("ui")); err != nil {
		return err
	}
	return keywords(p, "x-", f.Tag.Get("x"))
}

// labelled makes an enumeration with labels from "value:Label|value:Label".
func labelled(p *jsonschema.Schema, tag string) error {
	if tag == "" {
		return nil
	}
	at := p
	if p.Items != nil {
		at = p.Items
	}
	for entry := range strings.SplitSeq(tag, "|") {
		value, title, ok := strings.Cut(entry, ":")
		if !ok || value == "" || title == "" {
			return fmt.Errorf("choices tag: %q is not value:Label", entry)
		}
		at.OneOf = append(at.OneOf, &jsonschema.Schema{Const: value, Title: title})
	}
	return nil
}

// listed are the keywords whose value is a list, written a|b.
func listed(key string) bool {
	return key == "x-depends" || key == "x-placeholders" || key == "ui:order"
}

// keywords adds "key=value;key" with a prefix. A key without a value is true. A key
// with a dot goes into an object: options.rows=4.
func keywords(p *jsonschema.Schema, prefix, tag string) error {
	if tag == "" {
		return nil
	}
	if p.Extras == nil {
		p.Extras = map[string]any{}
	}
	for entry := range strings.SplitSeq(tag, ";") {
		key, text, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if key == "" {
			return fmt.Errorf("%s tag: an entry is empty in %q", strings.TrimRight(prefix, ":-"), tag)
		}
		key = prefix + key
		if group, inner, ok := strings.Cut(key, "."); ok {
			object, _ := p.Extras[group].(map[string]any)
			if object == nil {
				object = map[string]any{}
				p.Extras[group] = object
			}
			object[inner] = keywordValue(key, text)
			continue
		}
		p.Extras[key] = keywordValue(key, text)
	}
	if p.Extras["x-secret"] == true {
		p.Format, p.WriteOnly = "password", true
	}
	return errors.Join(source(p), operation(p))
}

func keywordValue(key, text string) any {
	switch {
	case text == "" || text == "true":
		return true
	case text == "false":
		return false
	case listed(key):
		return strings.Split(text, "|")
	}
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return text
}

// source writes x-source in its long form: the choices come from the action's Options
// function, and are fetched again when a field of x-depends changes.
func source(p *jsonschema.Schema) error {
	name, ok := p.Extras["x-source"].(string)
	if !ok {
		if p.Extras["x-depends"] != nil {
			return errors.New("x tag: depends without source")
		}
		return nil
	}
	long := map[string]any{"name": name}
	if d := p.Extras["x-depends"]; d != nil {
		long["dependsOn"] = d
		delete(p.Extras, "x-depends")
	}
	p.Extras["x-source"] = long
	return nil
}

// operation writes x-operation in its long form: the field stands for a part of a call of the
// operation that the fields "system" and "operation" choose.
func operation(p *jsonschema.Schema) error {
	part, ok := p.Extras["x-operation"].(string)
	if !ok {
		if p.Extras["x-placeholders"] != nil {
			return errors.New("x tag: placeholders without operation")
		}
		return nil
	}
	long := map[string]any{"part": part}
	if part != "system" {
		long["system"] = "system"
	}
	if part == "params" || part == "body" {
		long["operation"] = "operation"
	}
	if texts := p.Extras["x-placeholders"]; texts != nil {
		long["placeholders"] = texts
		delete(p.Extras, "x-placeholders")
	}
	p.Extras["x-operation"] = long
	return nil
}

// label makes a label from a JSON name: start_at becomes "Start at".
func label(name string) string { return upperFirst(strings.ReplaceAll(name, "_", " ")) }

// helpText makes a help text from a doc comment: the Go convention of beginning with
// "Name" or "Name is" is undone, and lines of one paragraph are joined.
func helpText(comment, name string) string {
	text := comment
	if rest, ok := strings.CutPrefix(comment, name+" "); ok && name != "" {
		text = upperFirst(strings.TrimPrefix(rest, "is "))
	}
	paragraphs := strings.Split(text, "\n\n")
	for i, p := range paragraphs {
		if !strings.HasPrefix(p, "\t") && !strings.HasPrefix(p, "  ") {
			paragraphs[i] = strings.Join(strings.Fields(p), " ")
		}
	}
	return strings.TrimSpace(strings.Join(paragraphs, "\n\n"))
}

func upperFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}
