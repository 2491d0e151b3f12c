package python

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Int is the value as int() gives it: floats are cut towards zero, strings hold decimal
// digits with a sign and spaces around.
func Int(v any) (int64, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case int64:
		return v, nil
	case float64:
		if math.IsNaN(v) || math.Abs(v) >= 1<<63 {
			return 0, fmt.Errorf("int: %s is out of range", floatText(v))
		}
		return int64(v), nil
	case string:
		i, err := strconv.ParseInt(digits(v), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("int: %s is not a number", quote(clip(v)))
		}
		return i, nil
	}
	return 0, fmt.Errorf("int: a %s is not a number", typeName(v))
}

// digits is a number without the spaces around it, and without the underscores between
// its digits.
func digits(s string) string {
	s = strings.TrimSpace(s)
	if !strings.Contains(s, "_") || strings.Contains(s, "__") || strings.HasPrefix(s, "_") || strings.HasSuffix(s, "_") {
		return s
	}
	return strings.ReplaceAll(s, "_", "")
}

// clip shortens a text for a message.
func clip(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// Float is the value as float() gives it.
func Float(v any) (float64, error) {
	switch v := v.(type) {
	case float64:
		return v, nil
	case string:
		s := digits(v)
		if strings.ContainsAny(s, "xXpP") {
			return 0, fmt.Errorf("float: %s is not a number", quote(clip(v)))
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, fmt.Errorf("float: %s is not a number", quote(clip(v)))
		}
		return f, nil
	}
	i, err := Int(v)
	if err != nil {
		return 0, fmt.Errorf("float: a %s is not a number", typeName(v))
	}
	return float64(i), nil
}

// isNumber reports whether a value takes part in arithmetic; True counts as 1.
func isNumber(v any) bool {
	switch v.(type) {
	case bool, int64, float64:
		return true
	}
	return false
}

// asInt returns an int or a bool as an int.
func asInt(v any) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	}
	return 0, false
}

func isInt(v any) bool { _, ok := asInt(v); return ok }

// toFloat is the number as a float; v is a number.
func toFloat(v any) float64 {
	if f, ok := v.(float64); ok {
		return f
	}
	i, _ := asInt(v)
	return float64(i)
}

// Equal is ==: numbers compare by value, whatever their type; values of other types are
// never equal to one another.
func Equal(a, b any) bool { return equal(a, b, 0) }

func equal(a, b any, depth int) bool {
	if depth > depthMax {
		return false
	}
	if x, ok := asInt(a); ok {
		if y, ok := asInt(b); ok {
			return x == y
		}
	}
	if isNumber(a) && isNumber(b) {
		return toFloat(a) == toFloat(b)
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		s, ok := b.(string)
		return ok && s == a
	case []any:
		return equalLists(a, b, depth)
	case map[string]any:
		return equalDicts(a, b, depth)
	}
	return false
}

func equalDicts(a map[string]any, b any, depth int) bool {
	m, ok := b.(map[string]any)
	if !ok || len(m) != len(a) {
		return false
	}
	for key, v := range a {
		if w, ok := m[key]; !ok || !equal(v, w, depth+1) {
			return false
		}
	}
	return true
}

func equalLists(a []any, b any, depth int) bool {
	l, ok := b.([]any)
	if !ok || len(l) != len(a) {
		return false
	}
	for i := range a {
		if !equal(a[i], l[i], depth+1) {
			return false
		}
	}
	return true
}

// Compare orders two numbers, strings or lists: below, at or above zero.
func Compare(a, b any) (int, error) { return compare(a, b, 0) }

func compare(a, b any, depth int) (int, error) {
	if depth > depthMax {
		return 0, errTooDeep
	}
	if x, ok := asInt(a); ok {
		if y, ok := asInt(b); ok {
			return cmp(x, y), nil
		}
	}
	if isNumber(a) && isNumber(b) {
		return cmp(toFloat(a), toFloat(b)), nil
	}
	switch a := a.(type) {
	case string:
		if s, ok := b.(string); ok {
			return strings.Compare(a, s), nil
		}
	case []any:
		l, ok := b.([]any)
		if !ok {
			break
		}
		for i := range min(len(a), len(l)) {
			if c, err := compare(a[i], l[i], depth+1); c != 0 || err != nil {
				return c, err
			}
		}
		return cmp(len(a), len(l)), nil
	}
	return 0, fmt.Errorf("a %s and a %s cannot be ordered", typeName(a), typeName(b))
}

func cmp[T int | int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Contains is `item in whole`.
func Contains(whole, item any) (bool, error) {
	switch whole := whole.(type) {
	case string:
		s, ok := item.(string)
		if !ok {
			return false, fmt.Errorf("a %s cannot be in a str", typeName(item))
		}
		return strings.Contains(whole, s), nil
	case []any:
		for _, v := range whole {
			if Equal(v, item) {
				return true, nil
			}
		}
		return false, nil
	case map[string]any:
		s, ok := item.(string)
		if !ok {
			return false, nil
		}
		_, ok = whole[s]
		return ok, nil
	}
	return false, fmt.Errorf("nothing can be in a %s", typeName(whole))
}
