package registry

import (
	"cmp"
	"errors"
	"maps"
	"strconv"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
)

// The codes of what a request about a system asks for and cannot have. Clients translate by
// them; what a message names stands in the arguments, "a", "b" and so on.
const (
	CodeImportID     = "IMPORT_ID"
	CodeImportSource = "IMPORT_SOURCE"
	CodeNoContract   = "NO_CONTRACT"
	CodeOtherSystem  = "OTHER_SYSTEM"
	CodeSecretsMany  = "SECRETS_MANY"
	CodeUnreadable   = "UNREADABLE"
)

// invalid turns the problems of a document into a fault.
func invalid(err error) error {
	var ps document.Problems
	if !errors.As(err, &ps) || len(ps) == 0 {
		return fault.Wrap("read the document", err)
	}
	e := fault.New(fault.Invalid, "the system document is not valid: %s", ps.Error())
	e.Field = ps[0].Field
	e.Problems = problemsOf(ps)
	return e
}

// problemsOf are the problems of a document as clients are told them: the line of a text, where
// there is one, is an argument.
func problemsOf(ps document.Problems) []engine.Problem {
	out := make([]engine.Problem, len(ps))
	for i, x := range ps {
		out[i] = engine.Problem{
			Code: cmp.Or(x.Code, string(fault.Invalid)), Message: x.Message, Level: engine.SeverityError, Field: x.Field, Args: x.Args,
		}
		if x.Line > 0 {
			out[i].Args = maps.Clone(x.Args)
			if out[i].Args == nil {
				out[i].Args = map[string]string{}
			}
			out[i].Args["line"] = strconv.Itoa(x.Line)
		}
	}
	return out
}

// refused is a fault.Invalid for a field, with a code that clients translate by.
func refused(field, code, format string, args ...any) *fault.Error {
	p := document.Coded(code, format, args...)
	e := fault.Coded(field, code, p.Message)
	e.Problems[0].Args = p.Args
	return e
}
