package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/plugins/build"
	shipped "github.com/culmhq/culm/plugins-wasm"
)

// validation is what culm validate --json prints of one file.
type validation struct {
	File     string          `json:"file"`
	Valid    bool            `json:"valid"`
	Problems []flows.Located `json:"problems"`
}

func (p *program) validateCommand() *cobra.Command {
	var asJSON bool
	var modules []string
	c := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check flow documents",
		Long: "Check flow documents in YAML or JSON, and print every problem with its place:\n" +
			"  file:line:column: where: field: message [CODE]\n\n" +
			"Actions are looked up in the plugins of this binary, and in those given with --plugin.\n" +
			"The file - is standard input.\n\nExit codes: 0 no document has errors, 2 one has, or cannot be read.",
		Example: "  culm validate deploy.yaml\n  culm validate --json flows/*.yaml\n  culm validate --plugin bin/mine.wasm uses-mine.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			catalogue, err := manifests(modules)
			if err != nil {
				return err
			}
			return p.validate(flows.NewChecker(catalogue), files, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringArrayVar(&modules, "plugin", nil, "a further plugin module (*.wasm); may be repeated")
	return c
}

func (p *program) validate(checker *flows.Checker, files []string, asJSON bool) error {
	results := make([]validation, 0, len(files))
	bad := false
	for _, file := range files {
		v, err := p.check(checker, file)
		if err != nil {
			return err
		}
		bad = bad || !v.Valid
		results = append(results, v)
	}
	if asJSON {
		if err := p.json(results); err != nil {
			return err
		}
	} else {
		for _, v := range results {
			for _, q := range v.Problems {
				fmt.Fprintln(p.out, p.text.located(q))
			}
			if v.Valid {
				fmt.Fprintln(p.out, p.text.labelled(v.File, p.text.of("valid")))
			}
		}
	}
	if bad {
		return &exitError{code: exitRefused}
	}
	return nil
}

// check reads one file and finds its problems.
func (p *program) check(checker *flows.Checker, file string) (validation, error) {
	v := validation{File: file, Problems: []flows.Located{}}
	content, err := p.read(file)
	if err != nil {
		return v, err
	}
	src, err := flows.ParseYAML(content, file)
	var syntax *flows.SyntaxError
	switch {
	case errors.As(err, &syntax):
		v.Problems = syntax.Problems
	case err != nil:
		return v, err
	default:
		v.Problems = src.Locate(checker.Problems(src.Flow))
	}
	v.Valid = true
	for _, q := range v.Problems {
		v.Valid = v.Valid && q.Level != engine.SeverityError
	}
	return v, nil
}

// read reads a file, or standard input for "-"; both are bounded.
func (p *program) read(file string) ([]byte, error) {
	return p.readAtMost(file, flows.DocumentBytesMax)
}

func (p *program) readAtMost(file string, most int64) ([]byte, error) {
	r := p.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }() // it was only read
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, say("%s: %s", file, err)
	}
	if int64(len(b)) > most {
		return nil, say("%s: larger than %d bytes", file, most)
	}
	return b, nil
}

// manifests reads the manifests of the shipped plugins and of further modules.
func manifests(modules []string) (app.Manifests, error) {
	s, err := app.NewShipped(shipped.Files)
	if err != nil {
		return nil, failed(err)
	}
	out, err := s.Manifests()
	if err != nil {
		return nil, failed(err)
	}
	for _, file := range modules {
		code, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m, err := build.ReadManifest(code)
		if err != nil {
			return nil, say("%s: %s", file, err)
		}
		out[m.ID] = m
	}
	return out, nil
}
