package systems

import (
	"errors"
	"maps"
	"strconv"

	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/host/document"
)

// The codes of what can be wrong with a system document. Clients translate by them: what a
// message names stands in the arguments of its problem, "a", "b" and so on. CodeBroken and
// CodeSchemaInvalid are what no other code fits: "a" is the sentence of the library that
// found it. What is wrong with an expression has the reason of package expr as its code, and
// its place in "row" and "column".
const (
	CodeBasePath          = "BASE_PATH"
	CodeBodyMissing       = "BODY_MISSING"
	CodeBroken            = "BROKEN"
	CodeCertificates      = "CERTIFICATES"
	CodeFormat            = "FORMAT"
	CodeHeaderCredential  = "HEADER_CREDENTIAL"
	CodeHeaderFrame       = "HEADER_FRAME"
	CodeHeaderFree        = "HEADER_FREE"
	CodeHeaderName        = "HEADER_NAME"
	CodeHeaderReserved    = "HEADER_RESERVED"
	CodeHeaderWithheld    = "HEADER_WITHHELD"
	CodeHost              = "HOST"
	CodeHostBrackets      = "HOST_BRACKETS"
	CodeHostNumber        = "HOST_NUMBER"
	CodeHostZone          = "HOST_ZONE"
	CodeIDOperation       = "ID_OPERATION"
	CodeIDSystem          = "ID_SYSTEM"
	CodeKeyPlace          = "KEY_PLACE"
	CodeNameParameter     = "NAME_PARAMETER"
	CodeNotJSON           = "NOT_JSON"
	CodeNotSent           = "NOT_SENT"
	CodeNoBody            = "NO_BODY"
	CodeNoOperation       = "NO_OPERATION"
	CodeOfBody            = "OF_BODY"
	CodeOfOther           = "OF_OTHER"
	CodeOneLine           = "ONE_LINE"
	CodeOneOf             = "ONE_OF"
	CodeOnlyDisabled      = "ONLY_DISABLED"
	CodeOnlyHTTPS         = "ONLY_HTTPS"
	CodeOnlyKeyed         = "ONLY_KEYED"
	CodeOnlyRate          = "ONLY_RATE"
	CodeOnlyRule          = "ONLY_RULE"
	CodeOnlyType          = "ONLY_TYPE"
	CodePathLong          = "PATH_LONG"
	CodePathName          = "PATH_NAME"
	CodePathRequired      = "PATH_REQUIRED"
	CodePathSegment       = "PATH_SEGMENT"
	CodePathStart         = "PATH_START"
	CodePathTwice         = "PATH_TWICE"
	CodePathUndeclared    = "PATH_UNDECLARED"
	CodePathUnused        = "PATH_UNUSED"
	CodePort              = "PORT"
	CodePrefix            = "PREFIX"
	CodePrintable         = "PRINTABLE"
	CodeQueryName         = "QUERY_NAME"
	CodeRange             = "RANGE"
	CodeRangePause        = "RANGE_PAUSE"
	CodeRangeRate         = "RANGE_RATE"
	CodeRangeStatus       = "RANGE_STATUS"
	CodeRequired          = "REQUIRED"
	CodeRule              = "RULE"
	CodeRuleRequired      = "RULE_REQUIRED"
	CodeRuleType          = "RULE_TYPE"
	CodeRuleUnknown       = "RULE_UNKNOWN"
	CodeSchema            = "SCHEMA"
	CodeSchemaInvalid     = "SCHEMA_INVALID"
	CodeSchemaLarge       = "SCHEMA_LARGE"
	CodeSchemaOutside     = "SCHEMA_OUTSIDE"
	CodeSchemaPattern     = "SCHEMA_PATTERN"
	CodeSchemaReference   = "SCHEMA_REFERENCE"
	CodeSchemaRule        = "SCHEMA_RULE"
	CodeSchemaRuleNeeds   = "SCHEMA_RULE_REQUIRED"
	CodeSchemaRuleType    = "SCHEMA_RULE_TYPE"
	CodeSchemaRuleOther   = "SCHEMA_RULE_UNKNOWN"
	CodeSchemaSteps       = "SCHEMA_STEPS"
	CodeSchemaUnsupported = "SCHEMA_UNSUPPORTED"
	CodeSecretComputed    = "SECRET_COMPUTED"
	CodeSecretName        = "SECRET_NAME"
	CodeSecretPlace       = "SECRET_PLACE"
	CodeSecretText        = "SECRET_TEXT"
	CodeSignedUnknown     = "SIGNED_UNKNOWN"
	CodeTooLong           = "TOO_LONG"
	CodeTooMany           = "TOO_MANY"
	CodeTwice             = "TWICE"
	CodeUnchecked         = "UNCHECKED"
	CodeUnusable          = "UNUSABLE"
	CodeURLForm           = "URL_FORM"
	CodeURLQuery          = "URL_QUERY"
	CodeURLScheme         = "URL_SCHEME"
	CodeURLUser           = "URL_USER"
	CodeWord              = "WORD"
)

// flawed says what is wrong with a value, wherever it stands.
func flawed(code, format string, args ...any) error { return document.Coded(code, format, args...) }

// CodeOf returns the code of what this package found wrong with a value, and its arguments; ""
// where err has none.
func CodeOf(err error) (string, map[string]string) {
	var p document.Problem
	if errors.As(err, &p) {
		return p.Code, p.Args
	}
	return "", nil
}

// check collects problems under one JSON Pointer.
type check struct {
	at string
	ps *document.Problems
}

func (c check) in(part string) check { return check{c.at + "/" + part, c.ps} }

func (c check) index(part string, i int) check { return c.in(part + "/" + strconv.Itoa(i)) }

func (c check) bad(code, format string, args ...any) { c.broken(flawed(code, format, args...)) }

func (c check) that(ok bool, code, format string, args ...any) {
	if !ok {
		c.bad(code, format, args...)
	}
}

// broken reports an error, nil for none.
func (c check) broken(err error) {
	if err == nil {
		return
	}
	p := document.Problem{Field: c.at, Message: err.Error(), Code: CodeBroken, Args: map[string]string{"a": err.Error()}}
	var e *expr.Error
	if code, args := CodeOf(err); code != "" {
		p.Code, p.Args = code, args
	} else if errors.As(err, &e) {
		p.Message, p.Args = e.Message, map[string]string{"a": e.Message}
		if e.Reason != "" {
			p.Code, p.Args = e.Reason, map[string]string{}
			maps.Copy(p.Args, e.Args)
		}
		if e.Column > 0 {
			p.Args["row"], p.Args["column"] = strconv.Itoa(e.Line), strconv.Itoa(e.Column)
		}
	}
	*c.ps = append(*c.ps, p)
}
