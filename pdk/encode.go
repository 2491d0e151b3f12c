package pdk

import (
	"encoding/json"
	"reflect"
)

// encodeOutputs encodes outputs with an empty list or object where Go has a nil slice or
// map: null would not be valid against the schema, and a flow that counts or
// loops must not have to ask.
func encodeOutputs[Out any](out *Out) (json.RawMessage, error) {
	fillNil(reflect.ValueOf(out).Elem())
	return json.Marshal(out)
}

// fillNil makes the nil slices and maps below v empty. Those that an omitempty or omitzero
// leaves out stay out: an empty slice is omitted as a nil one is only by omitempty.
func fillNil(v reflect.Value) {
	t := v.Type()
	if opaque(t) {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() && !omitted(f, v.Field(i)) {
				fillNil(v.Field(i))
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			fillNil(v.Elem())
		}
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(t))
		}
	case reflect.Slice:
		fillSlice(v)
	default:
	}
}

func fillSlice(v reflect.Value) {
	elem := v.Type().Elem()
	switch {
	case elem.Kind() == reflect.Uint8: // bytes are a text in JSON
	case v.IsNil():
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	case composite(deref(elem)):
		for i := range v.Len() {
			fillNil(v.Index(i))
		}
	}
}

func omitted(f reflect.StructField, v reflect.Value) bool {
	return v.IsZero() && omits(f.Tag.Get("json"))
}
