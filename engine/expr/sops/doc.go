// Package sops translates the expressions of BK-SOPS flows into Culm's: the ${...} of
// its templates, which are Mako (Python), and the conditions of its gateways, which are
// a language of their own (boolrule) with templates in it. Nothing is evaluated but what
// has no variable in it; what has no translation is a [Problem] with its place and the
// reason.
//
// A translated expression gives what the original gave. Where CEL and Python agree it is
// plain CEL (a.split(",")[0]); where they do not, it calls the functions py.* and sops.*
// of package expr, which behave as Python does: py.text(v) is str(v). A template that is
// exactly one variable keeps the value's type; every other one gives text.
//
// BK-SOPS leaves a template that it cannot render as it stands. In Culm that is an
// error. With [Translator.Lenient] the translation keeps the text too, as py.or does.
package sops

// Problem is a piece of a source that was not translated, or not exactly.
type Problem struct { //nolint:errname // it is also a warning
	// Pointer is the place of the string in a JSON value, Offset the byte in it.
	Pointer string
	Offset  int
	// Source is the piece, and Reason why.
	Source string
	Reason string
	// Warning marks a piece that was translated, but means something else at times.
	Warning bool
}

// Error says it in one line.
func (p Problem) Error() string { return p.Source + ": " + p.Reason }

// Translator translates the expressions of one flow. It is not changed by its methods,
// so that it may be used concurrently.
type Translator struct {
	// Names are the names that expressions may use, by the key without ${ and }. One
	// with points in it (_system.operator) stands for the attribute.
	Names map[string]Name
	// Modules are the modules of Python that templates may use: json, datetime.
	Modules []string
	// PlainValues says that the values are plain JSON, whose objects have keys and no
	// attributes: ${a.b} is not translated then. The values of BK-SOPS's own variable types
	// have attributes.
	PlainValues bool
	// Lenient keeps what cannot be translated, and what fails when it is evaluated, as
	// text.
	Lenient bool
}

// Name is what a name of the original stands for.
type Name struct {
	// Expr is a CEL expression that needs no parentheses: a variable, run.operator.
	Expr string
	// Type is the JSON Schema type of the value where that is known for certain: it
	// makes the translation simpler.
	Type string
}

// failed reports whether one of the problems is more than a warning.
func failed(problems []Problem) bool {
	for _, p := range problems {
		if !p.Warning {
			return true
		}
	}
	return false
}
