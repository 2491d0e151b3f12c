package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
)

func (p *program) systemApply() *cobra.Command {
	var o systemOptions
	c := &cobra.Command{
		Use:   "apply FILE.yaml",
		Short: "Create or replace a system from its document, and show what was changed",
		Long: "Create or replace a system from its document. An operation that is switched off stays off;\n" +
			"one that was granted to a plugin and now reaches or takes more is switched off, until\n" +
			"culm system enable; the grants of an operation that goes, go with it.",
		Example: "  culm system apply ticket.yaml\n  culm system get ticket | culm system apply -",
		Args:    cobra.ExactArgs(1),
	}
	at := p.onSystems(c, &o)
	c.RunE = func(c *cobra.Command, args []string) error {
		doc, err := p.readSystem(args[0])
		if err != nil {
			return err
		}
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			d, err := at.DiffSystem(ctx, o.project, doc)
			if err != nil {
				return err
			}
			view, err := at.PutSystem(ctx, o.project, doc)
			if err != nil {
				return err
			}
			if o.asJSON {
				return p.json(view)
			}
			return p.printDifference(d, p.text.of("sys.applied"), view.Version)
		})
	}
	return c
}

func (p *program) systemDiff() *cobra.Command {
	var o systemOptions
	c := &cobra.Command{
		Use:     "diff FILE.yaml",
		Short:   "Show what culm system apply would change",
		Long:    "Show what culm system apply would change.\n\nExit codes: 0 nothing, 1 something, 2 the input was refused.",
		Example: "  culm system diff ticket.yaml",
		Args:    cobra.ExactArgs(1),
	}
	at := p.onSystems(c, &o)
	c.RunE = func(c *cobra.Command, args []string) error {
		doc, err := p.readSystem(args[0])
		if err != nil {
			return err
		}
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			d, err := at.DiffSystem(ctx, o.project, doc)
			if err != nil {
				return err
			}
			if o.asJSON {
				err = p.json(d)
			} else {
				err = p.printDifference(d, p.text.of("sys.stored"), d.Version)
			}
			if err == nil && len(d.Changes)+len(d.Fields) > 0 {
				return &exitError{code: exitFailed}
			}
			return err
		})
	}
	return c
}

func (p *program) readSystem(file string) (*systems.System, error) {
	content, err := p.read(file)
	if err != nil {
		return nil, err
	}
	doc, err := systems.Parse(content)
	if err != nil {
		return nil, say("%s is not valid:\n%s", file, err)
	}
	return doc, nil
}

func (p *program) systemGet() *cobra.Command {
	var o systemOptions
	c := &cobra.Command{
		Use:     "get SYSTEM",
		Short:   "Print the document of a system as YAML, or as JSON with --json",
		Example: "  culm system get ticket > ticket.yaml",
		Args:    cobra.ExactArgs(1),
	}
	at := p.onSystems(c, &o)
	c.RunE = func(c *cobra.Command, args []string) error {
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			doc, err := at.SystemDocument(ctx, o.project, args[0])
			if err != nil {
				return err
			}
			if o.asJSON {
				return p.json(doc)
			}
			text, err := asYAML(doc)
			if err != nil {
				return failed(err)
			}
			_, err = p.out.Write(text)
			return failed(err)
		})
	}
	return c
}

// asYAML writes what marshals to JSON as YAML, in the same order.
func asYAML(v any) ([]byte, error) {
	js, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var n yaml.Node
	if err := yaml.Unmarshal(js, &n); err != nil {
		return nil, err
	}
	var plain func(n *yaml.Node)
	plain = func(n *yaml.Node) {
		n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
		for _, c := range n.Content {
			plain(c)
		}
	}
	plain(&n)
	return yaml.Marshal(&n)
}

func (p *program) systemDelete() *cobra.Command {
	var o systemOptions
	var revoke bool
	c := &cobra.Command{
		Use:     "delete SYSTEM",
		Short:   "Delete a system",
		Long:    "Delete a system. One that plugins were granted operations of is kept, unless --revoke takes\nthe grants away with it. Its history stays.",
		Example: "  culm system delete ticket\n  culm system delete ticket --revoke",
		Args:    cobra.ExactArgs(1),
	}
	at := p.onSystems(c, &o)
	c.Flags().BoolVar(&revoke, "revoke", false, "take the grants of its operations away")
	c.RunE = func(c *cobra.Command, args []string) error {
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			if err := at.DeleteSystem(ctx, o.project, args[0], revoke); err != nil {
				return err
			}
			if o.asJSON {
				return p.json(map[string]string{"deleted": args[0]})
			}
			fmt.Fprintf(p.out, "%s %s\n", args[0], p.text.of("sys.deleted"))
			return nil
		})
	}
	return c
}

