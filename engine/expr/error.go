package expr

import "fmt"

// Code says what is wrong with an expression or its evaluation.
type Code string

// The codes.
const (
	CodeSyntax      Code = "EXPR_SYNTAX"       // it cannot be parsed, or is too long or too deep
	CodeType        Code = "EXPR_TYPE"         // the types do not fit
	CodeUnknownName Code = "EXPR_UNKNOWN_NAME" // no such variable, node, field or function
	CodeUnset       Code = "VAR_UNSET"         // a variable or output that has no value yet
	CodeCost        Code = "EXPR_COST"         // the evaluation exceeds CostMax
	CodeInputLimit  Code = "EXPR_INPUT_LIMIT"  // a value that goes in or comes out is too large
	CodeEval        Code = "EXPR_EVAL"         // the evaluation failed: no such key, division by zero
	CodeSecret      Code = "EXPR_SECRET"       // something other than passing it on whole is done with a secret
)

// The limits of one evaluation.
const (
	CostMax           = 1_000_000 // CEL cost units
	SourceMaxRunes    = 10_000
	RecursionMax      = 100
	StringMaxBytes    = 64 << 10
	InputMaxBytes     = 1 << 20 // all values that one evaluation reads
	OutputMaxBytes    = 1 << 20 // one evaluated value as JSON
	templatesPerValue = 1000
)

// Error is what is wrong with an expression, or, without a Code, with a schema.
type Error struct {
	Code    Code
	Message string
	// Pointer is the place of the string inside the JSON value of a template;
	// Offset is the byte in that string, or in the expression.
	Pointer string
	Offset  int
	// Line and Column are the place of Offset, from 1, in characters; 0 where the error is
	// of the whole.
	Line, Column int
	// Reason says which of the mistakes of a Code this is (UPPER_SNAKE, stable), and Args
	// are what Message names, "a", "b" and so on: clients translate by them. Empty where
	// Message is a sentence of CEL.
	Reason string
	Args   map[string]string
	// Name is the unknown or unset name, or that of the secret, where one is.
	Name string
	// deliberate marks the error that fail() makes.
	deliberate bool
}

// Error says it in one line.
func (e *Error) Error() string {
	if e.Code == "" {
		return e.Message
	}
	return string(e.Code) + ": " + e.Message
}

func fail(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Message: fmt.Sprintf(format, args...)}
}
