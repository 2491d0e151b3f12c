package systems

import (
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
