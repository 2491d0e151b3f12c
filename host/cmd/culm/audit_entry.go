package main

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/audit"
)

// entryKey is the key of the entry of the command that runs.
type entryKey struct{}

// withEntry returns the context of a command: with what the audit says of it, should it
// change something. Arguments are never secrets: every user of the machine can read them.
func withEntry(c *cobra.Command, args []string) context.Context {
	words := strings.Fields(c.CommandPath())
	var flags []string
	c.Flags().Visit(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	detail, err := json.Marshal(struct {
		Args  []string `json:"args,omitempty"`
		Flags []string `json:"flags,omitempty"`
	}{args, flags})
	if err != nil {
		detail = nil
	}
	return context.WithValue(c.Context(), entryKey{}, audit.Entry{Action: strings.Join(append([]string{"cli"}, words[1:]...), "."), Detail: detail})
}

// audited returns a context in which what a command changes in a data directory is audited.
func audited(ctx context.Context, core *app.Core, project string) context.Context {
	e, _ := ctx.Value(entryKey{}).(audit.Entry)
	e.Actor, e.Project = core.Actor().ID, project
	return core.Audit.Watch(ctx, e)
}
