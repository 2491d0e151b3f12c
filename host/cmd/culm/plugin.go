package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/pdk/contract"
)

// module is what the plugin commands print of one module.
type module struct {
	ID       string             `json:"id"`
	Version  string             `json:"version"`
	Digest   string             `json:"digest,omitempty"`
	Bytes    int64              `json:"bytes,omitempty"`
	File     string             `json:"file,omitempty"`
	Manifest *contract.Manifest `json:"manifest,omitempty"`
}

func (p *program) pluginCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "plugin",
		Short: "Write, sign, install and govern plugins",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	add := func(id, title string, commands ...*cobra.Command) {
		c.AddGroup(&cobra.Group{ID: id, Title: title})
		for _, sub := range commands {
			sub.GroupID = id
			c.AddCommand(sub)
		}
	}
	add("author", "Write a plugin", p.pluginNew(), p.pluginBuild(), p.pluginTest(), p.pluginRun(), p.pluginDev(), p.pluginLint(),
		p.pluginPack(), p.pluginInspect(), p.pluginReplay())
	add("travel", "Sign it and pass it on", p.pluginKeygen(), p.pluginSign(), p.pluginVerify(), p.pluginPush(), p.pluginPull(), p.pluginTags())
	add("server", "In a running server", append([]*cobra.Command{
		p.pluginInstall(), p.pluginList(), p.pluginGrant(), p.pluginSwitch(true), p.pluginSwitch(false), p.pluginVersions(), p.pluginHistory(),
	}, p.pluginChanges()...)...)
	add("trust", "Whom a server trusts", p.pluginTrust(), p.pluginKeys(), p.pluginRevoke())
	return c
}

