package expr

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// The names of the types that the environment itself declares.
const (
	typeNodes = "culm.nodes"
	typeNode  = "culm.node."
	typeRun   = "culm.run"
	typeVar   = "culm.var."
	// typeSecret has no operations.
	typeSecret = "culm.secret"
)

// objectType is a CEL object type made from a schema with named properties.
type objectType struct {
	name   string
	fields map[string]*fieldType
}

// fieldType is a field with its CEL type and the schema that decodes its value.
type fieldType struct {
	cel    *cel.Type
	schema *Schema
}

// typeSet makes CEL types from schemas and tells CEL about them.
type typeSet struct {
	types.Provider
	objects map[string]*objectType
	celType map[*Schema]*cel.Type
}

func newTypeSet(base types.Provider) *typeSet {
	return &typeSet{Provider: base, objects: map[string]*objectType{}, celType: map[*Schema]*cel.Type{}}
}

// typeOf returns the CEL type of the values of a schema. What a schema leaves open is
// dyn: it is checked when it is evaluated.
func (t *typeSet) typeOf(s *Schema, name string) *cel.Type {
	s = s.target()
	if s == nil || len(s.types) != 1 {
		return cel.DynType
	}
	if c, ok := t.celType[s]; ok {
		return c
	}
	switch s.types[0] {
	case "string":
		return cel.StringType
	case "integer":
		return cel.IntType
	case "number":
		return cel.DoubleType
	case "boolean":
		return cel.BoolType
	case "null":
		return cel.NullType
	case "array":
		t.celType[s] = cel.DynType // what refers to itself from here on
		c := cel.ListType(t.itemType(s, name))
		t.celType[s] = c
		return c
	}
	if !s.closed() {
		t.celType[s] = cel.MapType(cel.StringType, cel.DynType)
		if s.properties == nil && s.additional != nil {
			t.celType[s] = cel.MapType(cel.StringType, t.typeOf(s.additional, name+".*"))
		}
		return t.celType[s]
	}
	return t.object(s, name)
}

func (t *typeSet) itemType(s *Schema, name string) *cel.Type {
	if s.items == nil || len(s.prefix) > 0 {
		return cel.DynType
	}
	return t.typeOf(s.items, name+".item")
}

func (t *typeSet) object(s *Schema, name string) *cel.Type {
	o := &objectType{name: name, fields: make(map[string]*fieldType, len(s.properties))}
	c := cel.ObjectType(name)
	t.objects[name], t.celType[s] = o, c
	for _, field := range s.Properties() {
		sub := s.properties[field]
		o.fields[field] = &fieldType{cel: t.typeOf(sub, name+"."+field), schema: sub}
	}
	return c
}

// FindStructType finds an object type by name.
func (t *typeSet) FindStructType(name string) (*types.Type, bool) {
	if _, ok := t.objects[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return t.Provider.FindStructType(name)
}

// FindStructFieldNames lists the fields of an object type.
func (t *typeSet) FindStructFieldNames(name string) ([]string, bool) {
	o, ok := t.objects[name]
	if !ok {
		return t.Provider.FindStructFieldNames(name)
	}
	names := make([]string, 0, len(o.fields))
	for field := range o.fields {
		names = append(names, field)
	}
	slices.Sort(names)
	return names, true
}

// FindStructFieldType finds a field of an object type.
func (t *typeSet) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	o, ok := t.objects[name]
	if !ok {
		return t.Provider.FindStructFieldType(name, field)
	}
	f, ok := o.fields[field]
	if !ok {
		return nil, false
	}
	return &types.FieldType{
		Type: f.cel,
		IsSet: func(target any) bool {
			v, ok := target.(*object)
			return ok && v.has(field)
		},
		GetFrom: func(target any) (any, error) {
			v, ok := target.(*object)
			if !ok {
				return nil, fail(CodeType, "%s has another type than its schema says", field)
			}
			return v.field(field)
		},
	}, true
}

// NewValue refuses: expressions do not make objects of a schema's type.
func (t *typeSet) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := t.objects[name]; ok {
		return types.NewErr("objects of type %s cannot be made here", name)
	}
	return t.Provider.NewValue(name, fields)
}
