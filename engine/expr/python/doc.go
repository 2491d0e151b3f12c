// Package python holds the values and operations of Python that expressions of imported
// flows rely on: how a value looks as text, what is true, string and list methods, the
// % operator, and the comparisons of BK-SOPS's condition language (boolrule).
//
// A value is what JSON has: nil, bool, int64, float64, string, []any, map[string]any;
// and a time.Time, which comes from the run's own facts. Every function is a function
// of its arguments, takes time linear in their size but for a logarithm, and makes no
// value that is larger than [ResultMaxBytes]. Nothing is evaluated: the package knows
// values, not source text.
package python

import (
	"errors"
	"fmt"
)

// ResultMaxBytes bounds the text that an operation makes; ResultMaxItems the list.
const (
	ResultMaxBytes = 1 << 20
	ResultMaxItems = 100_000
	depthMax       = 64
)

var (
	errTooLarge = errors.New("the result is too large")
	errZero     = errors.New("division by zero")
	errTooDeep  = errors.New("the value is nested too deep")
)

// typeName is how Python calls the type of a value.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case []any:
		return "list"
	case map[string]any:
		return "dict"
	}
	return fmt.Sprintf("%T", v)
}