func (p *program) pluginBuild() *cobra.Command {
	var out, lang string
	var asJSON bool
	c := &cobra.Command{
		Use:   "build [DIR]",
		Short: "Build a plugin into one module with its manifest",
		Long: "Build a plugin into one module with its manifest. The language is told by the files of\n" +
			"the directory, or by --lang: " + languageList() + ".\n" +
			"A module of any other language gets its manifest from culm plugin pack.\n\n" +
			"Exit codes: 0 it was built, 1 the compiler refused it or is missing, 2 the manifest or the\n" +
			"directory was refused.",
		Example: "  culm plugin build\n  culm plugin build ./plugins/ticket -o ticket.wasm",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			dir, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			if l := build.Language(lang); l != "" && !slices.Contains(build.Languages(), l) {
				return say("%q: there is no such language; there are %s", lang, languageList())
			}
			if out == "" {
				out = filepath.Base(dir) + ".wasm"
			}
			pkg, err := build.Build(c.Context(), dir, out, build.Options{Language: build.Language(lang)})
			if err != nil {
				return refusedBuild(err)
			}
			return p.built(pkg, out, asJSON)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the module to write (default: DIR's name with .wasm)")
	c.Flags().StringVar(&lang, "lang", "", "the language, where the files do not tell it")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) pluginPack() *cobra.Command {
	var out string
	var asJSON bool
	c := &cobra.Command{
		Use:     "pack MODULE.wasm MANIFEST.json",
		Short:   "Put a manifest into a module that was written in any language",
		Example: "  culm plugin pack build/release.wasm manifest.json -o hello.wasm",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				out = args[0]
			}
			pkg, err := build.PackFile(args[0], args[1], out)
			if err != nil {
				return err
			}
			return p.built(pkg, out, asJSON)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the module to write (default: MODULE.wasm itself)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) built(pkg build.Package, out string, asJSON bool) error {
	m := module{ID: pkg.Manifest.ID, Version: pkg.Manifest.Version, Digest: pkg.Digest, Bytes: pkg.Bytes, File: out}
	if asJSON {
		return p.json(m)
	}
	_, err := fmt.Fprintf(p.out, "%s %s  %s  %s  %s\n", m.ID, m.Version, out, fmt.Sprintf(p.text.of("bytes"), m.Bytes), m.Digest)
	return failed(err)
}

func (p *program) pluginInspect() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "inspect MODULE.wasm",
		Example: "  culm plugin inspect ticket.wasm",
		Short:   "Show what a module is and what it asks for, without running it",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			code, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			m, err := build.ReadManifest(code)
			if err != nil {
				return say("%s: %s", args[0], err)
			}
			if asJSON {
				return p.json(module{
					ID: m.ID, Version: m.Version, Digest: build.Digest(code), Bytes: int64(len(code)), File: args[0], Manifest: &m,
				})
			}
			return p.describe(m, build.Digest(code), len(code))
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the whole manifest")
	return c
}

func (p *program) describe(m contract.Manifest, digest string, size int) error {
	w := newTable(p.out)
	fmt.Fprintf(w, "%s\t%s %s\t%s\n", p.text.of("plugin"), m.ID, m.Version, m.Title.In(p.text.lang))
	fmt.Fprintf(w, "%s\t%s\n", p.text.of("digest"), digest)
	fmt.Fprintf(w, "%s\t%s\n", p.text.of("size"), fmt.Sprintf(p.text.of("bytes"), size))
	for _, a := range m.Actions {
		var waits []string
		for _, k := range a.Waits {
			waits = append(waits, p.text.of(string(k)))
		}
		more := ""
		if len(waits) > 0 {
			more = "  (" + p.text.of("waiting") + ": " + strings.Join(waits, ", ") + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s%s\n", p.text.of("action"), a.ID, a.Title.In(p.text.lang), more)
	}
	for _, n := range m.Needs {
		fmt.Fprintf(w, "%s\t%s/%s\n", p.text.of("asks"), n.System, n.Operation)
	}
	p.limits(w, m.Limits)
	return failed(w.Flush())
}

// limits shows which limits a manifest sets for itself.
func (p *program) limits(w *table, l *contract.Limits) {
	if l == nil {
		return
	}
	line := func(name, value string) {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.text.of("limit"), p.text.of("limit."+name), value)
	}
	if l.TimeoutMS > 0 {
		line("timeout", shortTime(time.Duration(l.TimeoutMS)*time.Millisecond))
	}
	if l.MemoryBytes > 0 {
		line("memory", bytesText(l.MemoryBytes))
	}
	if l.OutputBytes > 0 {
		line("output", bytesText(l.OutputBytes))
	}
	if l.LogBytes > 0 {
		line("log", bytesText(l.LogBytes))
	}
	if l.HostCalls > 0 {
		line("host_calls", strconv.Itoa(l.HostCalls))
	}
}

func (p *program) pluginList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the plugins of a running server, or those of this program",
		Long: "List the plugins that came with this program. With --server, or where " + envServer + " is set, list\n" +
			"what is installed in that server, with the version in use.",
		Example: "  culm plugin list\n  culm plugin list --server http://127.0.0.1:8080",
		Args:    cobra.NoArgs,
	}
	connect := p.serverFlag(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON: the manifests, or the installed versions")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !c.Flags().Changed("server") && p.getenv(envServer) == "" {
			return p.listShipped(asJSON)
		}
		cl, err := connect()
		if err != nil {
			return err
		}
		return p.listInstalled(c.Context(), cl, asJSON)
	}
	return c
}

func (p *program) listShipped(asJSON bool) error {
	all, err := manifests(nil)
	if err != nil {
		return err
	}
	list := make([]module, 0, len(all))
	for _, m := range all {
		list = append(list, module{ID: m.ID, Version: m.Version, Manifest: &m})
	}
	slices.SortFunc(list, func(a, b module) int { return strings.Compare(a.ID, b.ID) })
	if asJSON {
		return p.json(list)
	}
	w := newTable(p.out)
	for _, m := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\n", m.ID, m.Version, m.Manifest.Title.In(p.text.lang))
	}
	return failed(w.Flush())
}

// listInstalled lists every plugin of a server: the version that new runs take, else the
// highest and why it is not in use.
func (p *program) listInstalled(ctx context.Context, cl *client.Client, asJSON bool) error {
	list := []plugins.Installed{}
	for q := (page.Query{Limit: page.LimitMax}); ; {
		got, err := cl.Installed(ctx, q)
		if err != nil {
			return err
		}
		list = append(list, got.Items...)
		if q.Cursor = got.Next; q.Cursor == "" {
			break
		}
	}
	if asJSON {
		return p.json(list)
	}
	w := newTable(p.out)
	for _, i := range list {
		if len(i.Versions) == 0 {
			continue
		}
		shown := i.Versions[0]
		if at := slices.IndexFunc(i.Versions, func(m plugins.Module) bool { return m.Latest }); at >= 0 {
			shown = i.Versions[at]
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.ID, shown.Version, p.versionState(shown), p.voucher(shown), i.Title.In(p.text.lang))
	}
	return failed(w.Flush())
}
