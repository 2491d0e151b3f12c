package main

import (
	"bufio"
	"context"
	"encoding/json"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/audit"
)

func (p *program) auditExport() *cobra.Command {
	var o auditOptions
	var part audit.Range
	var from, to string
	c := &cobra.Command{
		Use:   "export",
		Short: "Write the log as JSON lines",
		Long: "Write the log to standard output, one JSON object a line: the entry as it was written, and its hash.\n" +
			"The file of a whole log can be verified by itself. One of chosen entries cannot: others are left out.\n\n" +
			"Times are instants such as 2026-11-22T09:00:00Z; what began at --from is there, what began at\n" +
			"--to is not.",
		Example: "  culm audit export --data /var/lib/culm --after 120000 >> audit.jsonl\n" +
			"  culm audit export --from 2026-11-01T00:00:00+08:00 --to 2026-12-01T00:00:00+08:00 --kind call --outcome refused",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if part.Filter.From, err = instant("from", from); err != nil {
				return err
			}
			if part.Filter.To, err = instant("to", to); err != nil {
				return err
			}
			if err := part.Check(); err != nil {
				return err
			}
			return p.exportAudit(c.Context(), o, part)
		},
	}
	o.common(c)
	flags, f := c.Flags(), &part.Filter
	flags.Int64Var(&part.After, "after", 0, "begin behind the entry with this number")
	flags.Int64Var(&part.Through, "through", 0, "end with the entry with this number")
	flags.StringVar(&from, "from", "", "only what began at this instant or later")
	flags.StringVar(&to, "to", "", "only what began before this instant")
	flags.StringVar((*string)(&f.Kind), "kind", "", "only one kind: call, admin, callback or log")
	flags.StringVar((*string)(&f.Outcome), "outcome", "", "only what ended so: ok, refused or failed")
	for _, t := range []struct {
		to          *string
		name, usage string
	}{
		{&f.Project, "project", "only the entries of a project"},
		{&f.System, "system", "only what concerns a system"},
		{&f.Operation, "operation", "only what concerns an operation"},
		{&f.Run, "run", "only what concerns a run"},
		{&f.Node, "node", "only what concerns a node"},
		{&f.Plugin, "plugin", "only what a plugin did"},
		{&f.Actor, "actor", "only what somebody did"},
		{&f.Action, "action", "only one action, such as systems.put"},
	} {
		flags.StringVar(t.to, t.name, "", t.usage)
	}
	return c
}

// instant reads a flag that is a time; the zero Time is none.
func instant(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, say("--%s must be an instant, such as 2026-11-22T09:00:00Z", name)
	}
	return t, nil
}

func (p *program) exportAudit(ctx context.Context, o auditOptions, part audit.Range) error {
	out := bufio.NewWriter(p.out)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for l, err := range o.lines(ctx, p) {
		if err != nil {
			return err
		}
		var e audit.Entry
		// What cannot be read is exported: to verify is for others.
		if err := json.Unmarshal(l.Entry, &e); err == nil && !part.Holds(e) {
			continue
		}
		if err := enc.Encode(l); err != nil {
			return failed(err)
		}
	}
	return failed(out.Flush())
}
