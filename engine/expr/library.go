package expr

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// resultMaxBytes bounds the string that one of our functions makes: CEL counts the
// cost of a call after it, which is too late for one that multiplies its input.
const resultMaxBytes = OutputMaxBytes

// stringLibrary are the string functions beyond CEL's own: lower, upper, trim, split,
// join, replace, substring, indexOf.
func stringLibrary() cel.EnvOption {
	str, list := cel.StringType, cel.ListType(cel.StringType)
	unary := func(name string, f func(string) string) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload("culm_"+name, []*cel.Type{str}, str,
			cel.UnaryBinding(func(v ref.Val) ref.Val { return types.String(f(goString(v))) })))
	}
	return func(e *cel.Env) (*cel.Env, error) {
		for _, o := range []cel.EnvOption{
			unary("lower", strings.ToLower),
			unary("upper", strings.ToUpper),
			unary("trim", strings.TrimSpace),
			cel.Function("split", cel.MemberOverload("culm_split", []*cel.Type{str, str}, list,
				cel.BinaryBinding(func(s, sep ref.Val) ref.Val { return split(goString(s), goString(sep)) }))),
			cel.Function("join", cel.MemberOverload("culm_join", []*cel.Type{list, str}, str,
				cel.BinaryBinding(func(l, sep ref.Val) ref.Val { return join(l, goString(sep)) }))),
			cel.Function("replace", cel.MemberOverload("culm_replace", []*cel.Type{str, str, str}, str,
				cel.FunctionBinding(func(a ...ref.Val) ref.Val { return replace(goString(a[0]), goString(a[1]), goString(a[2])) }))),
			cel.Function("indexOf", cel.MemberOverload("culm_index_of", []*cel.Type{str, str}, cel.IntType,
				cel.BinaryBinding(func(s, sub ref.Val) ref.Val { return indexOf(goString(s), goString(sub)) }))),
			cel.Function("substring", cel.MemberOverload("culm_substring", []*cel.Type{str, cel.IntType, cel.IntType}, str,
				cel.FunctionBinding(func(a ...ref.Val) ref.Val { return substring(goString(a[0]), a[1], a[2]) }))),
		} {
			var err error
			if e, err = o(e); err != nil {
				return nil, err
			}
		}
		return e, nil
	}
}

// libraryCost counts what our functions cost: like CEL's own, a tenth of the bytes
// that go in and come out.
type libraryCost struct{}

// CallCost returns the cost of a call, or nil for CEL's own functions.
func (libraryCost) CallCost(_, overload string, args []ref.Val, result ref.Val) *uint64 {
	if !strings.HasPrefix(overload, "culm_") {
		return nil
	}
	of := sizeOf
	if costsDeep(overload) {
		of = func(v ref.Val) uint64 { return deepSize(v, 0) }
	}
	size := of(result)
	for _, a := range args {
		size += of(a)
	}
	total := 1 + size/10
	return &total
}

// sizeOf is the size of a string, or of a list as if each element had a few bytes more
// than its own.
func sizeOf(v ref.Val) uint64 {
	switch v := v.(type) {
	case types.String:
		return uint64(len(v))
	case traits.Lister:
		n, _ := v.Size().(types.Int)
		return uint64(max(n, 0)) * 16
	}
	return 1
}

func goString(v ref.Val) string { s, _ := v.(types.String); return string(s) }

func tooLarge() ref.Val {
	return types.WrapErr(fail(CodeCost, "a string would have more than %d bytes", resultMaxBytes))
}

func split(s, sep string) ref.Val {
	return types.NewStringList(types.DefaultTypeAdapter, strings.Split(s, sep))
}

func join(v ref.Val, sep string) ref.Val {
	l, ok := v.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(v)
	}
	var b strings.Builder
	for it, i := l.Iterator(), 0; it.HasNext() == types.True; i++ {
		item, ok := it.Next().(types.String)
		if !ok {
			return types.NewErr("join takes a list of strings")
		}
		if b.Len()+len(sep)+len(item) > resultMaxBytes {
			return tooLarge()
		}
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(string(item))
	}
	return types.String(b.String())
}

func replace(s, from, to string) ref.Val {
	n := strings.Count(s, from)
	if len(to) > 0 && n > 0 && len(s)+n*max(0, len(to)-len(from)) > resultMaxBytes {
		return tooLarge()
	}
	return types.String(strings.ReplaceAll(s, from, to))
}

func indexOf(s, sub string) ref.Val {
	i := strings.Index(s, sub)
	if i > 0 {
		i = utf8.RuneCountInString(s[:i])
	}
	return types.Int(i)
}

func substring(s string, from, to ref.Val) ref.Val {
	f, ok1 := from.(types.Int)
	t, ok2 := to.(types.Int)
	r := []rune(s)
	if !ok1 || !ok2 || f < 0 || t < f || int(t) > len(r) {
		return types.NewErr("substring: index out of range")
	}
	return types.String(string(r[f:t]))
}
