package systems

import (
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// brokenRules says which rules of a schema a value breaks. The text names several of them; the
// code and its arguments are those of the first.
func brokenRules(ve *jsonschema.ValidationError) error {
	all := broken(ve, nil)
	texts := make([]string, len(all))
	for i, f := range all {
		texts[i] = f.message
	}
	return &flaw{code: all[0].code, message: strings.Join(texts, "; "), args: all[0].args}
}

// broken lists the rules that a value breaks, by place and keyword; at least one.
func broken(ve *jsonschema.ValidationError, out []*flaw) []*flaw {
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
	f := &flaw{args: map[string]string{"a": strings.TrimPrefix(at, "the value")}}
	switch k := ve.ErrorKind.(type) {
	case *kind.Required:
		f.code, f.args["b"] = CodeRuleRequired, strings.Join(k.Missing, ", ")
		f.message = at + " lacks " + f.args["b"]
	case *kind.AdditionalProperties:
		f.code, f.args["b"] = CodeRuleUnknown, strings.Join(k.Properties, ", ")
		f.message = at + ` breaks the rule "additionalProperties"`
	case *kind.Type:
		f.code, f.args["b"] = CodeRuleType, strings.Join(k.Want, ", ")
		f.message = at + " must be of type " + strings.Join(k.Want, " or ")
	default:
		rule := strings.Join(ve.ErrorKind.KeywordPath(), "/")
		f.code, f.args["b"] = CodeRule, rule
		f.message = at + " breaks the rule \"" + rule + "\""
	}
	return append(out, f)
}
