package expr

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// object is a value of an object type: fields by name, decoded when it is made.
type object struct {
	typ     *objectType
	session *session
	// load returns a field, or false when it is not set.
	load func(name string) (any, bool, error)
	// path is how an expression names the object, for messages.
	path string
	raw  json.RawMessage
}

// whole is the error of an object that has no JSON form.
func (o *object) whole() error {
	if strings.HasSuffix(o.path, ".outputs") {
		e := fail(CodeUnset, "%s has no value", o.path)
		e.Name = o.path
		return e
	}
	return fail(CodeType, "%s cannot be used as a whole", o.path)
}

func (o *object) has(name string) bool {
	_, ok, err := o.load(name)
	return ok && err == nil
}

func (o *object) field(name string) (any, error) {
	v, ok, err := o.load(name)
	if err == nil && !ok {
		e := fail(CodeUnset, "%s.%s has no value", o.path, name)
		e.Name = o.path + "." + name
		err = e
	}
	if err != nil {
		o.session.note(err)
		return nil, err
	}
	return v, nil
}

// ConvertToNative is not supported: values leave through appendJSON.
func (o *object) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("an object cannot be converted")
}

// ConvertToType converts to nothing but type.
func (o *object) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return types.NewObjectType(o.typ.name)
	}
	return types.NewErr("cannot convert %s to %s", o.typ.name, t.TypeName())
}

// Equal compares two objects by their JSON.
func (o *object) Equal(other ref.Val) ref.Val {
	p, ok := other.(*object)
	if !ok || o.raw == nil || p.raw == nil {
		return types.Bool(ok && o == p)
	}
	a, err1 := decodeAny(o.raw)
	b, err2 := decodeAny(p.raw)
	return types.Bool(err1 == nil && err2 == nil && equalJSON(a, b))
}

// Type returns the object type.
func (o *object) Type() ref.Type { return types.NewObjectType(o.typ.name) }

// Value returns the object itself.
func (o *object) Value() any { return o }

// Get returns a field for code that is not type-checked.
func (o *object) Get(index ref.Val) ref.Val {
	name, ok := index.(types.String)
	if !ok {
		return types.NewErr("no such key: %v", index)
	}
	v, err := o.field(string(name))
	if err != nil {
		return types.WrapErr(err)
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// IsSet tells has() for code that is not type-checked.
func (o *object) IsSet(field ref.Val) ref.Val {
	name, ok := field.(types.String)
	return types.Bool(ok && o.has(string(name)))
}

var (
	_ traits.Indexer     = (*object)(nil)
	_ traits.FieldTester = (*object)(nil)
)

// decode turns JSON into a CEL value of the schema's type. Integers stay integers; a
// number of a schema that says number is a double.
func (s *session) decode(raw json.RawMessage, schema *Schema, path string) (ref.Val, error) {
	if s.read += len(raw); s.read > InputMaxBytes {
		return nil, fail(CodeInputLimit, "the values that the expression reads exceed %d bytes", InputMaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fail(CodeType, "%s is not JSON: %v", path, err)
	}
	return s.value(v, schema, path)
}

func (s *session) value(v any, schema *Schema, path string) (ref.Val, error) {
	schema = schema.target()
	switch v := v.(type) {
	case nil:
		return types.NullValue, nil
	case bool:
		return types.Bool(v), nil
	case string:
		if len(v) > StringMaxBytes {
			return nil, fail(CodeInputLimit, "%s holds a string of %d bytes, more than %d", path, len(v), StringMaxBytes)
		}
		return types.String(v), nil
	case json.Number:
		return number(v, schema, path)
	case []any:
		return s.list(v, schema, path)
	case map[string]any:
		return s.structure(v, schema, path)
	}
	return nil, fail(CodeType, "%s has no CEL value", path)
}

func number(v json.Number, schema *Schema, path string) (ref.Val, error) {
	if schema.Type() != "number" {
		if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return types.Int(i), nil
		}
	}
	f, err := v.Float64()
	if err != nil {
		return nil, fail(CodeType, "%s is out of range", path)
	}
	if schema.Type() == "integer" && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return types.Int(int64(f)), nil
	}
	return types.Double(f), nil
}

func (s *session) list(v []any, schema *Schema, path string) (ref.Val, error) {
	elems := make([]ref.Val, len(v))
	for i, item := range v {
		sub := schema.items
		if i < len(schema.prefix) {
			sub = schema.prefix[i]
		}
		if sub == nil {
			sub = &Schema{}
		}
		e, err := s.value(item, sub, path+"["+strconv.Itoa(i)+"]")
		if err != nil {
			return nil, err
		}
		elems[i] = e
	}
	return types.NewRefValList(types.DefaultTypeAdapter, elems), nil
}

func (s *session) structure(v map[string]any, schema *Schema, path string) (ref.Val, error) {
	typ := s.objectType(schema)
	fields := make(map[string]any, len(v))
	for name, item := range v {
		sub, _ := schema.Property(name)
		e, err := s.value(item, sub, path+"."+name)
		if err != nil {
			return nil, err
		}
		fields[name] = e
	}
	if typ == nil {
		return types.NewStringInterfaceMap(types.DefaultTypeAdapter, fields), nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fail(CodeType, "%s: %v", path, err)
	}
	return &object{typ: typ, session: s, path: path, raw: raw, load: func(name string) (any, bool, error) {
		e, ok := fields[name]
		return e, ok, nil
	}}, nil
}

// objectType returns the object type of a schema, or nil when its values are maps.
func (s *session) objectType(schema *Schema) *objectType {
	c, ok := s.env.types.celType[schema]
	if !ok {
		return nil
	}
	return s.env.types.objects[c.TypeName()]
}

// appendJSON writes a value as JSON. Keys are sorted, so equal values give equal bytes.
func appendJSON(dst []byte, v ref.Val) ([]byte, error) {
	switch v := v.(type) {
	case *object:
		if v.raw == nil {
			return nil, v.whole()
		}
		return append(dst, v.raw...), nil
	case traits.Mapper:
		return appendMap(dst, v)
	case traits.Lister:
		return appendList(dst, v)
	}
	return appendScalar(dst, v)
}

func appendScalar(dst []byte, v ref.Val) ([]byte, error) {
	switch v := v.(type) {
	case types.Null:
		return append(dst, "null"...), nil
	case types.Bool:
		return strconv.AppendBool(dst, bool(v)), nil
	case types.Int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case types.Uint:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case types.Double:
		f := float64(v)
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fail(CodeType, "the result %v has no JSON form", f)
		}
		return appendMarshal(dst, f)
	case types.String:
		return appendMarshal(dst, string(v))
	case types.Bytes:
		return appendMarshal(dst, base64.StdEncoding.EncodeToString(v))
	case types.Timestamp:
		return appendMarshal(dst, v.UTC().Format(time.RFC3339Nano))
	case types.Duration:
		return appendMarshal(dst, v.String())
	}
	return nil, fail(CodeType, "a %s has no JSON form", v.Type().TypeName())
}

