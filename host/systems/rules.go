package systems

import (
	"errors"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/culmhq/culm/host/document"
)

// brokenRules says which rules of a schema a value breaks. The text names several of them; the
// code and its arguments are those of the first.
func brokenRules(ve *jsonschema.ValidationError) error {
	all := broken(ve, nil)
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = f.Message
	}
	first := all[0]
	first.Message = strings.Join(texts, "; ")
	return first
}

// broken lists the rules that a value breaks, by place and keyword; at least one.
func broken(ve *jsonschema.ValidationError, out document.Problems) document.Problems {
	const most = 5
	if len(out) >= most {
		return out
	}
	if len(ve.Causes) > 0 {
		for _, cause := range ve.Causes {
			out = broken(cause, out)
		}
		return out
	}
	at := "the value"
	if len(ve.InstanceLocation) > 0 {
		at = "/" + strings.Join(ve.InstanceLocation, "/")
	}
	f := document.Problem{Args: map[string]string{"a": strings.TrimPrefix(at, "the value")}}
	switch k := ve.ErrorKind.(type) {
	case *kind.Required:
		f.Code, f.Args["b"] = CodeRuleRequired, strings.Join(k.Missing, ", ")
		f.Message = at + " lacks " + f.Args["b"]
	case *kind.AdditionalProperties:
		f.Code, f.Args["b"] = CodeRuleUnknown, strings.Join(k.Properties, ", ")
		f.Message = at + ` breaks the rule "additionalProperties"`
	case *kind.Type:
		f.Code, f.Args["b"] = CodeRuleType, strings.Join(k.Want, ", ")
		f.Message = at + " must be of type " + strings.Join(k.Want, " or ")
	default:
		rule := strings.Join(ve.ErrorKind.KeywordPath(), "/")
		f.Code, f.Args["b"] = CodeRule, rule
		f.Message = at + " breaks the rule \"" + rule + "\""
	}
	return append(out, f)
}

const says = "is not a valid JSON Schema: "

// schemaFault says where a schema itself is wrong, by keyword and place. What the compiler
// finds besides the rules of the standard has a code for each kind that people meet; of any
// other its sentence is told.
func schemaFault(err error) error {
	var (
		se      *jsonschema.SchemaValidationError
		ve      *jsonschema.ValidationError
		pointer *jsonschema.JSONPointerNotFoundError
		anchor  *jsonschema.AnchorNotFoundError
		regex   *jsonschema.InvalidRegexError
		unfit   document.Problem
	)
	switch {
	case errors.As(err, &se) && errors.As(se.Err, &ve):
		f := broken(ve, nil)[0]
		if k, ok := leaf(ve).ErrorKind.(*kind.Format); ok && k.Want == "regex" {
			return flawed(CodeSchemaPattern, says+"%s is no regular expression", f.Args["a"])
		}
		f.Code, f.Message = "SCHEMA_"+f.Code, says+f.Message
		return f
	case errors.As(err, &pointer):
		return flawed(CodeSchemaReference, says+"what %s refers to does not exist", within(pointer.URL))
	case errors.As(err, &anchor):
		return flawed(CodeSchemaReference, says+"what %s refers to does not exist", within(anchor.Reference))
	case errors.As(err, &regex):
		return flawed(CodeSchemaPattern, says+"%s is no regular expression", within(regex.URL))
	case errors.As(err, &unfit):
		return unfitSchema(unfit)
	default:
		return flawed(CodeSchemaInvalid, says+"%s", strings.ReplaceAll(err.Error(), schemaName, ""))
	}
}

// unfitSchema says why the cost of a schema's checks is not known, or too high.
func unfitSchema(p document.Problem) error {
	switch p.Code {
	case "SCHEMA_REFERENCE":
		return flawed(CodeSchemaReference, says+"what %s refers to does not exist", p.Args["a"])
	case "SCHEMA_ELSEWHERE":
		return flawed(CodeSchemaOutside, "%v", errExternal)
	case "SCHEMA_STEPS":
		return flawed(CodeSchemaSteps, "needs more than %s steps to be checked", p.Args["a"])
	default:
		return flawed(CodeSchemaUnsupported, "%s is not supported", p.Args["a"])
	}
}

// leaf is the first rule that a value breaks.
func leaf(ve *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(ve.Causes) > 0 {
		ve = ve.Causes[0]
	}
	return ve
}

// within is the place that a reference leads to, without the name that a schema is compiled by.
func within(url string) string { return strings.TrimPrefix(url, schemaName) }
