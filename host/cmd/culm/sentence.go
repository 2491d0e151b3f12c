package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
)

// sentence is a refusal by the command line itself, which is told in the language of the
// reader: its format is one of the phrases.
type sentence struct {
	code   fault.Code // "" is any error
	format string
	args   []any
}

// say makes a refusal. Of its arguments those that are errors are told in the language of
// the reader, too.
func say(format string, args ...any) error { return &sentence{format: format, args: args} }

// sayAs is say with a code.
func sayAs(code fault.Code, format string, args ...any) error {
	return &sentence{code: code, format: format, args: args}
}

// Error is the sentence in English.
func (s *sentence) Error() string { return fmt.Sprintf(s.format, s.args...) }

// Unwrap returns the errors among the arguments.
func (s *sentence) Unwrap() []error {
	var out []error
	for _, a := range s.args {
		if err, ok := a.(error); ok {
			out = append(out, err)
		}
	}
	return out
}

// in is the sentence in a language.
func (s *sentence) in(t text) string {
	args := make([]any, len(s.args))
	for i, a := range s.args {
		if err, ok := a.(error); ok {
			a = t.err(err)
		}
		args[i] = a
	}
	return t.inf(s.format, args...)
}

// err tells an error in the language of the reader, as far as it is one of those that
// people meet; the rest stays as it is.
func (t text) err(err error) string {
	var own *sentence
	var file *fs.PathError
	var document document.Problems
	switch {
	case t.phrases == nil:
		return err.Error()
	case errors.As(err, &own):
		return own.in(t)
	case errors.As(err, &file):
		return t.inf("%s: %s", file.Path, t.fileError(file.Err))
	case errors.As(err, &document):
		lines := make([]string, len(document))
		for i, p := range document {
			lines[i] = t.documentProblem(p)
		}
		return strings.Join(lines, "\n")
	}
	if said := t.authorError(err); said != "" {
		return said
	}
	return t.wrapped(err)
}

// wrapped tells an error by its text, or by that of the one inside it: what is said around
// that is a place, as a rule.
func (t text) wrapped(err error) string {
	message := err.Error()
	if other, ok := t.phrases[oneLine(message)]; ok {
		return other
	}
	if inner := errors.Unwrap(err); inner != nil {
		around, ok := strings.CutSuffix(message, inner.Error())
		if said := t.err(inner); ok && said != inner.Error() {
			message = around + said
		}
	}
	return t.recognised(message)
}

// fileError says why a file cannot be used.
func (t text) fileError(err error) string {
	for _, known := range []error{fs.ErrNotExist, fs.ErrPermission, fs.ErrExist} {
		if errors.Is(err, known) {
			return t.in(known.Error())
		}
	}
	return t.in(err.Error())
}

// labelled puts a label before a text.
func (t text) labelled(label, rest string) string {
	if t.lang == "zh" {
		return label + t.in(":") + rest
	}
	return label + ": " + rest
}
