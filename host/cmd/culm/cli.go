package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/fault"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // the run failed or was revoked, or the command itself failed
	exitRefused = 2 // the input was refused: arguments, files, values
	exitBlocked = 3 // the run cannot go on without a person
)

// outside is what the program takes from its surroundings; tests bring their own.
type outside struct {
	in       io.Reader
	out, err io.Writer
	environ  []string
}

// getenv returns an environment variable, or "".
func (o outside) getenv(name string) string {
	for _, kv := range o.environ {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

// terminal reports whether a person sits at both ends of a stream.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// columns is the width of a terminal, or that of a common one where it does not say.
func columns(stream any) int {
	if f, ok := stream.(*os.File); ok {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			return int(size.Col)
		}
	}
	return 80
}

// colour reports whether a stream may get colours (https://no-color.org).
func (o outside) colour(w io.Writer) bool {
	return terminal(w) && o.getenv("NO_COLOR") == "" && o.getenv("TERM") != "dumb"
}

// exitError is an error with the exit code that it ends the program with.
type exitError struct {
	code int
	err  error // nil ends the program without a message
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed marks what went wrong after the input was accepted. What is not marked is a
// refusal of the input, except a fault of Culm itself.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitFailed, err}
}

// exitCode says with which code an error ends the program.
func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	case fault.Is(err, fault.Internal), fault.Is(err, fault.Stopping), fault.Is(err, fault.DiskFull), fault.Is(err, fault.Registry),
		errors.Is(err, context.Canceled):
		return exitFailed
	default:
		return exitRefused
	}
}

// run is the program: it returns its exit code.
func run(ctx context.Context, args []string, o outside) int {
	p := &program{outside: o, text: textFor(o)}
	root := p.root()
	p.speak(root)
	root.SetArgs(args)
	root.SetIn(o.in)
	root.SetOut(o.out)
	root.SetErr(o.err)
	c, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitOK
	case !p.began:
		p.misused(c, err)
	default:
		p.report(err)
	}
	return exitCode(err)
}

// program holds what all commands share.
type program struct {
	outside
	text  text
	began bool // the command line was understood
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "culm",
		Short: "Run operations flows of sandboxed plugins",
		Long: "Culm runs operations flows whose every task is a sandboxed WebAssembly plugin.\n\n" +
			"Exit codes: 0 succeeded, 1 failed or revoked, 2 the input was refused, 3 blocked.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			if err := c.ValidateRequiredFlags(); err != nil {
				return err
			}
			p.began = true
			c.SetContext(withEntry(c, args)) // what a command changes is audited under its name
			return nil
		},
	}
	root.SetHelpFunc(p.help)
	root.AddCommand(
		p.serveCommand(), p.runCommand(), p.simulateCommand(), p.validateCommand(), p.pluginCommand(), p.systemCommand(), p.credentialCommand(),
		p.secretCommand(), p.keysCommand(),
		p.auditCommand(), p.callCommand(), p.versionCommand(), p.completionCommand(), p.compileCommand(), p.workerCommand(),
	)
	p.helpOn(root)
	return root
}

// report writes an error for a person: what was refused, and where.
func (p *program) report(err error) {
	var e *exitError
	if errors.As(err, &e) && e.err == nil {
		return
	}
	if c := new(config.Error); errors.As(err, &c) {
		fmt.Fprintln(p.err, p.text.of("refused")+p.text.in(":"))
		for _, q := range c.Problems {
			from := ""
			if q.Source != "" {
				from = p.text.inf(" (%s)", p.text.recognised(q.Source))
			}
			fmt.Fprintln(p.err, "  "+p.text.labelled(q.Field, p.text.recognised(q.Message)+from))
		}
		return
	}
	var f *fault.Error
	if errors.As(err, &f) {
		for _, l := range p.refusal(f) {
			fmt.Fprintln(p.err, l)
		}
		return
	}
	label := "error"
	if s := new(sentence); errors.As(err, &s) && s.code != "" {
		label = p.text.codeName(s.code)
	} else {
		label = p.text.of(label)
	}
	fmt.Fprintln(p.err, p.text.labelled(label, p.text.err(err)))
}

// refusal are the lines that tell a fault in the language of the reader: what it is, each
// problem, and what can be done about it.
func (p *program) refusal(f *fault.Error) []string {
	out := []string{p.text.labelled(p.text.code(f), p.place(f)+p.detail(f))}
	for _, q := range f.Problems {
		if !strings.Contains(p.text.message(f), p.text.problem(q)) { // it may name them all itself
			out = append(out, fmt.Sprintf("  %s [%s]", p.text.placed(q), q.Code))
		}
	}
	if step := p.text.step(f); step != "" {
		out = append(out, "  "+p.text.labelled(p.text.of("next"), step))
	}
	return out
}

func (p *program) place(f *fault.Error) string {
	place := ""
	if f.Node != "" {
		place = p.text.inf("node %s: ", f.Node)
	}
	if f.Field != "" {
		place += p.text.labelled(f.Field, "")
	}
	return place
}

// detail adds the cause of a fault of Culm itself: here its reader is the operator.
func (p *program) detail(f *fault.Error) string {
	if f.Cause != nil {
		return p.text.labelled(p.text.message(f), p.text.err(f.Cause))
	}
	return p.text.message(f)
}

// json writes a value as indented JSON.
func (p *program) json(v any) error {
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return failed(e.Encode(v))
}

// line writes a value as one line of JSON.
func (p *program) line(v any) error {
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return failed(e.Encode(v))
}
