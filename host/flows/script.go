package flows

import (
	"errors"
	"fmt"
	"maps"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/host/document"
)

// ScriptSource is the script of a simulation that was read from a file, with the places
// of its values.
type ScriptSource struct {
	Script *simulate.Script
	// File is the name that the places are told with.
	File   string
	places document.Source
}

// ParseScript reads the script of a simulation from YAML or JSON, strictly; file is the
// name that problems are told with. The error is a *SyntaxError that holds every problem
// of the text with its place. Whether the script fits a flow is Script.Problems' to say.
func ParseScript(text []byte, file string) (*ScriptSource, error) {
	var s simulate.Script
	if len(text) > simulate.ScriptBytesMax {
		return nil, &SyntaxError{Problems: []Located{{File: file, Problem: engine.Problem{
			Code: CodeDocument, Level: engine.SeverityError, Message: fmt.Sprintf("a script may have %d bytes at most", simulate.ScriptBytesMax),
		}}}}
	}
	places, err := document.Decode(text, &s)
	var bad document.Problems
	switch {
	case errors.As(err, &bad):
		return nil, syntaxError(bad, file)
	case err != nil:
		return nil, fmt.Errorf("flows: read %s: %w", file, err)
	}
	return &ScriptSource{Script: &s, File: file, places: places}, nil
}

// syntaxError gives the problems of a text their places in a file.
func syntaxError(bad document.Problems, file string) *SyntaxError {
	e := &SyntaxError{}
	for _, p := range bad {
		e.Problems = append(e.Problems, Located{
			File: file, Line: p.Line, Column: p.Column, Pointer: p.Field,
			Problem: engine.Problem{Code: CodeDocument, Message: p.Message, Level: engine.SeverityError, Field: p.Field, Args: argsOf(p)},
		})
	}
	return e
}

// Locate gives each problem, whose Field is a JSON Pointer into the script, its place in
// the file.
func (s *ScriptSource) Locate(ps []engine.Problem) []Located {
	out := make([]Located, len(ps))
	for i, p := range ps {
		at := s.places.Place(p.Field)
		out[i] = Located{File: s.File, Line: at.Line, Column: at.Column, Pointer: p.Field, Problem: p}
	}
	return out
}

// Place tells where a value of the script is: "file:line:column".
func (s *ScriptSource) Place(pointer string) string {
	return s.places.Place(pointer).In(s.File)
}

// argsOf are the arguments of a problem of a text, and with them as "code" which of those it
// is: clients translate by both.
func argsOf(p document.Problem) map[string]string {
	if p.Code == "" {
		return nil
	}
	args := map[string]string{"code": p.Code}
	maps.Copy(args, p.Args)
	return args
}
