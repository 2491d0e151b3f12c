package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpMax is how wide help is at most: longer lines are hard to read.
const helpMax = 100

// speak translates the help of a command and of all below it. Nothing is to be done for
// English, in which it is written.
func (p *program) speak(c *cobra.Command) {
	if p.text.phrases == nil {
		return
	}
	c.Short, c.Long = p.text.in(c.Short), p.text.paragraphs(c.Long)
	for _, g := range c.Groups() {
		g.Title = p.text.in(g.Title)
	}
	c.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = p.text.flag(f.Usage) })
	for _, sub := range c.Commands() {
		p.speak(sub)
	}
}

// flag translates the text of a flag; the environment variable behind that of a setting
// stays as it is.
func (t text) flag(usage string) string {
	if said := t.in(usage); said != usage {
		return said
	}
	what, env := cutEnv(usage)
	return t.in(what) + env
}

// cutEnv cuts the name of an environment variable from the text of a flag, " (CULM_DATA)".
func cutEnv(usage string) (what, env string) {
	if i := strings.LastIndex(usage, " (CULM_"); i >= 0 && strings.HasSuffix(usage, ")") && !strings.Contains(usage[i+1:], " ") {
		return usage[:i], usage[i:]
	}
	return usage, ""
}

// help says what a command does and how it is called: in place of cobra's own text, which
// writes "[=true|false]" behind every switch, knows no order but that of the alphabet, and
// wraps nothing.
func (p *program) help(c *cobra.Command, _ []string) {
	c.InitDefaultHelpFlag()
	w := c.OutOrStdout()
	width := min(columns(w), helpMax)
	about := c.Long
	if about == "" {
		about = c.Short
	}
	for _, part := range splitParagraphs(about) {
		if strings.HasPrefix(part, " ") {
			fmt.Fprintln(w, part)
			continue
		}
		fmt.Fprintln(w, strings.Join(wrap(part, width), "\n"))
	}
	fmt.Fprintf(w, "\n%s\n  %s\n", p.text.in("Usage:"), p.useLine(c))
	if c.HasExample() {
		fmt.Fprintf(w, "\n%s\n%s\n", p.text.in("Examples:"), c.Example)
	}
	if c.HasAvailableSubCommands() {
		p.helpCommands(w, c, width)
	}
	var rows [][2]string
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			rows = append(rows, [2]string{p.flagName(f), p.flagUsage(f)})
		}
	})
	fmt.Fprintf(w, "\n%s\n%s", p.text.in("Flags:"), hanging(rows, width))
	if c.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\n%s\n", p.text.inf("%s COMMAND --help says more about a command.", c.CommandPath()))
	}
}

// helpCommands lists the commands below a command by their groups; the columns of all
// groups are one.
func (p *program) helpCommands(w io.Writer, c *cobra.Command, width int) {
	var titles []string
	var rows [][2]string
	var begins []int
	list := func(title, group string) {
		titles, begins = append(titles, title), append(begins, len(rows))
		for _, sub := range c.Commands() {
			if sub.GroupID == group && (sub.IsAvailableCommand() || sub.Name() == "help") {
				rows = append(rows, [2]string{"  " + sub.Name(), sub.Short})
			}
		}
	}
	for _, g := range c.Groups() {
		list(g.Title+p.text.in(":"), g.ID)
	}
	if slices.ContainsFunc(c.Commands(), func(sub *cobra.Command) bool { return sub.GroupID == "" && sub.IsAvailableCommand() }) {
		list(p.text.in("Commands:"), "")
	}
	names := 0
	for _, row := range rows {
		names = max(names, len(row[0]))
	}
	for i := range rows {
		rows[i][0] += strings.Repeat(" ", names-len(rows[i][0]))
	}
	for i, title := range titles {
		end := len(rows)
		if i+1 < len(begins) {
			end = begins[i+1]
		}
		fmt.Fprintf(w, "\n%s\n%s", title, hanging(rows[begins[i]:end], width))
	}
}

// useLine is how a command is called.
func (p *program) useLine(c *cobra.Command) string {
	if c.HasAvailableSubCommands() {
		return c.CommandPath() + " " + p.text.in("COMMAND")
	}
	return strings.Replace(c.UseLine(), "[flags]", p.text.in("[flags]"), 1)
}

func (p *program) flagName(f *pflag.Flag) string {
	s := "      --" + f.Name
	if f.Shorthand != "" {
		s = "  -" + f.Shorthand + ", --" + f.Name
	}
	kind, _ := pflag.UnquoteUsage(f)
	switch {
	case kind == "", f.NoOptDefVal == "true":
		return s
	case kind == "stringArray":
		kind = "string"
	}
	return s + " " + p.text.in(kind)
}

func (p *program) flagUsage(f *pflag.Flag) string {
	if f.Name == "help" {
		return p.text.in("show this help")
	}
	_, usage := pflag.UnquoteUsage(f)
	usage, _ = cutEnv(usage) // by a rule that is said above
	if slices.Contains([]string{"", "false", "0", "-1", "0s", "[]"}, f.DefValue) {
		return usage
	}
	return usage + p.text.inf(" (default %s)", shortDuration(f.DefValue))
}

// shortDuration writes 168h0m0s as 168h; other values stay as they are.
func shortDuration(s string) string {
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// helpOn makes culm help: cobra's own knows English only, and ends well for a command that
// there is not.
func (p *program) helpOn(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() != "help" {
			continue
		}
		c.Short, c.Long = "Say more about a command", ""
		c.Use, c.Example = "help [COMMAND]...", "  culm help plugin install"
		c.Run = nil
		c.RunE = func(_ *cobra.Command, args []string) error {
			of, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				fmt.Fprintln(p.err, p.text.labelled(p.text.of("error"), fmt.Sprintf(p.text.of("usage.command"), rest[0])))
				p.suggest(of, rest[0])
				p.see(of)
				return &exitError{code: exitRefused}
			}
			return of.Help()
		}
	}
}
