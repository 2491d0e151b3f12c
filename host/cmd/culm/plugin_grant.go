package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/pdk/contract"
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
	connect := p.projectFlags(c, &project)
	c.Flags().BoolVar(&remove, "remove", false, "take the operations away")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		changes, err := grantsOf(args[1:])
		if err != nil {
			return err
		}
		cl, err := connect(c.Context())
		if err != nil {
			return err
		}
		view, err := cl.Plugin(c.Context(), project, args[0])
		if err != nil {
			return err
		}
		if err := askedFor(view, changes, remove); err != nil {
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
		return p.showGrants(view, project)
	}
	return c
}

// pluginSwitch makes the commands enable and disable.
func (p *program) pluginSwitch(on bool) *cobra.Command {
	var project string
	var asJSON bool
	c := &cobra.Command{
		Use:   "disable PLUGIN",
		Short: "Switch a plugin off in a project",
		Long: "Switch a plugin off in a project of a running server: it is not offered there any more, and\n" +
			"no flow that uses it can be published or started. Runs that have started go on; block the\n" +
			"version to stop those, too.",
		Example: "  culm plugin disable ticket --project ops",
		Args:    cobra.ExactArgs(1),
	}
	if on {
		c.Use, c.Short, c.Example = "enable PLUGIN", "Switch a plugin on again in a project", "  culm plugin enable ticket --project ops"
		c.Long = c.Short + " of a running server."
	}
	connect := p.projectFlags(c, &project)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect(c.Context())
		if err != nil {
			return err
		}
		view, err := cl.EnablePlugin(c.Context(), project, args[0], on)
		if err != nil {
			return err
		}
		if asJSON {
			return p.json(view)
		}
		return p.showGrants(view, project)
	}
	return c
}

// grantsOf reads SYSTEM/OPERATION.
func grantsOf(names []string) ([]plugins.Grant, error) {
	var out []plugins.Grant
	for _, n := range names {
		system, operation, ok := strings.Cut(n, "/")
		if !ok || system == "" || operation == "" {
			return nil, sayAs(fault.Invalid, "%q is not SYSTEM/OPERATION", n)
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

// askedFor refuses what a plugin does not ask for, and says what it asks for. The server
// would refuse it, too.
func askedFor(view plugins.Plugin, changes []plugins.Grant, remove bool) error {
	for _, g := range changes {
		switch {
		case remove && !slices.Contains(view.Grants, g):
			return sayAs(fault.Invalid, "plugin %s was not granted %s/%s", view.ID, g.System, g.Operation)
		case remove || slices.ContainsFunc(view.Manifest.Needs, func(n contract.Need) bool { return plugins.Covers(n, g) }):
		case len(view.Manifest.Needs) == 0:
			return sayAs(fault.Invalid, "plugin %s does not ask for %s/%s: it asks for nothing", view.ID, g.System, g.Operation)
		default:
			return sayAs(fault.Invalid, "plugin %s does not ask for %s/%s: it asks for %s", view.ID, g.System, g.Operation, needsText(view.Manifest.Needs))
		}
	}
	return nil
}

func needsText(needs []contract.Need) string {
	names := make([]string, 0, len(needs))
	for _, n := range needs {
		names = append(names, n.System+"/"+n.Operation)
	}
	return strings.Join(names, ", ")
}

// showGrants shows what a plugin asks for and whether it has it, and how it gets the rest.
func (p *program) showGrants(view plugins.Plugin, project string) error {
	w := newTable(p.out)
	fmt.Fprintf(w, "%s\t%s %s\n", p.text.of("plugin"), view.ID, view.Version)
	in := project
	if !view.Enabled {
		in += p.text.of("comma") + p.text.of("switched off")
	}
	fmt.Fprintf(w, "%s\t%s\n", p.text.of("project"), in)
	shown := map[plugins.Grant]bool{}
	var missing []string
	for _, n := range view.Manifest.Needs {
		asked := n.System + "/" + n.Operation
		state := p.text.of("not granted")
		for _, g := range view.Grants {
			if !plugins.Covers(n, g) {
				continue
			}
			state = p.text.of("granted")
			shown[g] = shown[g] || n == contract.Need(g)
		}
		if state != p.text.of("granted") && !strings.Contains(asked, "*") {
			missing = append(missing, asked)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.text.of("asks"), asked, state)
	}
	for _, g := range view.Grants {
		if !shown[g] { // one operation of those that a "*" asks for, or what an older version asked for
			fmt.Fprintf(w, "%s\t%s/%s\n", p.text.of("granted"), g.System, g.Operation)
		}
	}
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	if len(missing) > 0 {
		p.next("culm plugin grant %s %s --project %s", view.ID, strings.Join(missing, " "), project)
	}
	return nil
}

// next says on standard error what is done next, so that what a command prints stays as it is.
func (p *program) next(format string, args ...any) {
	fmt.Fprintf(p.err, p.text.of("then")+"\n", fmt.Sprintf(format, args...))
}
