package simulate

import (
	"errors"
	"slices"
	"strings"

	"github.com/culmhq/culm/engine"
)

// reduced is a flow without the optional nodes that a script leaves out. An error is an
// *Error: about the script where it names what is not there, else about the flow.
func reduced(f *engine.Flow, start *Start) (*engine.Flow, error) {
	if start == nil || len(start.Schemes)+len(start.Without) == 0 {
		return f, nil
	}
	left, err := engine.SchemeWithout(f, start.Schemes)
	var refusal *engine.Error
	if errors.As(err, &refusal) {
		return nil, scriptError(engine.Problem{
			Code: ProblemValue, Message: refusal.Message, Level: engine.SeverityError, Field: "/start" + refusal.Field,
			Args: map[string]string{"detail": refusal.Message},
		})
	}
	if err != nil {
		return nil, &Error{Code: CodeInternal, Message: err.Error(), Cause: err}
	}
	// Those of the script come first, so that a problem has its ordinal there.
	out, problems := engine.Reduce(f, slices.Concat(start.Without, left))
	if out != nil {
		return out, nil
	}
	for i := range problems {
		if !strings.HasPrefix(problems[i].Field, "/without/") {
			return nil, &Error{Code: CodeFlow, Message: "the flow has problems without the nodes that are left out", Problems: problems}
		}
		problems[i].Field = "/start" + problems[i].Field
	}
	return nil, scriptError(problems...)
}

// scriptError is the error of a script with problems.
func scriptError(ps ...engine.Problem) *Error {
	return &Error{Code: CodeScript, Message: ps[0].Message, Field: ps[0].Field, Problems: ps}
}
