package python

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Format is the % operator: %s %r %d %i %f %x %X %o %%, with the flags - 0 + and a width
// and precision of up to three digits. A list gives the values one after another.
func Format(format string, v any) (string, error) {
	values, isList := v.([]any)
	if !isList {
		values = []any{v}
	}
	var b strings.Builder
	used := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		verb, n, err := readVerb(format[i+1:])
		if err != nil {
			return "", err
		}
		i += n
		if verb.kind == '%' {
			b.WriteByte('%')
			continue
		}
		if used >= len(values) {
			return "", fmt.Errorf("the format wants more values")
		}
		s, err := verb.apply(values[used])
		if err != nil {
			return "", err
		}
		used++
		if b.Len()+len(s) > ResultMaxBytes {
			return "", errTooLarge
		}
		b.WriteString(s)
	}
	if _, isDict := v.(map[string]any); used < len(values) && !isDict {
		return "", fmt.Errorf("the format does not take all values")
	}
	return b.String(), nil
}

// verb is one % of a format.
type verb struct {
	kind             byte
	left, zero, plus bool
	width, precision int
}

// readVerb reads what follows a %, and returns its length.
func readVerb(s string) (verb, int, error) {
	v := verb{precision: -1}
	i := 0
	for ; i < len(s) && strings.IndexByte("-0+", s[i]) >= 0; i++ {
		switch s[i] {
		case '-':
			v.left = true
		case '0':
			v.zero = true
		case '+':
			v.plus = true
		}
	}
	n := spanDigits(s[i:])
	if n > 3 {
		return v, 0, errTooLarge
	}
	v.width, _ = strconv.Atoi("0" + s[i:i+n])
	i += n
	if i < len(s) && s[i] == '.' {
		n = spanDigits(s[i+1:])
		if n > 3 {
			return v, 0, errTooLarge
		}
		v.precision, _ = strconv.Atoi("0" + s[i+1:i+1+n])
		i += 1 + n
	}
	if i >= len(s) || strings.IndexByte("srdifFxXo%", s[i]) < 0 {
		return v, 0, fmt.Errorf("the format %s is not supported", quote(clip("%"+s[:min(i+1, len(s))])))
	}
	v.kind = s[i]
	return v, i + 1, nil
}

func (v verb) apply(value any) (string, error) {
	var s string
	var err error
	switch v.kind {
	case 's', 'r':
		if s, err = Text(value); err != nil {
			return "", err
		}
		if t, ok := value.(string); ok && v.kind == 'r' {
			s = quote(t)
		}
		if r := []rune(s); v.precision >= 0 && v.precision < len(r) {
			s = string(r[:v.precision])
		}
	default:
		if !isNumber(value) {
			return "", fmt.Errorf("%%%c wants a number, not a %s", v.kind, typeName(value))
		}
		if s, err = v.number(value); err != nil {
			return "", err
		}
		if v.plus && !strings.HasPrefix(s, "-") {
			s = "+" + s
		}
	}
	return v.pad(s), nil
}

func (v verb) number(value any) (string, error) {
	if v.kind == 'f' || v.kind == 'F' {
		precision := v.precision
		if precision < 0 {
			precision = 6
		}
		return strconv.FormatFloat(toFloat(value), 'f', precision, 64), nil
	}
	n, err := Int(value)
	if err != nil {
		return "", err
	}
	switch v.kind {
	case 'x':
		return strconv.FormatInt(n, 16), nil
	case 'X':
		return strings.ToUpper(strconv.FormatInt(n, 16)), nil
	case 'o':
		return strconv.FormatInt(n, 8), nil
	}
	return strconv.FormatInt(n, 10), nil
}

func (v verb) pad(s string) string {
	missing := v.width - len([]rune(s))
	switch {
	case missing <= 0:
		return s
	case v.left:
		return s + strings.Repeat(" ", missing)
	case v.zero && v.kind != 's' && v.kind != 'r':
		sign := ""
		if s[0] == '-' || s[0] == '+' {
			sign, s = s[:1], s[1:]
		}
		return sign + strings.Repeat("0", missing) + s
	}
	return strings.Repeat(" ", missing) + s
}

// Strftime writes an instant, in UTC, in the form that strftime's directives give:
// Y m d H M S y j p I B b A a f Z z F T and %.
func Strftime(t time.Time, format string) (string, error) {
	t = t.UTC()
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i >= len(format) {
			return "", fmt.Errorf("strftime: a %% at the end")
		}
		layout, ok := directive(format[i])
		if !ok {
			return "", fmt.Errorf("strftime: %%%c is not supported", format[i])
		}
		if format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		if format[i] == 'f' {
			fmt.Fprintf(&b, "%06d", t.Nanosecond()/1000)
			continue
		}
		b.WriteString(t.Format(layout))
	}
	return b.String(), nil
}

func directive(c byte) (string, bool) {
	const letters = "YmdHMSyjpIBbAaZzFT%f"
	at := strings.IndexByte(letters, c)
	if at < 0 {
		return "", false
	}
	return [...]string{
		"2006", "01", "02", "15", "04", "05", "06", "002", "PM", "03", "January", "Jan", "Monday", "Mon",
		"MST", "-0700", "2006-01-02", "15:04:05", "", "",
	}[at], true
}
