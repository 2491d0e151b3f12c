package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
)

func (p *program) pluginVersions() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "versions PLUGIN",
		Example: "  culm plugin versions ticket",
		Short:   "List the versions of a plugin in a running server",
		Args:    cobra.ExactArgs(1),
	}
	connect := p.serverFlag(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect()
		if err != nil {
			return err
		}
		vs, err := cl.Versions(c.Context(), args[0])
		if err != nil {
			return err
		}
		if asJSON {
			return p.json(vs)
		}
		w := newTable(p.out)
		for _, v := range vs {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Version, p.versionState(v), p.voucher(v), p.inMemory(v), v.Digest)
			for _, h := range v.Held {
				fmt.Fprintf(w, "\t%s\t\t\t\n", fmt.Sprintf(p.text.of("hold."+string(h.Code)), h.Detail))
			}
		}
		return failed(w.Flush())
	}
	return c
}

// inMemory says what a version takes in memory at the moment.
func (p *program) inMemory(v plugins.Module) string {
	if v.Loaded == nil {
		return p.text.of("loaded.not")
	}
	mb := func(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
	if v.Loaded.Workers == 0 {
		return fmt.Sprintf(p.text.of("loaded.server"), mb(v.Loaded.ServerBytes))
	}
	return fmt.Sprintf(p.text.of("loaded.workers"), mb(v.Loaded.ServerBytes+v.Loaded.WorkerBytes), v.Loaded.Workers)
}

// pluginChanges are the commands that change the state of a version.
func (p *program) pluginChanges() []*cobra.Command {
	return []*cobra.Command{
		p.pluginChange(plugins.ChangeApprove, "Let a version be used that waits for a review, or that was blocked",
			"The version becomes the latest, unless a higher one was in use."),
		p.pluginChange(plugins.ChangeActivate, "Make a version the one that new runs take",
			"An older version than one that was in use needs --override."),
		p.pluginChange(plugins.ChangeWithdraw, "Take a version from new runs",
			"Runs that started with the version go on with it."),
		p.pluginChange(plugins.ChangeBlock, "End every use of a version at the next node",
			"Runs that started with the version fail at their next node of this plugin."),
	}
}

func (p *program) pluginChange(what plugins.Change, short, long string) *cobra.Command {
	var reason string
	var override, asJSON bool
	c := &cobra.Command{
		Use:     string(what) + " PLUGIN VERSION|latest|DIGEST",
		Example: "  culm plugin " + string(what) + " ticket 1.2.0 --reason 'change 4711'",
		Short:   short,
		Long:    short + ", in a running server.\n" + long,
		Args:    cobra.ExactArgs(2),
	}
	connect := p.serverFlag(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	if what == plugins.ChangeApprove || what == plugins.ChangeActivate {
		c.Flags().BoolVar(&override, "override", false, "let a version become the latest that is older than one that was in use")
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect()
		if err != nil {
			return err
		}
		digest, err := p.findVersion(c, cl, args[0], args[1])
		if err != nil {
			return err
		}
		m, err := cl.Change(c.Context(), plugins.ChangeRequest{
			Plugin: args[0], Digest: digest, Change: what, Override: override, Reason: reason,
		})
		if err != nil {
			return err
		}
		if asJSON {
			return p.json(m)
		}
		if err := p.showVersion(m); err != nil {
			return err
		}
		return p.explainChange(c.Context(), cl, m)
	}
	return c
}

// explainChange says what a change leaves to be done: a plugin without a version in use,
// or one that asks for what nobody granted.
func (p *program) explainChange(ctx context.Context, cl *client.Client, m plugins.Module) error {
	if m.Latest {
		if m.Manifest != nil && len(m.Manifest.Needs) > 0 {
			p.next("culm plugin grant %s", m.Plugin)
		}
		return nil
	}
	vs, err := cl.Versions(ctx, m.Plugin)
	if err != nil || slices.ContainsFunc(vs, func(v plugins.Module) bool { return v.Latest }) {
		return err
	}
	fmt.Fprintf(p.err, p.text.of("ver.none")+"\n", m.Plugin)
	return nil
}

// shortDigest is how much of a digest tells builds apart, for people.
const shortDigest = len("sha256:") + 12

// findVersion returns the digest of the version that a person named by its number, by
// "latest", or by the digest or the beginning of it. A name that fits several is refused
// with what they are: while a plugin is written, one version is built many times.
func (p *program) findVersion(c *cobra.Command, cl *client.Client, plugin, name string) (digest string, err error) {
	vs, err := cl.Versions(c.Context(), plugin)
	if err != nil {
		return "", err
	}
	var found, all []string
	for _, v := range vs {
		if all = append(all, v.Version); v.Version != name && (name != "latest" || !v.Latest) &&
			(!strings.HasPrefix(name, "sha256:") || !strings.HasPrefix(v.Digest, name)) {
			continue
		}
		found = append(found, fmt.Sprintf("%s (%s)", v.Digest[:min(len(v.Digest), shortDigest)], p.versionState(v)))
		if len(found) == 1 {
			digest = v.Digest
		}
	}
	switch len(found) {
	case 0:
		return "", sayAs(fault.NotFound, "plugin %s has no version %q; it has %s", plugin, name, strings.Join(slices.Compact(all), ", "))
	case 1:
		return digest, nil
	default:
		return "", sayAs(fault.Invalid, "plugin %s has %d builds of %s; name one by its digest:\n  %s", plugin, len(found), name, strings.Join(found, "\n  "))
	}
}

func (p *program) pluginHistory() *cobra.Command {
	var asJSON bool
	var limit int
	c := &cobra.Command{
		Use:   "history PLUGIN",
		Short: "Show what was done with a plugin in a running server, the newest first",
		Args:  cobra.ExactArgs(1),
	}
	connect := p.serverFlag(c)
	c.Flags().IntVar(&limit, "limit", 50, "how many entries, at most 200")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect()
		if err != nil {
			return err
		}
		es, err := cl.History(c.Context(), args[0], limit)
		if err != nil {
			return err
		}
		if asJSON {
			return p.json(es)
		}
		w := newTable(p.out)
		for _, e := range es {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.At.UTC().Format(time.RFC3339), e.Actor.ID, p.text.of("event."+string(e.Kind)),
				e.Version, e.Digest[:min(len(e.Digest), shortDigest)], p.text.recognised(e.Detail))
		}
		return failed(w.Flush())
	}
	return c
}

