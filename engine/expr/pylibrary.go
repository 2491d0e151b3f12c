package expr

import (
	"errors"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/culmhq/culm/engine/expr/python"
)

// importedLibrary are the functions that translated BK-SOPS expressions need where CEL's
// own rules differ from Python's:
//
//	py.text(v)             the text of a value as str() gives it
//	py.truth(v)            what Python takes for true
//	py.call(name, args)    an operator, builtin or method of package python, by name
//	py.or(v, text)         v, or the text when v cannot be evaluated, unless it said fail
//	sops.value(text)       a text as a condition reads it: a number, a bool, a word, a list
//	sops.test(op, a, b)    a comparison of a condition, with its coercions
//
// and, for every flow, fail(message), which ends the evaluation with that message.
func importedLibrary() cel.EnvOption {
	str, list, dyn := cel.StringType, cel.ListType(cel.DynType), cel.DynType
	return func(e *cel.Env) (*cel.Env, error) {
		for _, o := range []cel.EnvOption{
			cel.Function("py.text", cel.Overload("culm_py_text", []*cel.Type{dyn}, str, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return onPlain(v, func(p any) (any, error) { return python.Text(p) })
			}))),
			cel.Function("py.truth", cel.Overload("culm_py_truth", []*cel.Type{dyn}, cel.BoolType, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return onPlain(v, func(p any) (any, error) { return python.Truth(p), nil })
			}))),
			cel.Function("py.call", cel.Overload("culm_py_call", []*cel.Type{str, list}, dyn, cel.BinaryBinding(pythonCall))),
			cel.Function("py.or", cel.Overload("culm_py_or", []*cel.Type{dyn, str}, dyn, cel.OverloadIsNonStrict(),
				cel.BinaryBinding(func(v, text ref.Val) ref.Val {
					if err, isErr := v.Value().(error); isErr && types.IsError(v) && excusable(err) {
						return text
					}
					return v
				}))),
			cel.Function("sops.value", cel.Overload("culm_sops_value", []*cel.Type{str}, dyn, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return fromPlain(python.Operand(goString(v)))
			}))),
			cel.Function("sops.test", cel.Overload("culm_sops_test", []*cel.Type{str, dyn, dyn}, cel.BoolType, cel.FunctionBinding(sopsTest))),
			cel.Function("fail", cel.Overload("culm_fail", []*cel.Type{str}, dyn, cel.UnaryBinding(func(v ref.Val) ref.Val {
				e := fail(CodeEval, "%s", goString(v))
				e.deliberate = true
				return types.WrapErr(e)
			}))),
		} {
			var err error
			if e, err = o(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

// excusable reports whether py.or gives its text in place of an error: not when a limit
// was reached, and not when the flow itself said fail.
func excusable(err error) bool {
	var e *Error
	return !errors.As(err, &e) || e.Code != CodeCost && e.Code != CodeInputLimit && !e.deliberate
}

func pythonCall(name, args ref.Val) ref.Val {
	v, err := toPlain(args, 0)
	if err != nil {
		return types.WrapErr(err)
	}
	list, _ := v.([]any)
	return fromPlain(python.Call(goString(name), list))
}

func sopsTest(args ...ref.Val) ref.Val {
	l, err := toPlain(args[1], 0)
	if err != nil {
		return types.WrapErr(err)
	}
	r, err := toPlain(args[2], 0)
	if err != nil {
		return types.WrapErr(err)
	}
	ok, err := python.Test(goString(args[0]), l, r)
	return fromPlain(ok, err)
}

func onPlain(v ref.Val, f func(any) (any, error)) ref.Val {
	p, err := toPlain(v, 0)
	if err != nil {
		return types.WrapErr(err)
	}
	return fromPlain(f(p))
}

// fromPlain makes a CEL value of what package python gave.
func fromPlain(v any, err error) ref.Val {
	if err != nil {
		return types.WrapErr(fail(CodeEval, "%v", err))
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// toPlain makes a value of package python of a CEL value.
func toPlain(v ref.Val, depth int) (any, error) {
	if depth > schemaDepthMax {
		return nil, fail(CodeInputLimit, "the value is nested more than %d deep", schemaDepthMax)
	}
	switch v := v.(type) {
	case types.Null:
		return nil, nil //nolint:nilnil // null is a value
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Uint:
		return float64(v), nil
	case types.Double:
		return float64(v), nil
	case types.String:
		return string(v), nil
	case types.Timestamp:
		return v.UTC(), nil
	case types.Duration:
		return v.String(), nil
	case *object:
		if v.raw == nil {
			return nil, v.whole()
		}
		return python.FromJSON(v.raw)
	case traits.Mapper:
		return plainMap(v, depth)
	case traits.Lister:
		return plainList(v, depth)
	}
	return nil, fail(CodeType, "a %s cannot be used here", v.Type().TypeName())
}

func plainList(l traits.Lister, depth int) (any, error) {
	out := []any{}
	for it := l.Iterator(); it.HasNext() == types.True; {
		item, err := toPlain(it.Next(), depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, item)
	}
	return out, nil
}

func plainMap(m traits.Mapper, depth int) (any, error) {
	out := map[string]any{}
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		key, err := keyText(k)
		if err != nil {
			return nil, err
		}
		item, err := toPlain(m.Get(k), depth+1)
		if err != nil {
			return nil, err
		}
		out[key] = item
	}
	return out, nil
}

// deepSize is the size of a value with all that is in it: what the functions above look
// at.
func deepSize(v ref.Val, depth int) uint64 {
	if depth > schemaDepthMax {
		return 1
	}
	switch v := v.(type) {
	case types.String:
		return uint64(len(v)) + 1
	case *object:
		return uint64(len(v.raw)) + 1
	case traits.Mapper:
		total := uint64(16)
		for it := v.Iterator(); it.HasNext() == types.True; {
			k := it.Next()
			total += deepSize(k, depth+1) + deepSize(v.Get(k), depth+1)
		}
		return total
	case traits.Lister:
		total := uint64(16)
		for it := v.Iterator(); it.HasNext() == types.True; {
			total += deepSize(it.Next(), depth+1)
		}
		return total
	}
	return 8
}

// costsDeep reports whether a function looks at the whole of its arguments.
func costsDeep(overload string) bool {
	return strings.HasPrefix(overload, "culm_py_") || strings.HasPrefix(overload, "culm_sops_")
}
