package pdk

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// decodeInputs decodes inputs over a copy of the defaults. It holds what the schema
// says about names also where no host checked it: an unknown name, another case of
// a name, and a missing required field are refused.
func decodeInputs[In any](raw json.RawMessage, defaults In, in *In) error {
	if len(raw) == 0 || isNull(raw) {
		raw = json.RawMessage("{}")
	}
	given := reflect.ValueOf(&defaults).Elem()
	if err := checkNames(given.Type(), given, raw, nil); err != nil {
		return err
	}
	if !given.IsZero() {
		// Through JSON, so that a slice or map of the defaults is never shared.
		b, err := json.Marshal(defaults)
		if err != nil {
			return Fail(CodePlugin, "the defaults are not JSON: %v", err)
		}
		if err := json.Unmarshal(b, in); err != nil {
			return Fail(CodePlugin, "the defaults do not decode: %v", err)
		}
	}
	return typeError(given.Type(), json.Unmarshal(raw, in))
}

// decodeForm decodes each field of a form that fits and leaves the others zero.
func decodeForm[In any](raw json.RawMessage, form *In) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) != nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		one, err := json.Marshal(map[string]json.RawMessage{name: fields[name]})
		if err != nil {
			continue
		}
		// Into a copy first: a field that does not fit must not be half filled.
		next := *form
		if json.Unmarshal(one, &next) == nil {
			*form = next
		}
	}
}

// checkNames compares the names in raw with the fields of t, all the way down.
func checkNames(t reflect.Type, defaults reflect.Value, raw json.RawMessage, path []string) error {
	for t.Kind() == reflect.Pointer {
		if isNull(raw) {
			return nil
		}
		t, defaults = t.Elem(), reflect.Value{}
	}
	if opaque(t) {
		return nil
	}
	switch t.Kind() {
	case reflect.Struct:
		return checkStruct(t, defaults, raw, path)
	case reflect.Slice, reflect.Array:
		return checkItems(t.Elem(), raw, path)
	case reflect.Map:
		return checkEntries(t.Elem(), raw, path)
	default:
		return nil
	}
}

func checkStruct(t reflect.Type, defaults reflect.Value, raw json.RawMessage, path []string) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil || given == nil {
		return invalid(path, "must be an object")
	}
	known := fields(t, defaults)
	for _, f := range known {
		value, ok := given[f.name]
		delete(given, f.name)
		if !ok || f.required && f.typ.Kind() != reflect.Interface && isNull(value) {
			if f.required {
				return invalid(append(path, f.name), "is required")
			}
			continue
		}
		if err := checkNames(f.typ, f.value, value, append(path, f.name)); err != nil {
			return err
		}
	}
	if len(given) == 0 {
		return nil
	}
	return invalid(append(path, slices.Min(slices.Collect(maps.Keys(given)))), "is not an input of this action")
}

func checkItems(elem reflect.Type, raw json.RawMessage, path []string) error {
	if elem = deref(elem); opaque(elem) || !composite(elem) {
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return invalid(path, "must be an array")
	}
	for i, item := range items {
		if err := checkNames(elem, reflect.Value{}, item, append(path, strconv.Itoa(i))); err != nil {
			return err
		}
	}
	return nil
}

func checkEntries(elem reflect.Type, raw json.RawMessage, path []string) error {
	if elem = deref(elem); opaque(elem) || !composite(elem) {
		return nil
	}
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return invalid(path, "must be an object")
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		if err := checkNames(elem, reflect.Value{}, entries[name], append(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// field is a field of a struct as JSON sees it.
type field struct {
	name     string
	typ      reflect.Type
	value    reflect.Value // of the defaults; invalid when there are none
	required bool
}

// fields lists the fields of a struct by the rules that the manifest is made by: one
// without omitempty or omitzero is required, unless it has a default.
func fields(t reflect.Type, defaults reflect.Value) []field {
	var fs []field
	for i := range t.NumField() {
		sf := t.Field(i)
		var v reflect.Value
		if defaults.IsValid() {
			v = defaults.Field(i)
		}
		name, options, _ := strings.Cut(sf.Tag.Get("json"), ",")
		if sf.Anonymous && name == "" && deref(sf.Type).Kind() == reflect.Struct {
			if sf.Type.Kind() == reflect.Pointer {
				v = reflect.Value{}
			}
			fs = append(fs, fields(deref(sf.Type), v)...)
			continue
		}
		if !sf.IsExported() || name == "-" && options == "" {
			continue
		}
		if name == "" {
			name = sf.Name
		}
		required := !omits(sf.Tag.Get("json")) && (!v.IsValid() || v.IsZero())
		fs = append(fs, field{name, sf.Type, v, required})
	}
	return fs
}

// omits reports whether a json tag leaves zero values out.
func omits(tag string) bool {
	_, options, _ := strings.Cut(tag, ",")
	return strings.Contains(options, "omitempty") || strings.Contains(options, "omitzero")
}

// opaque reports whether a type decodes itself, so that its fields say nothing.
func opaque(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func composite(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
		return true
	default:
		return false
	}
}

func deref(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

func typeError(t reflect.Type, err error) error {
	if err == nil {
		return nil
	}
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return InvalidInput(plainPath(t, te.Field), "must be of type %s, not %s", te.Type, te.Value)
	}
	f := Fail(CodeInput, "inputs: %v", err)
	f.Origin = contract.OriginFlow
	return f
}

// plainPath removes the names of embedded structs, which encoding/json puts in front of
// the fields that JSON sees without them.
func plainPath(t reflect.Type, path string) string {
	for t.Kind() == reflect.Struct {
		first, rest, _ := strings.Cut(path, ".")
		f, ok := t.FieldByName(first)
		if !ok || !f.Anonymous || f.Tag.Get("json") != "" {
			break
		}
		t, path = deref(f.Type), rest
	}
	return path
}

func invalid(path []string, reason string) error {
	if len(path) == 0 {
		path = []string{"inputs"}
	}
	return InvalidInput(strings.Join(path, "."), "%s", reason)
}
