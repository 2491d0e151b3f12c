package python

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Known reports whether Call knows a function: the name of a builtin, of a method with a
// point before it, or of an operator.
func Known(name string) bool {
	switch name {
	case "+", "-", "*", "/", "//", "%", "**", "at", "slice",
		"int", "float", "bool", "len", "abs", "round", "min", "max", "sum", "sorted", "reversed", "list", "range",
		"any", "all", "json.dumps", "json.loads", "strftime", "items", "contains", "equal":
		return true
	}
	return strings.HasPrefix(name, ".") && (stringMethod(name[1:]) || otherMethod(name[1:]))
}

// Call applies a function to its arguments; the first one of a method is what it is
// called on.
func Call(name string, args []any) (any, error) {
	v, err := call(name, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

func call(name string, args []any) (any, error) {
	if method, ok := strings.CutPrefix(name, "."); ok {
		return callMethod(method, args)
	}
	switch name {
	case "+", "-", "*", "/", "//", "%", "**":
		if len(args) != 2 {
			return nil, errArguments
		}
		return Binary(name, args[0], args[1])
	case "at", "contains", "equal", "strftime":
		if len(args) != 2 {
			return nil, errArguments
		}
		return callTwo(name, args[0], args[1])
	case "slice":
		if len(args) != 4 {
			return nil, errArguments
		}
		return Slice(args[0], args[1], args[2], args[3])
	}
	return builtin(name, args)
}

var errArguments = fmt.Errorf("wrong number or type of arguments")

func callTwo(name string, a, b any) (any, error) {
	switch name {
	case "at":
		return At(a, b)
	case "contains":
		return Contains(a, b)
	case "equal":
		return Equal(a, b), nil
	}
	t, ok := a.(time.Time)
	format, isText := b.(string)
	if !ok || !isText {
		return nil, errArguments
	}
	return Strftime(t, format)
}

func builtin(name string, args []any) (any, error) {
	switch name {
	case "min", "max":
		return extreme(name, args)
	case "round":
		return round(args)
	case "range":
		return rangeOf(args)
	}
	if len(args) != 1 {
		return nil, errArguments
	}
	v := args[0]
	switch name {
	case "int":
		return Int(v)
	case "float":
		return Float(v)
	case "bool":
		return Truth(v), nil
	case "len":
		return length(v)
	case "abs":
		return absolute(v)
	case "json.dumps":
		return dumps(v)
	case "json.loads":
		return loads(v)
	}
	return overItems(name, v)
}

// overItems are the functions of what one can iterate over.
func overItems(name string, v any) (any, error) {
	items, err := Items(v)
	if err != nil {
		return nil, err
	}
	switch name {
	case "items", "list":
		return items, nil
	case "any":
		return slices.ContainsFunc(items, Truth), nil
	case "all":
		return !slices.ContainsFunc(items, func(v any) bool { return !Truth(v) }), nil
	case "sum":
		var total any = int64(0)
		for _, item := range items {
			if total, err = Binary("+", total, item); err != nil {
				return nil, err
			}
		}
		return total, nil
	case "sorted":
		out := slices.Clone(items)
		slices.SortStableFunc(out, func(a, b any) int {
			c, e := Compare(a, b)
			if e != nil {
				err = e
			}
			return c
		})
		return out, err
	case "reversed":
		out := slices.Clone(items)
		slices.Reverse(out)
		return out, nil
	}
	return nil, fmt.Errorf("unknown function")
}

// Items lists what a for loop over the value sees: the items of a list, the characters
// of a string, the keys of a dict.
func Items(v any) ([]any, error) {
	switch v := v.(type) {
	case []any:
		return v, nil
	case string:
		if utf8.RuneCountInString(v) > ResultMaxItems {
			return nil, errTooLarge
		}
		out := make([]any, 0, len(v))
		for _, r := range v {
			out = append(out, string(r))
		}
		return out, nil
	case map[string]any:
		out := make([]any, 0, len(v))
		for _, key := range sortedKeys(v) {
			out = append(out, key)
		}
		return out, nil
	}
	return nil, fmt.Errorf("a %s has no items", typeName(v))
}

func length(v any) (any, error) {
	switch v := v.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), nil
	case []any:
		return int64(len(v)), nil
	case map[string]any:
		return int64(len(v)), nil
	}
	return nil, fmt.Errorf("a %s has no length", typeName(v))
}