func (p *program) pluginKeys() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "keys",
		Short: "List the keys that a running server trusts",
		Args:  cobra.NoArgs,
	}
	connect := p.serverFlag(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		cl, err := connect()
		if err != nil {
			return err
		}
		t, err := cl.Trust(c.Context())
		if err != nil {
			return err
		}
		return p.showTrust(t, asJSON)
	}
	return c
}

func (p *program) pluginRevoke() *cobra.Command {
	var asJSON bool
	var reason string
	c := &cobra.Command{
		Use:   "revoke KEY-ID",
		Short: "End a running server's trust in a key",
		Long: "End a running server's trust in a key, from the next node on. Where signatures are required,\n" +
			"nothing runs any more that only this key signed. It cannot be taken back: a publisher makes\n" +
			"a new key and signs again.",
		Args: cobra.ExactArgs(1),
	}
	connect := p.serverFlag(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for the history")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect()
		if err != nil {
			return err
		}
		t, err := cl.RevokeKey(c.Context(), args[0], reason)
		if err != nil {
			return err
		}
		return p.showTrust(t, asJSON)
	}
	return c
}

func (p *program) showTrust(t plugins.TrustView, asJSON bool) error {
	if asJSON {
		return p.json(t)
	}
	w := newTable(p.out)
	fmt.Fprintf(w, "%s\t%s\t\t\n", p.text.of("policy"), p.text.of("policy."+string(t.Policy)))
	for _, k := range t.Keys {
		state := ""
		if k.Revoked {
			state = p.text.of("revoked")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, k.Publisher, strings.Join(k.Plugins, " "), state)
	}
	return failed(w.Flush())
}
