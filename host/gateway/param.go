package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// The codes of what can be wrong with a parameter or the body of a call. They stand in the
// detail of a failure PARAM_INVALID, next to those of systems.CodeOf, and clients translate by
// them.
const (
	ParamColon      = "PARAM_COLON"
	ParamComma      = "PARAM_COMMA"
	ParamCompute    = "PARAM_COMPUTE"
	ParamForm       = "PARAM_FORM"
	ParamHeader     = "PARAM_HEADER"
	ParamJSON       = "PARAM_JSON"
	ParamMissing    = "PARAM_MISSING"
	ParamOne        = "PARAM_ONE"
	ParamSegment    = "PARAM_SEGMENT"
	ParamUndeclared = "PARAM_UNDECLARED"
)

// spot is the part of a call that something is wrong with.
type spot struct {
	text, name string
	// quoted is set where the name is not one of the operation's own.
	quoted bool
}

func paramSpot(name string) spot { return spot{text: "the parameter", name: name} }

func bodySpot() spot { return spot{text: "the body"} }

func (s spot) String() string {
	switch {
	case s.name == "":
		return s.text
	case s.quoted:
		return fmt.Sprintf("%s %.64q", s.text, s.name)
	default:
		return s.text + " " + s.name
	}
}

// paramError is a parameter that breaks its declaration. It holds no value.
type paramError struct {
	at            spot
	code, message string
	args          map[string]string
}

// Error reads "the parameter X is missing".
func (e *paramError) Error() string { return e.at.String() + " " + e.message }

func badParam(at spot, code, format string, args ...any) error {
	return &paramError{at: at, code: code, message: fmt.Sprintf(format, args...)}
}

// badSchema is what the schema of a parameter or of the body refuses.
func badSchema(at spot, err error) error {
	code, args := systems.CodeOf(err)
	return &paramError{at: at, code: code, message: "is not valid: " + err.Error(), args: args}
}

// paramDetail is the detail of a failure PARAM_INVALID.
type paramDetail struct {
	// Parameter is its name; empty where it is the body, or the call as a whole.
	Parameter string            `json:"parameter,omitempty"`
	Body      bool              `json:"body,omitempty"`
	Code      string            `json:"code"`
	Args      map[string]string `json:"args,omitempty"`
}

// paramFailure is the failure of a call whose parameters are wrong.
func paramFailure(origin contract.Origin, err error) *contract.Failure {
	f := fault(origin, CodeParamInvalid, err.Error())
	var bad *paramError
	if !errors.As(err, &bad) || bad.code == "" {
		return f
	}
	const nameMax = 64
	name := bad.at.name
	js, err := json.Marshal(paramDetail{
		Parameter: strings.ToValidUTF8(name[:min(len(name), nameMax)], ""), Body: bad.at == bodySpot(), Code: bad.code, Args: bad.args,
	})
	if err == nil {
		f.Detail = js
	}
	return f
}