func absolute(v any) (any, error) {
	if i, ok := asInt(v); ok {
		if i == math.MinInt64 {
			return nil, errTooLarge
		}
		return max(i, -i), nil
	}
	if f, ok := v.(float64); ok {
		return math.Abs(f), nil
	}
	return nil, fmt.Errorf("a %s is not a number", typeName(v))
}

func round(args []any) (any, error) {
	if len(args) == 0 || len(args) > 2 || !isNumber(args[0]) {
		return nil, errArguments
	}
	if i, ok := asInt(args[0]); ok {
		return i, nil
	}
	f := toFloat(args[0])
	if len(args) == 1 {
		return Int(math.RoundToEven(f))
	}
	n, ok := asInt(args[1])
	if !ok || n < 0 || n > 15 {
		return nil, errArguments
	}
	return Float(strings.TrimSpace(fmt.Sprintf("%.*f", int(n), f)))
}

func extreme(name string, args []any) (any, error) {
	items := args
	if len(args) == 1 {
		var err error
		if items, err = Items(args[0]); err != nil {
			return nil, err
		}
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("no values")
	}
	best := items[0]
	for _, v := range items[1:] {
		c, err := Compare(v, best)
		if err != nil {
			return nil, err
		}
		if c < 0 && name == "min" || c > 0 && name == "max" {
			best = v
		}
	}
	return best, nil
}

func rangeOf(args []any) (any, error) {
	var n [3]int64
	n[2] = 1
	for i, a := range args {
		v, ok := asInt(a)
		if !ok || i > 2 {
			return nil, errArguments
		}
		n[i] = v
	}
	from, to, by := n[0], n[1], n[2]
	switch {
	case len(args) == 0 || by == 0:
		return nil, errArguments
	case len(args) == 1:
		from, to = 0, n[0]
	}
	return count(from, to, by)
}

// count lists the numbers from one to another, which is left out.
func count(from, to, by int64) (any, error) {
	small := func(n int64) bool { return n >= math.MinInt32 && n <= math.MaxInt32 }
	out := []any{}
	for i := from; by > 0 && i < to || by < 0 && i > to; i += by {
		if len(out) >= ResultMaxItems || !small(i) || !small(by) {
			return nil, errTooLarge
		}
		out = append(out, i)
	}
	return out, nil
}

func loads(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return nil, errArguments
	}
	return FromJSON([]byte(s))
}

// FromJSON reads a JSON value: whole numbers become int64.
func FromJSON(raw []byte) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	if d.More() {
		return nil, fmt.Errorf("not JSON: more than one value")
	}
	return plain(v)
}

func plain(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i, nil
		}
		return v.Float64()
	case []any:
		for i := range v {
			if v[i], err = plain(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for key := range v {
			if v[key], err = plain(v[key]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// dumps writes JSON as Python does: with a space behind each comma and colon, and only
// ASCII.
func dumps(v any) (string, error) {
	w := &writer{}
	w.json(v, 0)
	return w.b.String(), w.err
}

func (w *writer) json(v any, depth int) {
	if depth > depthMax {
		w.err = errTooDeep
	}
	if w.err != nil {
		return
	}
	switch v := v.(type) {
	case []any:
		w.text("[")
		for i, item := range v {
			if i > 0 {
				w.text(", ")
			}
			w.json(item, depth+1)
		}
		w.text("]")
	case map[string]any:
		w.text("{")
		for i, key := range sortedKeys(v) {
			if i > 0 {
				w.text(", ")
			}
			w.text(asciiJSON(key) + ": ")
			w.json(v[key], depth+1)
		}
		w.text("}")
	case string:
		w.text(asciiJSON(v))
	case float64:
		w.text(floatText(v))
	default:
		b, err := json.Marshal(v)
		if err != nil {
			w.err = err
		}
		w.text(string(b))
	}
}

func asciiJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""` // a string has a JSON form
	}
	var out strings.Builder
	for _, r := range string(b) {
		switch {
		case r < utf8.RuneSelf:
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out.WriteString(`\u` + hex(high, 4) + `\u` + hex(low, 4))
		default:
			out.WriteString(`\u` + hex(r, 4))
		}
	}
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(out.String())
}

func isSpace(r rune) bool { return unicode.IsSpace(r) }
