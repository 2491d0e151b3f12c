package document

import "fmt"

// The codes of what can be wrong with the text of a document. Clients translate by them: what
// a message names stands in the arguments of its problem, "a", "b" and so on. CodeSyntax and
// CodeValue are of what another reader says, in "a".
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
	CodeTooLarge     = "DOC_TOO_LARGE"
	CodeUnknownField = "DOC_UNKNOWN_FIELD"
	CodeValue        = "DOC_VALUE"
	CodeWantBool     = "DOC_WANT_BOOL"
	CodeWantInteger  = "DOC_WANT_INTEGER"
	CodeWantList     = "DOC_WANT_LIST"
	CodeWantNumber   = "DOC_WANT_NUMBER"
	CodeWantObject   = "DOC_WANT_OBJECT"
	CodeWantText     = "DOC_WANT_TEXT"
)

// Coded makes a problem without a place, whose Args are what the message names, in its order:
// "a", "b" and so on.
func Coded(code, format string, args ...any) Problem {
	p := Problem{Code: code, Message: fmt.Sprintf(format, args...)}
	for i, a := range args {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[string(rune('a'+i))] = fmt.Sprint(a)
	}
	return p
}
