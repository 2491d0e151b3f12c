package python

import (
	"fmt"
	"math"
	"strings"
)

// Binary applies an operator: + - * / // % and **.
func Binary(op string, a, b any) (any, error) {
	if isNumber(a) && isNumber(b) {
		return arithmetic(op, a, b)
	}
	switch op {
	case "+":
		return add(a, b)
	case "*":
		return repeat(a, b)
	case "%":
		if s, ok := a.(string); ok {
			return Format(s, b)
		}
	}
	return nil, unfit(op, a, b)
}

func unfit(op string, a, b any) error {
	return fmt.Errorf("a %s and a %s do not fit %s", typeName(a), typeName(b), op)
}

func add(a, b any) (any, error) {
	switch a := a.(type) {
	case string:
		if s, ok := b.(string); ok {
			if len(a)+len(s) > ResultMaxBytes {
				return nil, errTooLarge
			}
			return a + s, nil
		}
	case []any:
		if l, ok := b.([]any); ok {
			if len(a)+len(l) > ResultMaxItems {
				return nil, errTooLarge
			}
			return append(append(make([]any, 0, len(a)+len(l)), a...), l...), nil
		}
	}
	return nil, unfit("+", a, b)
}

func repeat(a, b any) (any, error) {
	if isInt(a) {
		a, b = b, a
	}
	n, ok := asInt(b)
	if !ok {
		return nil, unfit("*", a, b)
	}
	n = max(n, 0)
	switch a := a.(type) {
	case string:
		if n > ResultMaxBytes || int64(len(a))*n > ResultMaxBytes {
			return nil, errTooLarge
		}
		return strings.Repeat(a, int(n)), nil
	case []any:
		if n > ResultMaxItems || int64(len(a))*n > ResultMaxItems {
			return nil, errTooLarge
		}
		out := make([]any, 0, len(a)*int(n))
		for range n {
			out = append(out, a...)
		}
		return out, nil
	}
	return nil, unfit("*", a, b)
}

func arithmetic(op string, a, b any) (any, error) {
	x, ok1 := asInt(a)
	y, ok2 := asInt(b)
	if ok1 && ok2 {
		return integers(op, x, y)
	}
	return floats(op, toFloat(a), toFloat(b))
}

func integers(op string, x, y int64) (any, error) {
	switch op {
	case "+":
		if s := x + y; (s > x) == (y > 0) {
			return s, nil
		}
	case "-":
		if s := x - y; (s < x) == (y > 0) {
			return s, nil
		}
	case "*":
		return product(x, y)
	case "/":
		return floats(op, float64(x), float64(y))
	case "//", "%":
		return divide(op, x, y)
	case "**":
		return power(x, y)
	}
	return nil, fmt.Errorf("%d %s %d is out of range", x, op, y)
}

func product(x, y int64) (any, error) {
	if x == 0 || y == 0 {
		return int64(0), nil
	}
	if p := x * y; p/y == x && (x != -1 || y != math.MinInt64) && (y != -1 || x != math.MinInt64) {
		return p, nil
	}
	return nil, errTooLarge
}

// divide rounds towards below, so that the remainder has the divisor's sign.
func divide(op string, x, y int64) (any, error) {
	if y == 0 {
		return nil, errZero
	}
	if y == -1 && x == math.MinInt64 {
		return nil, errTooLarge
	}
	q, r := x/y, x%y
	if r != 0 && (r < 0) != (y < 0) {
		q, r = q-1, r+y
	}
	if op == "%" {
		return r, nil
	}
	return q, nil
}

func power(x, y int64) (any, error) {
	if y < 0 {
		return floats("**", float64(x), float64(y))
	}
	result := int64(1)
	for range min(y, 64) { // more rounds only make 0, 1 and -1, which are done after two
		next, err := integers("*", result, x)
		if err != nil {
			return nil, err
		}
		result, _ = next.(int64)
	}
	if y > 64 {
		if x < -1 || x > 1 {
			return nil, errTooLarge
		}
		if x == -1 && y%2 != 0 {
			return int64(-1), nil
		}
	}
	return result, nil
}

func floats(op string, x, y float64) (any, error) {
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		return nil, errZero
	}
	var f float64
	switch op {
	case "+":
		f = x + y
	case "-":
		f = x - y
	case "*":
		f = x * y
	case "/":
		f = x / y
	case "//":
		f = math.Floor(x / y)
	case "%":
		f = modulo(x, y)
	case "**":
		f = math.Pow(x, y)
	default:
		return nil, fmt.Errorf("unknown operator %s", quote(clip(op)))
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, errTooLarge
	}
	return f, nil
}

// modulo has the sign of y.
func modulo(x, y float64) float64 {
	f := math.Mod(x, y)
	if f != 0 && (f < 0) != (y < 0) {
		f += y
	}
	return f
}

// At is v[i]: an index from the front, or from the back when it is below zero; a key of a
// dict.
func At(v, i any) (any, error) {
	if m, ok := v.(map[string]any); ok {
		key, ok := i.(string)
		if !ok {
			return nil, fmt.Errorf("a key is a str, not a %s", typeName(i))
		}
		value, ok := m[key]
		if !ok {
			return nil, fmt.Errorf("no such key: %s", quote(clip(key)))
		}
		return value, nil
	}
	n, ok := asInt(i)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be indexed with a %s", typeName(v), typeName(i))
	}
	size, item, ok := sequence(v)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be indexed", typeName(v))
	}
	if n < 0 {
		n += int64(size)
	}
	if n < 0 || n >= int64(size) {
		return nil, fmt.Errorf("the index is out of range")
	}
	return item(int(n)), nil
}

// sequence gives the length of a string or list, and its items.
func sequence(v any) (size int, item func(int) any, ok bool) {
	switch v := v.(type) {
	case string:
		r := []rune(v)
		return len(r), func(i int) any { return string(r[i]) }, true
	case []any:
		return len(v), func(i int) any { return v[i] }, true
	}
	return 0, nil, false
}

// Slice is v[from:to:step]; nil stands for what is left out.
func Slice(v, from, to, step any) (any, error) {
	size, item, ok := sequence(v)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be sliced", typeName(v))
	}
	by := int64(1)
	if step != nil {
		if by, ok = asInt(step); !ok || by == 0 {
			return nil, fmt.Errorf("the step of a slice is a whole number, not zero")
		}
	}
	first, last, err := sliceBounds(int64(size), from, to, by)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i := first; by > 0 && i < last || by < 0 && i > last; {
		out = append(out, item(int(i)))
		if i > math.MaxInt32 || by > math.MaxInt32 || by < math.MinInt32 {
			break
		}
		i += by
	}
	if _, isText := v.(string); !isText {
		return out, nil
	}
	var b strings.Builder
	for _, r := range out {
		s, _ := r.(string)
		b.WriteString(s)
	}
	return b.String(), nil
}

// sliceBounds are the first index and the one that is not reached any more.
func sliceBounds(size int64, from, to any, by int64) (first, last int64, err error) {
	low, high := int64(0), size
	first, last = low, high
	if by < 0 {
		low, high = -1, size-1
		first, last = high, low
	}
	for _, b := range []struct {
		given any
		at    *int64
	}{{from, &first}, {to, &last}} {
		if b.given == nil {
			continue
		}
		n, ok := asInt(b.given)
		if !ok {
			return 0, 0, fmt.Errorf("the borders of a slice are whole numbers, not a %s", typeName(b.given))
		}
		if n < 0 {
			n += size
		}
		*b.at = min(max(n, low), high)
	}
	return first, last, nil
}
