package python

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errOperand = errors.New("not an operand: a number, true, false, a quoted text, a name, or a list of these in parentheses")

// Operand reads a text as a condition of BK-SOPS reads what stands where a reference
// stood: a number, true or false, a quoted text, a bare word, which is a text, or a list
// of these in parentheses.
func Operand(text string) (any, error) {
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "(") {
		v, rest, err := simpleOperand(s)
		if err == nil && strings.TrimSpace(rest) != "" {
			err = errOperand
		}
		return v, operandError(text, err)
	}
	list := []any{}
	for rest := s[1:]; ; {
		v, after, err := simpleOperand(strings.TrimSpace(rest))
		if err != nil {
			return nil, operandError(text, err)
		}
		list = append(list, v)
		after = strings.TrimSpace(after)
		switch {
		case after == ")":
			return list, nil
		case !strings.HasPrefix(after, ","):
			return nil, operandError(text, errOperand)
		}
		rest = after[1:]
	}
}

func operandError(text string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s is %w", quote(clip(text)), err)
}

// simpleOperand reads one operand at the beginning of a text and returns what follows.
func simpleOperand(s string) (v any, rest string, err error) {
	if s == "" {
		return nil, "", errOperand
	}
	if s[0] == '"' || s[0] == '\'' {
		end := strings.IndexByte(s[1:], s[0])
		if end < 0 {
			return nil, "", errOperand
		}
		return s[1 : 1+end], s[2+end:], nil
	}
	if n, ok := NumberPrefix(s); ok {
		return n.Value, s[n.Length:], n.Err
	}
	for _, word := range []string{"true", "false"} {
		if len(s) >= len(word) && strings.EqualFold(s[:len(word)], word) {
			return word == "true", s[len(word):], nil
		}
	}
	if n := WordPrefix(s); n > 0 {
		return s[:n], s[n:], nil
	}
	return nil, "", errOperand
}

// Number is a number at the beginning of a text.
type Number struct {
	Value  any // int64 or float64
	Length int // in bytes
	Err    error
}

// NumberPrefix finds the number with which a condition's text begins: digits with a
// point, or without one.
func NumberPrefix(s string) (Number, bool) {
	i := 0
	if s != "" && (s[0] == '+' || s[0] == '-') {
		i = 1
	}
	whole := spanDigits(s[i:])
	fraction := -1
	if at := i + whole; at < len(s) && s[at] == '.' {
		fraction = spanDigits(s[at+1:])
	}
	switch {
	case whole == 0 && fraction <= 0:
		return Number{}, false
	case fraction >= 0:
		end := i + whole + 1 + fraction
		end += exponent(s[end:], "+-")
		f, err := strconv.ParseFloat(s[:end], 64)
		return Number{Value: f, Length: end, Err: err}, true
	}
	end := i + whole
	if exponent(s[end:], "+") > 0 { // the language reads it, and then cannot make a number of it
		return Number{Length: end, Err: errOperand}, true
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	return Number{Value: n, Length: end, Err: err}, true
}

func spanDigits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

func exponent(s, signs string) int {
	if s == "" || s[0] != 'e' && s[0] != 'E' {
		return 0
	}
	i := 1
	if i < len(s) && strings.IndexByte(signs, s[i]) >= 0 {
		i++
	}
	if n := spanDigits(s[i:]); n > 0 {
		return i + n
	}
	return 0
}

// WordPrefix returns the length of the name with which a text begins: words joined by
// points, each a letter, then letters, digits and underscores, with one underscore
// before it and ${ } around it allowed.
func WordPrefix(s string) int {
	total := 0
	for {
		n := onePart(s[total:])
		if n == 0 {
			if total > 0 {
				return total - 1 // the point before it is not the name's
			}
			return 0
		}
		total += n
		if total >= len(s) || s[total] != '.' {
			return total
		}
		total++
	}
}

func onePart(s string) int {
	i := 0
	if strings.HasPrefix(s, "${") {
		i = 2
	}
	if i < len(s) && s[i] == '_' {
		i++
	}
	if i >= len(s) || !isLetter(s[i]) {
		return 0
	}
	for i < len(s) && (isLetter(s[i]) || s[i] == '_' || '0' <= s[i] && s[i] <= '9') {
		i++
	}
	if i < len(s) && s[i] == '}' {
		i++
	}
	return i
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// Test applies an operator of BK-SOPS's conditions: == != < <= > >= in notin issuperset
// notissuperset. When one side is a whole number the other becomes one too, if it can;
// when one is a text, the other becomes a text.
func Test(op string, l, r any) (bool, error) {
	switch op {
	case "in", "notin":
		in, err := Contains(alsoAs(l, r), l)
		return in == (op == "in"), err
	case "issuperset", "notissuperset":
		super, err := superset(l, r)
		return super == (op == "issuperset"), err
	}
	l, r = coerce(l, r)
	switch op {
	case "==":
		return Equal(l, r), nil
	case "!=":
		return !Equal(l, r), nil
	}
	c, err := Compare(l, r)
	if err != nil {
		return false, err
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	case ">=":
		return c >= 0, nil
	}
	return false, fmt.Errorf("unknown operator %s", quote(clip(op)))
}

// coerce makes the sides of a comparison comparable.
func coerce(l, r any) (any, any) {
	if isInt(l) {
		n, err := Int(r)
		if err != nil {
			return l, r
		}
		r = n
	} else if isInt(r) {
		n, err := Int(l)
		if err != nil {
			return l, r
		}
		l = n
	}
	if _, ok := l.(string); ok {
		if s, err := Text(r); err == nil {
			r = s
		}
	} else if _, ok := r.(string); ok {
		if s, err := Text(l); err == nil {
			l = s
		}
	}
	return l, r
}

// alsoAs is the list with its items added once more as the type of what is looked for.
func alsoAs(l, r any) any {
	list, ok := r.([]any)
	if !ok {
		return r
	}
	more := append([]any(nil), list...)
	for _, item := range list {
		if isInt(l) {
			if n, err := Int(item); err == nil {
				more = append(more, n)
			}
		} else if _, ok := l.(string); ok {
			if s, err := Text(item); err == nil {
				more = append(more, s)
			}
		}
	}
	return more
}

func superset(l, r any) (bool, error) {
	whole, err := asSet(l)
	if err != nil {
		return false, err
	}
	part, err := asSet(r)
	if err != nil {
		return false, err
	}
	for _, item := range part {
		if in, _ := Contains(whole, item); !in {
			return false, nil
		}
	}
	return true, nil
}

// asSet is a list as it is, and a text as a list of itself.
func asSet(v any) ([]any, error) {
	switch v := v.(type) {
	case string:
		return []any{v}, nil
	case []any:
		return v, nil
	}
	return nil, fmt.Errorf("a %s is not a list", typeName(v))
}
