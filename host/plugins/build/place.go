package build

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/culmhq/culm/host/document"
)

// FieldError is one thing that is wrong with a manifest.
type FieldError struct {
	// Problem is what is wrong, and at which field of the manifest. Its place is one in
	// File, zero where it is not known.
	document.Problem
	// File is what the author wrote: his manifest or, for a plugin in Go, the source that
	// the manifest was reflected from. Empty where it is not known.
	File string
}

// Error reads "file:line:column: field: reason", as far as these are known.
func (p *FieldError) Error() string {
	var b strings.Builder
	if at := (document.Place{Line: p.Line, Column: p.Column}).In(p.File); at != "" {
		b.WriteString(at + ": ")
	}
	if p.Field != "" {
		b.WriteString(p.Field + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// FieldErrors returns the parts of an error that name a field.
func FieldErrors(err error) []*FieldError {
	if err == nil {
		return nil
	}
	if f, ok := err.(*FieldError); ok { //nolint:errorlint // one part of a joined error
		return []*FieldError{f}
	}
	var all []*FieldError
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			all = append(all, FieldErrors(part)...)
		}
	case interface{ Unwrap() error }:
		all = FieldErrors(e.Unwrap())
	}
	return all
}

// at fills in the places of the fields that an error names.
func at(src document.Source, err error) error {
	for _, f := range FieldErrors(err) {
		if f.Line == 0 {
			place := src.Place(f.Field)
			f.Line, f.Column = place.Line, place.Column
		}
	}
	return err
}

// in says which file an error is about.
func in(file string, err error) error {
	all := FieldErrors(err)
	for _, f := range all {
		if f.File == "" {
			f.File = file
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: %w", file, err)
	}
	return err
}

// reported makes field errors of what the program of a plugin in Go reports as JSON, when it
// has codes for all of it. Of the rest the text is the program's own, as of a compiler.
func reported(dir string, err error) error {
	var said *CompileError
	var ps []struct{ File, Field, Code, Message string }
	if !errors.As(err, &said) || json.Unmarshal([]byte(said.Output), &ps) != nil || len(ps) == 0 {
		return err
	}
	var fields []error
	var lines []string
	for _, p := range ps {
		f := &FieldError{Problem: document.Problem{Field: p.Field, Code: p.Code, Message: p.Message}}
		if p.File != "" {
			f.File = filepath.Join(dir, filepath.FromSlash(p.File))
			f.Line, f.Column = ofKey(f.File, p.Field)
		}
		if p.Code != "" {
			fields = append(fields, f)
		}
		lines = append(lines, f.Problem.Error())
	}
	if len(fields) == len(ps) {
		return errors.Join(fields...)
	}
	return &CompileError{Tool: said.Tool, Output: strings.Join(lines, "\n"), Cause: said.Cause}
}

// ofKey finds a member of the object in a file; zero where it is not there.
func ofKey(file, key string) (line, column int) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, 0
	}
	_, src, err := document.JSON(raw)
	at := src.Place("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
	if err != nil || at == src.Place("") {
		return 0, 0
	}
	return at.Line, at.Column
}

// asFields makes field errors of the problems of a document.
func asFields(err error) error {
	var ps document.Problems
	if !errors.As(err, &ps) {
		return err
	}
	out := make([]error, len(ps))
	for i, p := range ps {
		out[i] = &FieldError{Problem: p}
	}
	return errors.Join(out...)
}
