package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/host/systems/openapi"
)

func (p *program) systemImport() *cobra.Command {
	var o systemOptions
	var r registry.ImportRequest
	c := &cobra.Command{
		Use:   "import SYSTEM [OPENAPI]",
		Short: "Import the operations of a system from an OpenAPI 3.0 or 3.1 document",
		Long: "Import the operations of a system from an OpenAPI document (JSON or YAML), or from a contract\n" +
			"that comes with the program. Without --apply, show what would be changed and store nothing.\n\n" +
			"New operations are disabled, unless --enable says otherwise. An operation that reaches or takes\n" +
			"more than before is switched off; one that the document has no more is, too, or goes with its\n" +
			"grants (--removed delete). What was set by hand stays: limits, rules, retry classes, risks.",
		Example: "  culm system import github api.github.com.json --enable read\n" +
			"  culm system import github api.github.com.json --enable read --apply\n" +
			"  culm system import bk-cmdb --contract bk-cmdb --base-url https://bkapi.example.com/api/bk-cmdb/prod --apply",
		Args: cobra.RangeArgs(1, 2),
	}
	at := p.onSystems(c, &o)
	f := c.Flags()
	f.StringVar(&r.Contract, "contract", "", "a contract that comes with the program, instead of a document (culm system contracts)")
	f.StringVar(&r.BaseURL, "base-url", "", "where the system is; by default as stored, or the first server of the document")
	f.StringVar(&r.Enable, "enable", registry.EnableNone, "which new operations are enabled: none, read or all")
	f.StringVar(&r.Removed, "removed", registry.RemovedDisable, "what becomes of operations that are gone: disable or delete")
	f.BoolVar(&r.Apply, "apply", false, "store the result")
	c.RunE = func(c *cobra.Command, args []string) error {
		r.ID = args[0]
		if len(args) == 2 {
			content, err := p.readAtMost(args[1], openapi.MaxBytes)
			if err != nil {
				return err
			}
			r.Document = string(content)
		}
		if (r.Document == "") == (r.Contract == "") {
			return say("either a document or --contract is needed")
		}
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			r.Project = o.project // known only now: it may be the server's
			return p.importSystem(ctx, at, r, o.asJSON)
		})
	}
	return c
}

// importSystem finds out what an import changes, and applies exactly that.
func (p *program) importSystem(ctx context.Context, at systemsAt, r registry.ImportRequest, asJSON bool) error {
	apply := r.Apply
	r.Apply = false
	result, err := at.ImportSystem(ctx, r)
	if err != nil {
		return err
	}
	what := p.text.of("sys.plan")
	if apply {
		r.Apply, r.Version = true, result.Version
		if result, err = at.ImportSystem(ctx, r); err != nil {
			return err
		}
		what = p.text.of("sys.applied")
	}
	if asJSON {
		return p.json(result)
	}
	for _, s := range result.Skipped {
		word := p.text.of("sys.skipped")
		if s.Part != "" {
			word = p.text.of("sys.left") + ": " + s.Part
		}
		fmt.Fprintf(p.err, "%s %s: %s: %s\n", s.Method, s.Path, word, s.Reason)
	}
	return p.printDifference(result.Difference, what, result.Version)
}

func (p *program) systemContracts() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "contracts",
		Short: "List the OpenAPI documents of systems that come with the program",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all, err := systems.Contracts()
			if err != nil {
				return failed(err)
			}
			if asJSON {
				return p.json(all)
			}
			w := newTable(p.out)
			for _, c := range all {
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.ID, c.Title.In(p.text.lang), c.Success.Rule)
			}
			return failed(w.Flush())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) systemOperations() *cobra.Command {
	var o systemOptions
	var q registry.OperationQuery
	var group string
	c := &cobra.Command{
		Use:     "operations SYSTEM [WORD]...",
		Aliases: []string{"ops"},
		Short:   "List the operations of a system; words narrow the list",
		Example: "  culm system operations github issue comment --state disabled",
		Args:    cobra.MinimumNArgs(1),
	}
	at := p.onSystems(c, &o)
	c.Flags().StringVar(&group, "group", "", "only those of a group")
	c.Flags().StringVar(&q.State, "state", "", "only those that are enabled, disabled, or changed")
	c.RunE = func(c *cobra.Command, args []string) error {
		q.System, q.Search = args[0], joined(args[1:])
		if c.Flags().Changed("group") {
			q.Group = &group
		}
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			q.Project = o.project
			var all []registry.OperationView
			for q.Page = (page.Query{Limit: page.LimitMax}); ; {
				got, err := at.Operations(ctx, q)
				if err != nil {
					return err
				}
				all = append(all, got.Items...)
				if q.Page.Cursor = got.Next; got.Next == "" {
					break
				}
			}
			if o.asJSON {
				return p.json(all)
			}
			return p.printOperations(all)
		})
	}
	return c
}

func joined(words []string) string {
	out := ""
	for _, w := range words {
		out += w + " "
	}
	return out
}

func (p *program) printOperations(all []registry.OperationView) error {
	w := newTable(p.out)
	for _, o := range all {
		state := p.text.of("sys.on")
		if !o.Enabled {
			state = p.text.of("sys.off")
		}
		if o.DisabledBy != "" {
			state += " (" + string(o.DisabledBy) + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\n", o.ID, o.Group, o.Method, o.Path, o.Risk, state)
	}
	return failed(w.Flush())
}

func (p *program) systemSwitch(on bool) *cobra.Command {
	var o systemOptions
	var group string
	use, short := "disable", "Switch operations of a system off: nobody can call them"
	if on {
		use, short = "enable", "Switch operations of a system on"
	}
	c := &cobra.Command{
		Use:     use + " SYSTEM [OPERATION]...",
		Short:   short,
		Example: "  culm system " + use + " github repos_get\n  culm system " + use + " github --group issues",
		Args:    cobra.MinimumNArgs(1),
	}
	at := p.onSystems(c, &o)
	c.Flags().StringVar(&group, "group", "", "all operations of a group")
	c.RunE = func(c *cobra.Command, args []string) error {
		r := registry.EnableRequest{System: args[0], Operations: args[1:], Enabled: on}
		if c.Flags().Changed("group") {
			r.Group = &group
		}
		if len(r.Operations) == 0 && r.Group == nil {
			return say("name operations, or a --group")
		}
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			r.Project = o.project
			v, err := at.EnableOperations(ctx, r)
			if err != nil {
				return err
			}
			if o.asJSON {
				return p.json(v)
			}
			enabled := 0
			for _, g := range v.Groups {
				enabled += g.Enabled
			}
			fmt.Fprintln(p.out, p.text.labelled(v.ID, fmt.Sprintf(p.text.of("sys.enabled"), enabled, len(v.Operations))))
			return nil
		})
	}
	return c
}
