package python

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Text is the value as str() gives it: a string as it is, True and False, None, floats
// with a point, lists and dicts with the strings in them quoted. The keys of a dict come
// sorted, because JSON objects have no order.
func Text(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	w := &writer{}
	w.value(v, 0)
	return w.b.String(), w.err
}

// writer writes the text of values, up to the limits.
type writer struct {
	b   strings.Builder
	err error
}

func (w *writer) text(s string) {
	switch {
	case w.err != nil:
	case w.b.Len()+len(s) > ResultMaxBytes:
		w.err = errTooLarge
	default:
		w.b.WriteString(s)
	}
}

func (w *writer) value(v any, depth int) {
	if depth > depthMax {
		w.err = errTooDeep
	}
	if w.err != nil {
		return
	}
	switch v := v.(type) {
	case nil:
		w.text("None")
	case bool:
		w.text(boolText(v))
	case int64:
		w.text(strconv.FormatInt(v, 10))
	case float64:
		w.text(floatText(v))
	case string:
		w.text(quote(v))
	case time.Time:
		w.text(v.UTC().Format("2006-01-02 15:04:05-07:00"))
	case []any:
		w.list(v, depth)
	case map[string]any:
		w.dict(v, depth)
	}
}

func (w *writer) list(v []any, depth int) {
	w.text("[")
	for i, item := range v {
		if i > 0 {
			w.text(", ")
		}
		w.value(item, depth+1)
	}
	w.text("]")
}

func (w *writer) dict(v map[string]any, depth int) {
	w.text("{")
	for i, key := range sortedKeys(v) {
		if i > 0 {
			w.text(", ")
		}
		w.text(quote(key) + ": ")
		w.value(v[key], depth+1)
	}
	w.text("}")
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func boolText(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// floatText writes the shortest text that reads back as the same number: as a decimal
// between 1e-4 and 1e16, else with an exponent.
func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// quote writes a string as repr() does: in single quotes, unless it holds some and no
// double ones.
func quote(s string) string {
	q := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = '"'
	}
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteRune(q)
	for _, r := range s {
		if r == q || r == '\\' {
			b.WriteRune('\\')
			b.WriteRune(r)
		} else {
			b.WriteString(shown(r))
		}
	}
	b.WriteRune(q)
	return b.String()
}

// shown is a character as repr() writes it.
func shown(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r >= 0x20 && r != 0x7f && unicode.IsPrint(r):
		return string(r)
	case r < 0x100:
		return `\x` + hex(r, 2)
	case r < 0x10000:
		return `\u` + hex(r, 4)
	}
	return `\U` + hex(r, 8)
}

func hex(r rune, width int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, width-len(s))) + s
}

// Truth is the value as bool() gives it: empty and zero are false.
func Truth(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}
