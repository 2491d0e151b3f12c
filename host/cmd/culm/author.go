package main

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"strings"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/pdk/contract"
)

// zhAuthor are the Chinese texts about what is wrong with what the author of a plugin wrote
// beside its manifest, by their codes: the browser says nothing of it.
//
//go:embed author.zh.json
var zhAuthor []byte

// authorError tells what the author of a plugin did wrong, or what his machine lacks, in the
// language of the reader; "" for any other error.
func (t text) authorError(err error) string {
	var compiler *build.CompileError
	var tool *build.ToolError
	if all := build.FieldErrors(err); len(all) > 0 {
		lines := make([]string, len(all))
		for i, f := range all {
			lines[i] = t.fieldError(f)
		}
		return strings.Join(lines, "\n")
	}
	var refused *contract.Failure
	switch {
	case errors.As(err, &refused): // a module that the host does not take
		return t.failed(refused)
	case errors.As(err, &compiler):
		return t.compilerSaid(compiler)
	case errors.As(err, &tool):
		return t.inf("%s is not installed, a plugin in %s needs it: %s", t.recognised(tool.Tool), tool.Language, t.recognised(tool.Install))
	default:
		return ""
	}
}

// fieldError is what is wrong in a manifest, with its place.
func (t text) fieldError(f *build.FieldError) string {
	place := document.Place{Line: f.Line, Column: f.Column}
	at := ""
	switch {
	case f.File != "":
		at = place.In(f.File) + ": "
	case f.Line > 0:
		at = t.inf("line %d, column %d: ", f.Line, f.Column)
	}
	if f.Field != "" {
		at += t.labelled(f.Field, "")
	}
	return at + t.problem(engine.Problem{Code: f.Code, Args: f.Args, Message: f.Message})
}

// compilerSaid introduces what a compiler had to say, which stays in its own words.
func (t text) compilerSaid(e *build.CompileError) string {
	how := e.Cause.Error()
	if ended := (*exec.ExitError)(nil); errors.As(e.Cause, &ended) && ended.Exited() {
		how = t.inf("exit code %d", ended.ExitCode())
	}
	if e.Output == "" {
		return t.inf("%s failed (%s) and said nothing", e.Tool, how)
	}
	return fmt.Sprintf("%s\n%s", t.inf("%s failed (%s), in its own words:", e.Tool, how), e.Output)
}

// mismatch is what of a case was not as expected.
func (t text) mismatch(m cases.Mismatch) string {
	if t.lang != "zh" {
		return m.String()
	}
	args := maps.Clone(m.Args)
	for name, v := range args {
		if v == "nothing" { // a text of that name is in quotes
			args[name] = t.in("nothing")
		}
	}
	said := t.problem(engine.Problem{Code: m.Code, Args: args, Message: m.Message})
	if m.Failure != nil {
		said = t.labelled(said, t.instead(m))
	}
	if m.Exchange > 0 {
		said = t.inf("call %d of the gateway (%s): %s", m.Exchange, m.Of, said)
	}
	if m.Call > 0 {
		said = t.inf("call %d (%s): %s", m.Call, m.Reason, said)
	}
	return said
}

// instead is the failure that came in the place of what was expected: what the host found
// wrong, or what the failure says of itself.
func (t text) instead(m cases.Mismatch) string {
	if m.Why != nil {
		return t.labelled(m.Failure.Code, t.problem(engine.Problem{Code: m.Why.Code, Args: m.Why.Args, Message: m.Why.Message}))
	}
	return t.failed(m.Failure)
}

// failed is a failure by its code, where that is known, with its own words.
func (t text) failed(f *contract.Failure) string {
	said := t.failureText(f)
	if t.failure(f) != "" && f.Message != "" {
		said += t.inf(" (%s)", t.labelled(t.in("in its own words"), t.recognised(f.Message)))
	}
	return said
}
