package document

import "fmt"

// The codes of what can be wrong with the text of a document. Clients translate by them: what
// a message names stands in the arguments of its problem, "a", "b" and so on. CodeSyntax and
// CodeValue are what no other code fits: "a" is the sentence of the reader.
const (
	CodeAnchor       = "DOC_ANCHOR"
	CodeDeep         = "DOC_DEEP"
	CodeEmpty        = "DOC_EMPTY"
	CodeKey          = "DOC_KEY"
	CodeMany         = "DOC_MANY"
	CodeNumber       = "DOC_NUMBER"
	CodeRepeated     = "DOC_REPEATED"
	CodeSyntax       = "DOC_SYNTAX"
	CodeTag          = "DOC_TAG"
	CodeTagValue     = "DOC_TAG_VALUE"
	CodeTooLarge     = "DOC_TOO_LARGE"
	CodeUnknownField = "DOC_UNKNOWN_FIELD"
	CodeValue        = "DOC_VALUE"
	CodeWantBool     = "DOC_WANT_BOOL"
	CodeWantInteger  = "DOC_WANT_INTEGER"
	CodeWantList     = "DOC_WANT_LIST"
	CodeWantNumber   = "DOC_WANT_NUMBER"
	CodeWantObject   = "DOC_WANT_OBJECT"
	CodeWantText     = "DOC_WANT_TEXT"
	CodeWantWords    = "DOC_WANT_WORDS"
)

// The codes of a text that is no YAML.
const (
	CodeYAMLBlock      = "DOC_YAML_BLOCK"
	CodeYAMLBracket    = "DOC_YAML_BRACKET"
	CodeYAMLCharacter  = "DOC_YAML_CHARACTER"
	CodeYAMLCharacters = "DOC_YAML_CHARACTERS"
	CodeYAMLColon      = "DOC_YAML_COLON"
	CodeYAMLDirective  = "DOC_YAML_DIRECTIVE"
	CodeYAMLEscape     = "DOC_YAML_ESCAPE"
	CodeYAMLIndent     = "DOC_YAML_INDENT"
	CodeYAMLList       = "DOC_YAML_LIST"
	CodeYAMLNoColon    = "DOC_YAML_NO_COLON"
	CodeYAMLQuotes     = "DOC_YAML_QUOTES"
	CodeYAMLTab        = "DOC_YAML_TAB"
	CodeYAMLTag        = "DOC_YAML_TAG"
	CodeYAMLValue      = "DOC_YAML_VALUE"
)

// argMax bounds a value of Coded's, in characters: what a text holds may be long.
const argMax = 200

// Coded makes a problem without a place, whose Args are what the message names, in its order:
// "a", "b" and so on, each of 200 characters at most.
func Coded(code, format string, args ...any) Problem {
	p := Problem{Code: code, Message: fmt.Sprintf(format, args...)}
	for i, a := range args {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		value := []rune(fmt.Sprint(a))
		p.Args[string(rune('a'+i))] = string(value[:min(len(value), argMax)])
	}
	return p
}
