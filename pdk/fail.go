package pdk

import (
	"errors"
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// Fail returns the failure of an action. The code is stable, in UPPER_SNAKE; the
// message is for people, names what to do about it, and holds no secret.
func Fail(code, format string, args ...any) *contract.Failure {
	return &contract.Failure{Code: code, Message: fmt.Sprintf(format, args...), Origin: contract.OriginPlugin}
}

// Retryable returns a failure that may not happen when the same call is made again
// later.
func Retryable(code, format string, args ...any) *contract.Failure {
	f := Fail(code, format, args...)
	f.Retryable = true
	return f
}

// InvalidInput returns the failure of an input that is valid against the schema and
// still wrong. Field names it, with dots: "start", "matchers.0.name".
func InvalidInput(field, format string, args ...any) *contract.Failure {
	f := Fail(CodeInput, "%s: %s", field, fmt.Sprintf(format, args...))
	f.Origin = contract.OriginFlow
	return f
}

// failed turns any error into an answer. A failure that was wrapped keeps all its
// facts and takes the longer message.
func failed(err error) contract.Answer {
	f, ok := errors.AsType[*contract.Failure](err)
	switch {
	case !ok:
		f = Fail(CodePlugin, "%v", err)
	case err.Error() != f.Error():
		g := *f
		g.Message = err.Error()
		f = &g
	}
	return contract.Answer{Status: contract.StatusFailed, Failure: f}
}
