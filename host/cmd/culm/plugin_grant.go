package main

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
)

func (p *program) pluginGrant() *cobra.Command {
	var project string
	var remove, asJSON bool
	c := &cobra.Command{
		Use:   "grant PLUGIN [SYSTEM/OPERATION]...",
		Short: "Let a plugin call operations in a project, or show what it asks for and has",
		Long: "Let a plugin call operations in a project of a running server. Without operations, show what\n" +
			"the plugin asks for and what it was granted. A grant taken away ends at the next call.",
		Example: "  culm plugin grant ticket cmdb/list_hosts --project ops\n  culm plugin grant ticket cmdb/list_hosts --remove",
		Args:    cobra.MinimumNArgs(1),
	}
	connect := p.serverFlag(c)
	c.Flags().StringVar(&project, "project", app.DefaultProject(false), "the project")
	c.Flags().BoolVar(&remove, "remove", false, "take the operations away")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect()
		if err != nil {
			return err
		}
		changes, err := grantsOf(args[1:])
		if err != nil {
			return err
		}
		view, err := cl.Plugin(c.Context(), project, args[0])
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			if view, err = cl.Grant(c.Context(), project, args[0], changed(view.Grants, changes, remove)); err != nil {
				return err
			}
		}
		if asJSON {
			return p.json(view)
		}
		return p.showGrants(view)
	}
	return c
}

// grantsOf reads SYSTEM/OPERATION.
func grantsOf(names []string) ([]plugins.Grant, error) {
	var out []plugins.Grant
	for _, n := range names {
		system, operation, ok := strings.Cut(n, "/")
		if !ok || system == "" || operation == "" {
			return nil, fault.New(fault.Invalid, "%q is not SYSTEM/OPERATION", n)
		}
		out = append(out, plugins.Grant{System: system, Operation: operation})
	}
	return out, nil
}

// changed adds grants to those that there are, or takes them away.
func changed(have, changes []plugins.Grant, remove bool) []plugins.Grant {
	out := slices.DeleteFunc(slices.Clone(have), func(g plugins.Grant) bool { return slices.Contains(changes, g) })
	if remove {
		return append([]plugins.Grant{}, out...)
	}
	return append(out, changes...)
}

func (p *program) showGrants(view plugins.Plugin) error {
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "plugin\t%s %s\n", view.ID, view.Version)
	for _, n := range view.Manifest.Needs {
		fmt.Fprintf(w, "%s\t%s/%s\n", p.text.of("asks"), n.System, n.Operation)
	}
	for _, g := range view.Grants {
		fmt.Fprintf(w, "%s\t%s/%s\n", p.text.of("granted"), g.System, g.Operation)
	}
	return failed(w.Flush())
}
