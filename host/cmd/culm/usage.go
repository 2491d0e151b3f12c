package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// misused says what is wrong with the command line itself, how the command is called, and
// where more is said. Nothing was done yet.
func (p *program) misused(c *cobra.Command, err error) {
	fmt.Fprintln(p.err, p.text.labelled(p.text.of("error"), p.misuse(c, err)))
	if args := c.Flags().Args(); c.HasAvailableSubCommands() && len(args) > 0 {
		p.suggest(c, args[0])
	}
	p.see(c)
}

// suggest names the commands that may have been meant where there is none of a name.
func (p *program) suggest(c *cobra.Command, name string) {
	c.SuggestionsMinimumDistance = 2
	var names []string
	for _, s := range c.SuggestionsFor(name) {
		names = append(names, c.CommandPath()+" "+s)
	}
	if len(names) > 0 {
		fmt.Fprintf(p.err, "  "+p.text.of("usage.mean")+"\n", strings.Join(names, p.text.of("list")))
	}
}

// see says how a command is called, and where more is said.
func (p *program) see(c *cobra.Command) {
	fmt.Fprintf(p.err, "  "+p.text.of("usage.see")+"\n", p.useLine(c), c.CommandPath())
}

// misuse is the error in the language of the person.
func (p *program) misuse(c *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var own *sentence
	args := c.Flags().Args()
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		return fmt.Sprintf(p.text.of("usage.flag"), dashes(name)+name)
	case errors.As(err, &missing):
		return fmt.Sprintf(p.text.of("usage.value"), "--"+missing.GetFlag().Name)
	case errors.As(err, &invalid):
		return p.badValue(invalid)
	case errors.As(err, &own):
		return own.in(p.text)
	case c.HasAvailableSubCommands() && len(args) > 0:
		return fmt.Sprintf(p.text.of("usage.command"), args[0])
	case c.ValidateArgs(args) != nil:
		if needed := neededArgs(c); len(args) < len(needed) {
			return fmt.Sprintf(p.text.of("usage.missing"), strings.Join(needed[len(args):], " "))
		}
		return fmt.Sprintf(p.text.of("usage.args"), len(args))
	case c.ValidateRequiredFlags() != nil:
		return fmt.Sprintf(p.text.of("usage.required"), strings.Join(requiredFlags(c), p.text.of("list")))
	default:
		return err.Error()
	}
}

// badValue says what a flag takes, where that is more than a text.
func (p *program) badValue(e *pflag.InvalidValueError) string {
	why := e.Unwrap().Error()
	switch f := e.GetFlag(); {
	case f.Value.Type() == "bool":
		why = p.text.in("true or false is needed")
	case strings.HasPrefix(f.Value.Type(), "int"):
		why = p.text.in("a whole number is needed")
	}
	return fmt.Sprintf(p.text.of("usage.bad value"), e.GetValue(), "--"+e.GetFlag().Name, why)
}

// neededArgs are the arguments that a command cannot do without, as its use names them: a
// choice of other ways to call it begins with "(" or "|".
func neededArgs(c *cobra.Command) []string {
	var names []string
	for _, name := range strings.Fields(c.Use)[1:] {
		if name == "|" || strings.HasPrefix(name, "(") {
			break
		}
		if !strings.HasPrefix(name, "[") {
			names = append(names, name)
		}
	}
	return names
}

func dashes(name string) string {
	if len(name) == 1 {
		return "-"
	}
	return "--"
}

// requiredFlags names the flags that a command cannot do without and did not get.
func requiredFlags(c *cobra.Command) []string {
	var names []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if _, required := f.Annotations[cobra.BashCompOneRequiredFlag]; required && !f.Changed {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}