func (p *program) systemHistory() *cobra.Command {
	var o systemOptions
	c := &cobra.Command{
		Use:     "history SYSTEM",
		Short:   "Show what was changed in a system, the newest first",
		Example: "  culm system history ticket",
		Args:    cobra.ExactArgs(1),
	}
	at := p.onSystems(c, &o)
	c.RunE = func(c *cobra.Command, args []string) error {
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			all, err := at.SystemVersions(ctx, o.project, args[0], page.Query{Limit: page.LimitMax})
			if err != nil {
				return err
			}
			if o.asJSON {
				return p.json(all.Items)
			}
			w := newTable(p.out)
			for _, e := range all.Items {
				fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\n", e.Version, e.At.UTC().Format(time.RFC3339), e.Actor, p.text.of("sys."+string(e.Action)), p.summary(e.Summary))
			}
			return failed(w.Flush())
		})
	}
	return c
}

// summary says in a line what a version changed.
func (p *program) summary(s registry.Summary) string {
	var parts []string
	for _, c := range []struct {
		n   int
		key string
	}{
		{s.Added, "sys.added"},
		{s.Changed, "sys.changed"},
		{s.Removed, "sys.removed"},
		{len(s.Enabled), "sys.on"},
		{len(s.Disabled), "sys.off"},
		{s.Revoked, "sys.revoked"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, p.text.of(c.key)))
		}
	}
	for _, f := range s.Fields {
		parts = append(parts, f.Field)
	}
	return strings.Join(parts, ", ")
}

// printDifference prints the changes of a system, a line each, and the differences of an
// operation below it; "!" marks what is wider than before.
func (p *program) printDifference(d registry.Difference, what string, version int) error {
	w := newTable(p.out)
	for _, f := range d.Fields {
		fmt.Fprintf(w, "~\t%s\t%s → %s\t\n", f.Field, f.From, f.To)
	}
	signs := map[systems.Kind]string{systems.Added: "+", systems.Changed: "~", systems.Removed: "-"}
	for _, c := range d.Changes {
		fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\n", signs[c.Kind], c.Operation, c.Method, c.Path, p.fate(c))
		for _, f := range c.Fields {
			mark := " "
			if f.Wider {
				mark = "!"
			}
			change := ""
			if f.From != "" || f.To != "" {
				change = f.From + " → " + f.To
			}
			fmt.Fprintf(w, "\t  %s %s\t%s\t\n", mark, f.Field, change)
		}
	}
	if err := w.Flush(); err != nil {
		return failed(err)
	}
	fmt.Fprintln(p.out, p.text.labelled(d.System, fmt.Sprintf(what, version, d.Unchanged)))
	return nil
}

// fate says what becomes of an operation.
func (p *program) fate(c systems.Change) string {
	state := p.text.of("sys.off")
	switch {
	case c.Kind == systems.Removed:
		state = p.text.of("sys.gone")
	case c.Enabled:
		state = p.text.of("sys.on")
	}
	if len(c.Plugins) > 0 {
		state += " (" + p.text.of("sys.granted") + " " + strings.Join(c.Plugins, ", ") + ")"
	}
	return state
}

// systemWords are the texts of the system commands: English, Chinese.
func systemWords() map[string][2]string {
	return map[string][2]string{
		"sys.applied": {"version %d stored, %d operations as before", "已保存版本 %d，%d 个接口不变"},
		"sys.stored":  {"against version %d, %d operations as before", "与版本 %d 比较，%d 个接口不变"},
		"sys.plan":    {"nothing was stored; --apply imports it against version %d, %d operations as before", "未保存；使用 --apply 导入，基于版本 %d，%d 个接口不变"},
		"sys.deleted": {"deleted", "已删除"},
		"sys.put":     {"put", "保存"}, "sys.import": {"imported", "导入"}, "sys.enable": {"switched", "开关接口"}, "sys.delete": {"deleted", "删除"},
		"sys.added": {"added", "新增"}, "sys.changed": {"changed", "变更"}, "sys.removed": {"removed", "移除"},
		"sys.on": {"enabled", "启用"}, "sys.off": {"disabled", "停用"}, "sys.gone": {"removed", "移除"},
		"sys.revoked": {"grants taken away", "项授权收回"},
		"sys.granted": {"granted to", "已授权给"},
		"sys.skipped": {"cannot be called", "无法调用"},
		"sys.left":    {"left out", "已略去"},
		"sys.enabled": {"%d of %d operations are enabled", "%d / %d 个接口已启用"},
		"sys.none":    {"no systems in project %s; culm system apply FILE.yaml registers one", "项目 %s 还没有登记系统；用 culm system apply FILE.yaml 登记"},
	}
}
