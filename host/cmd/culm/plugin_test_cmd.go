package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/plugins/cases"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/wasm"
)

// testOptions are the flags of culm plugin test.
type testOptions struct {
	cases  string
	only   string
	update bool
	asJSON bool
}

func (p *program) pluginTest() *cobra.Command {
	var o testOptions
	c := &cobra.Command{
		Use:   "test [DIR|MODULE.wasm]",
		Short: "Run the cases of a plugin and compare",
		Long: "Run the cases of a plugin on the host that runs it in production, with its limits, and\n" +
			"compare what it does with what is expected. A directory is built first. Systems are not\n" +
			"reached: the cases hold their answers.\n\n" +
			"The cases are in " + cases.FileName + " beside the source; docs/plugins/cases.md describes them.\n" +
			"--update writes what the plugin did over the expectations that were not met.\n\n" +
			"Exit codes: 0 all cases passed, 1 not so, or the plugin does not build, 2 the input was refused.",
		Example: "  culm plugin test\n" +
			"  culm plugin test ./ticket --run 'open.*' --json\n" +
			"  culm plugin test ticket.wasm --cases ticket/cases.yaml --update",
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			path := "."
			if len(args) == 1 {
				path = args[0]
			}
			return p.testPlugin(c.Context(), path, o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.cases, "cases", "", "the file of cases (default: "+cases.FileName+" beside the plugin)")
	f.StringVar(&o.only, "run", "", "only cases whose name matches this pattern")
	f.BoolVar(&o.update, "update", false, "write what the plugin did into the file of cases")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

// testPlugin reads everything that can be refused, and then runs the cases.
func (p *program) testPlugin(ctx context.Context, path string, o testOptions) (err error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return say("--run: %s", err)
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	file := o.cases
	if file == "" {
		file = casesFile(path)
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf(p.text.of("test.none"), file)
	}
	if err != nil {
		return err
	}
	f, err := cases.Parse(text)
	if err != nil {
		return p.problemsIn(file, err)
	}
	code, err := p.module(ctx, path)
	if err != nil {
		return err
	}
	box, err := p.open(ctx, code, f.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, failed(box.close())) }()
	results := make([]cases.Result, len(f.Cases))
	ran := 0
	for i, c := range f.Cases {
		if !only.MatchString(c.Name) {
			continue
		}
		if results[i], err = cases.Run(ctx, box, f, i, runs.Evaluate); err != nil {
			return failed(err)
		}
		ran++
	}
	if ran == 0 {
		return say("--run %s: no case has such a name", o.only)
	}
	return p.tested(box, file, text, results, o)
}

// casesFile is where the cases of a plugin are.
func casesFile(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	return filepath.Join(path, cases.FileName)
}

// problemsIn prints what is wrong in a file, each with its place.
func (p *program) problemsIn(file string, err error) error {
	var ps document.Problems
	if !errors.As(err, &ps) {
		return say("%s: %s", file, err)
	}
	for _, q := range ps {
		place := file
		if q.Line > 0 {
			place = fmt.Sprintf("%s:%d:%d", file, q.Line, q.Column)
		}
		q.Line = 0 // is in the place
		fmt.Fprintf(p.err, "%s: %s\n", place, p.text.documentProblem(q))
	}
	return &exitError{code: exitRefused}
}

// tested shows the results, updates the file where that was asked for, and decides.
func (p *program) tested(box *sandbox, file string, text []byte, all []cases.Result, o testOptions) error {
	var ran []cases.Result
	bad := 0
	for _, r := range all {
		if len(r.Steps) == 0 {
			continue
		}
		ran = append(ran, r)
		if len(r.Problems()) > 0 {
			bad++
		}
	}
	var err error
	if o.asJSON {
		err = p.json(struct {
			Passed int            `json:"passed"`
			Failed int            `json:"failed"`
			Cases  []cases.Result `json:"cases"`
		}{len(ran) - bad, bad, ran})
	} else {
		err = p.printTested(box.module.Limits(), file, ran, bad)
	}
	if err != nil {
		return err
	}
	if o.update {
		if bad, err = p.updateCases(file, text, all); err != nil {
			return err
		}
	}
	if bad > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// updateCases writes what the plugin did into the file, and returns how many of the cases that
// were run did nothing that could be written.
func (p *program) updateCases(file string, text []byte, all []cases.Result) (idle int, err error) {
	updated, err := cases.Update(text, all)
	if err != nil {
		return 0, say("%s: %s", file, err)
	}
	if !bytes.Equal(updated, text) {
		if err := os.WriteFile(file, updated, 0o644); err != nil { //nolint:gosec // source that others may read
			return 0, failed(err)
		}
		fmt.Fprintf(p.err, p.text.of("test.updated")+"\n", file)
	}
	for _, r := range all {
		if len(r.Steps) > 0 && !r.Called() {
			idle++
		}
	}
	return idle, nil
}

// printTested prints a line for each call with what it used of its limits, and what was
// not as expected.
func (p *program) printTested(l wasm.Limits, file string, all []cases.Result, bad int) error {
	w := newTable(p.out)
	fmt.Fprintf(w, "\t%s\n", p.text.of("test.columns"))
	for _, r := range all {
		for i, s := range r.Steps {
			mark, name := "ok", r.Name
			if len(s.Problems) > 0 {
				mark = "FAIL"
			}
			if i > 0 {
				name = "  " + string(s.Reason)
			}
			u, of := s.Usage, p.text.of("test.of")
			fmt.Fprintf(w, "%s\t%s\t%s %s %s\t%s %s %s\t%d %s %d\t%s %s %s\n", mark, name,
				shortTime(u.Duration), of, l.Timeout, bytesText(u.PeakMemoryBytes), of, bytesText(l.MemoryBytes),
				u.HostCalls, of, l.HostCalls, bytesText(int64(u.OutputBytes)), of, bytesText(l.OutputBytes))
		}
	}
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	for _, r := range all {
		if len(r.Problems()) == 0 {
			continue
		}
		fmt.Fprintf(p.out, "\n%s:%d: %s\n", file, r.Line, r.Name)
		for _, q := range r.Problems() {
			fmt.Fprintf(p.out, "  %s\n", p.text.mismatch(q))
		}
	}
	_, err := fmt.Fprintf(p.out, "\n"+p.text.of("test.passed")+"\n", len(all)-bad, bad)
	return failed(err)
}

// shortTime rounds a duration to what a person reads.
func shortTime(d time.Duration) string {
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	default:
		return d.Round(time.Microsecond).String()
	}
}
