package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// misused says what is wrong with the command line itself, how the command is called, and
// where more is said. Nothing was done yet.
func (p *program) misused(c *cobra.Command, err error) {
	fmt.Fprintf(p.err, "%s: %s\n", p.text.of("error"), p.misuse(c, err))
	if s := suggestions(c); len(s) > 0 {
		fmt.Fprintf(p.err, "  "+p.text.of("usage.mean")+"\n", strings.Join(s, ", "))
	}
	fmt.Fprintf(p.err, "  "+p.text.of("usage.see")+"\n", useLine(c), c.CommandPath())
}

// misuse is the error in the language of the person.
func (p *program) misuse(c *cobra.Command, err error) string {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	args := c.Flags().Args()
	switch {
	case errors.As(err, &unknown):
		name := unknown.GetSpecifiedName()
		return fmt.Sprintf(p.text.of("usage.flag"), dashes(name)+name)
	case errors.As(err, &missing):
		return fmt.Sprintf(p.text.of("usage.value"), "--"+missing.GetFlag().Name)
	case errors.As(err, &invalid):
		return fmt.Sprintf(p.text.of("usage.bad value"), invalid.GetValue(), "--"+invalid.GetFlag().Name, invalid.Unwrap())
	case c.HasAvailableSubCommands() && len(args) > 0:
		return fmt.Sprintf(p.text.of("usage.command"), args[0])
	case c.ValidateRequiredFlags() != nil && c.ValidateArgs(args) == nil:
		return fmt.Sprintf(p.text.of("usage.required"), strings.Join(requiredFlags(c), ", "))
	case c.ValidateArgs(args) != nil:
		return fmt.Sprintf(p.text.of("usage.args"), len(args))
	default:
		return err.Error()
	}
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

// suggestions are the commands that may have been meant where there is none of the name.
func suggestions(c *cobra.Command) []string {
	if !c.HasAvailableSubCommands() || c.Flags().NArg() == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	var out []string
	for _, s := range c.SuggestionsFor(c.Flags().Arg(0)) {
		out = append(out, c.CommandPath()+" "+s)
	}
	return out
}

// useLine is how a command is called.
func useLine(c *cobra.Command) string {
	if c.HasAvailableSubCommands() {
		return c.CommandPath() + " COMMAND"
	}
	return c.UseLine()
}

// usage writes how a command is called: in place of cobra's own text, which writes
// "[=true|false]" behind every switch and knows no order but that of the alphabet.
func usage(c *cobra.Command) error {
	w := c.OutOrStderr()
	fmt.Fprintf(w, "Usage:\n  %s\n", useLine(c))
	if c.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", c.Example)
	}
	if c.HasAvailableSubCommands() {
		if err := usageCommands(c); err != nil {
			return err
		}
	}
	t := newTable(w)
	fmt.Fprint(t, "\nFlags:\n")
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			fmt.Fprintf(t, "%s\t%s\n", flagName(f), flagUsage(f))
		}
	})
	if err := t.Flush(); err != nil {
		return err
	}
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s COMMAND --help says more about a command.\n", c.CommandPath())
	}
	return nil
}

// usageCommands lists the commands below a command by their groups.
func usageCommands(c *cobra.Command) error {
	t := newTable(c.OutOrStderr())
	list := func(title, group string) {
		fmt.Fprintf(t, "\n%s:\n", title)
		for _, sub := range c.Commands() {
			if sub.GroupID == group && (sub.IsAvailableCommand() || sub.Name() == "help") {
				fmt.Fprintf(t, "  %s\t%s\n", sub.Name(), sub.Short)
			}
		}
	}
	for _, g := range c.Groups() {
		list(g.Title, g.ID)
	}
	if slices.ContainsFunc(c.Commands(), func(sub *cobra.Command) bool { return sub.GroupID == "" && sub.IsAvailableCommand() }) {
		list("Commands", "")
	}
	return t.Flush()
}

func flagName(f *pflag.Flag) string {
	s := "      --" + f.Name
	if f.Shorthand != "" {
		s = "  -" + f.Shorthand + ", --" + f.Name
	}
	kind, _ := pflag.UnquoteUsage(f)
	switch kind {
	case "":
		return s
	case "stringArray":
		kind = "string"
	}
	return s + " " + kind
}

func flagUsage(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	if slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
		return text
	}
	return text + " (default " + f.DefValue + ")"
}
