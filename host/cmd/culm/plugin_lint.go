package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/lint"
	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// lintLine is one thing that culm plugin lint found. Level is that of a lint.Finding, or
// "error" for what no host accepts.
type lintLine struct {
	Level  string `json:"level"`
	Rule   string `json:"rule"`
	Field  string `json:"field,omitempty"`
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Code says what no host accepts; of what could be better the rule says it.
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

func (p *program) pluginLint() *cobra.Command {
	var strict, asJSON bool
	c := &cobra.Command{
		Use:   "lint [DIR|MODULE.wasm|MANIFEST.json]",
		Short: "Find what could be better in a plugin's manifest",
		Long: "Find what is wrong or could be better in a plugin's manifest: titles and translations that\n" +
			"are missing, inputs without bounds, secrets that are not marked, grants that are wider than\n" +
			"they need be. Each finding has its line and column, in the manifest or in the\n" +
			"source of a plugin in Go; in a packed module it has its JSON Pointer in the manifest.\n\n" +
			"Exit codes: 0 nothing is wrong, 1 errors (with --strict also warnings), 2 the input was refused.",
		Example: "  culm plugin lint\n  culm plugin lint ticket.wasm --strict --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := "."
			if len(args) == 1 {
				path = args[0]
			}
			lines, err := p.lint(c.Context(), path)
			if err != nil {
				return err
			}
			return p.linted(lines, strict, asJSON)
		},
	}
	c.Flags().BoolVar(&strict, "strict", false, "let warnings fail the command")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// lint finds what is wrong with a plugin.
func (p *program) lint(ctx context.Context, path string) ([]lintLine, error) {
	file, raw, err := p.manifestSource(ctx, path)
	if err != nil {
		return nil, err
	}
	_, src, err := document.JSON(raw)
	if err != nil {
		return p.lintProblems(file, err)
	}
	own := strings.HasSuffix(file, ".json")
	if !own {
		src = document.Source{} // places in what a module carries help nobody
	}
	m, err := build.ParseManifest(raw)
	l := linting{program: p, file: file, place: src.Place, own: own}
	if language, failed := build.Detect(file); failed == nil && language == build.Go {
		l.source = build.GoPlaces(file, m)
	}
	return append(l.refused(err), l.advice(m, err)...), nil
}

// linting makes lines of what is found in one manifest.
type linting struct {
	*program
	file  string
	place func(field string) document.Place
	// source tells places in Go, nil for other languages; own says that the file is the
	// author's manifest.
	source func(field string) token.Position
	own    bool
}

// at fills in the place of a line.
func (l linting) at(line lintLine) lintLine {
	if l.source != nil {
		at := l.source(line.Field)
		line.File, line.Line, line.Column = cmp.Or(at.Filename, l.file), at.Line, at.Column
		return line
	}
	at := l.place(line.Field)
	line.File, line.Line, line.Column = l.file, at.Line, at.Column
	return line
}

// refused are the lines of what no host accepts.
func (l linting) refused(err error) []lintLine {
	var out []lintLine
	for _, f := range build.FieldErrors(err) {
		line := l.at(l.refusedLine(f.Problem))
		if l.own && f.Line > 0 { // a field that is not known has its place at its name
			line.Line, line.Column = f.Line, f.Column
		}
		out = append(out, line)
	}
	if err != nil && len(out) == 0 {
		out = []lintLine{{Level: "error", Rule: "manifest", File: l.file, Message: l.text.err(err)}}
	}
	return out
}

// advice are the lines of what could be better: nothing where the manifest could not be
// read, and nothing of a field that is wrong.
func (l linting) advice(m contract.Manifest, err error) []lintLine {
	if err != nil && m.ID == "" && m.Format == "" {
		return nil
	}
	wrong := map[string]bool{}
	for _, f := range build.FieldErrors(err) {
		wrong[f.Field] = true
	}
	d := wasm.DefaultLimits()
	var out []lintLine
	for _, f := range lint.Manifest(&m, lint.Limits{
		MemoryBytes: d.MemoryBytes, OutputBytes: d.OutputBytes, LogBytes: d.LogBytes, HostCalls: d.HostCalls,
		TimeoutMS: d.Timeout.Milliseconds(),
	}) {
		if wrong[f.Field] {
			continue
		}
		args := make([]any, len(f.Args))
		for i, a := range f.Args {
			args[i] = a
		}
		out = append(out, l.at(lintLine{
			Level: string(f.Level), Rule: string(f.Rule), Field: f.Field, Message: fmt.Sprintf(l.text.of("lint."+string(f.Rule)), args...),
		}))
	}
	return out
}

// manifestSource returns the manifest of a plugin and the file that it came from: the
// author's own, where there is one.
func (p *program) manifestSource(ctx context.Context, path string) (file string, raw []byte, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil, err
	}
	if info.IsDir() {
		if own := filepath.Join(path, build.ManifestFile); exists(own) {
			path = own
		}
	}
	if strings.HasSuffix(path, ".json") {
		raw, err = os.ReadFile(path)
		return path, raw, err
	}
	code, err := p.module(ctx, path)
	if err != nil {
		return "", nil, err
	}
	raw, err = build.RawManifest(code)
	return path, raw, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// lintProblems are those of a text that is no JSON.
func (p *program) lintProblems(file string, err error) ([]lintLine, error) {
	var ps document.Problems
	if !errors.As(err, &ps) {
		return nil, say("%s: %s", file, err)
	}
	var out []lintLine
	for _, q := range ps {
		l := p.refusedLine(q)
		l.File, l.Line, l.Column = file, q.Line, q.Column
		out = append(out, l)
	}
	return out, nil
}

// refusedLine is what no host accepts, without its place.
func (p *program) refusedLine(q document.Problem) lintLine {
	return lintLine{
		Level: "error", Rule: "manifest", Field: q.Field, Code: q.Code,
		Message: p.text.problem(engine.Problem{Code: q.Code, Args: q.Args, Message: q.Message}),
	}
}

// linted prints the findings and decides.
func (p *program) linted(lines []lintLine, strict, asJSON bool) error {
	count := map[string]int{}
	for _, l := range lines {
		count[l.Level]++
	}
	if asJSON {
		if lines == nil {
			lines = []lintLine{}
		}
		if err := p.json(lines); err != nil {
			return err
		}
	} else {
		for _, l := range lines {
			place := document.Place{Line: l.Line, Column: l.Column}.In(l.File)
			field := ""
			switch {
			case l.Field != "":
				field = l.Field + ": "
			case l.Line == 0:
				field = "/: " // the manifest as a whole
			}
			fmt.Fprintf(p.out, "%s: %s: %s%s (%s)\n", place, p.text.of("lint."+l.Level), field, l.Message, l.Rule)
		}
		fmt.Fprintf(p.out, p.text.of("lint.count")+"\n", count["error"], count[string(lint.Warning)], count[string(lint.Info)])
	}
	if count["error"] > 0 || strict && count[string(lint.Warning)] > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// needsOf lists what a plugin asks for, as SYSTEM/OPERATION.
func needsOf(m *contract.Manifest) []string {
	var out []string
	for _, n := range m.Needs {
		out = append(out, n.System+"/"+n.Operation)
	}
	return out
}