func appendMarshal(dst []byte, v any) ([]byte, error) {
	if len(dst) > OutputMaxBytes {
		return nil, fail(CodeInputLimit, "the result exceeds %d bytes", OutputMaxBytes)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fail(CodeType, "%v", err)
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...), nil
}

func appendList(dst []byte, l traits.Lister) ([]byte, error) {
	dst = append(dst, '[')
	it := l.Iterator()
	for i := 0; it.HasNext() == types.True; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendJSON(dst, it.Next()); err != nil {
			return nil, err
		}
		if len(dst) > OutputMaxBytes {
			return nil, fail(CodeInputLimit, "the result exceeds %d bytes", OutputMaxBytes)
		}
	}
	return append(dst, ']'), nil
}

func appendMap(dst []byte, m traits.Mapper) ([]byte, error) {
	type entry struct {
		key   string
		value ref.Val
	}
	var entries []entry
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		key, err := keyText(k)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{key, m.Get(k)})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	dst = append(dst, '{')
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
			if e.key == entries[i-1].key {
				return nil, fail(CodeType, "the key %q comes twice in the result", e.key)
			}
		}
		var err error
		if dst, err = appendMarshal(dst, e.key); err != nil {
			return nil, err
		}
		if dst, err = appendJSON(append(dst, ':'), e.value); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

func keyText(k ref.Val) (string, error) {
	switch k := k.(type) {
	case types.String:
		return string(k), nil
	case types.Int, types.Uint, types.Bool:
		b, err := appendJSON(nil, k)
		return string(b), err
	}
	return "", fail(CodeType, "a %s is not a key in JSON", k.Type().TypeName())
}

// text is what a value looks like inside a longer string: a string as it is,
// everything else as JSON, null as nothing.
func text(v ref.Val) (string, error) {
	switch v := v.(type) {
	case types.String:
		return string(v), nil
	case types.Null:
		return "", nil
	case types.Timestamp:
		return v.Time.UTC().Format(time.RFC3339Nano), nil
	case types.Duration:
		return v.String(), nil
	}
	b, err := appendJSON(nil, v)
	return string(b), err
}
