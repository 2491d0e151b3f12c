package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

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
		Short: "Build, pack and inspect plugins",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		p.pluginBuild(), p.pluginPack(), p.pluginInspect(), p.pluginList(),
		p.pluginKeygen(), p.pluginSign(), p.pluginVerify(), p.pluginTrust(),
		p.pluginPush(), p.pluginPull(), p.pluginTags(),
		p.pluginInstall(), p.pluginVersions(), p.pluginHistory(), p.pluginKeys(), p.pluginRevoke(), p.pluginGrant(),
	)
	c.AddCommand(p.pluginChanges()...)
	c.AddCommand(p.pluginNew(), p.pluginTest(), p.pluginRun(), p.pluginDev(), p.pluginLint(), p.pluginReplay())
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
			"A module of any other language gets its manifest from culm plugin pack.",
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
			if out == "" {
				out = filepath.Base(dir) + ".wasm"
			}
			pkg, err := build.Build(c.Context(), dir, out, build.Options{Language: build.Language(lang)})
			if err != nil {
				return failed(err)
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
	_, err := fmt.Fprintf(p.out, "%s %s  %s  %d bytes  %s\n", m.ID, m.Version, out, m.Bytes, m.Digest)
	return failed(err)
}

func (p *program) pluginInspect() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "inspect MODULE.wasm",
		Short: "Show what a module is and what it asks for, without running it",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			code, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			m, err := build.ReadManifest(code)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
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
	w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "plugin\t%s %s\t%s\n", m.ID, m.Version, m.Title.In(p.text.lang))
	fmt.Fprintf(w, "digest\t%s\n", digest)
	fmt.Fprintf(w, "size\t%d bytes\n", size)
	for _, a := range m.Actions {
		var waits []string
		for _, k := range a.Waits {
			waits = append(waits, p.text.of(string(k)))
		}
		more := ""
		if len(waits) > 0 {
			more = "  (" + p.text.of("waiting") + ": " + strings.Join(waits, ", ") + ")"
		}
		fmt.Fprintf(w, "action\t%s\t%s%s\n", a.ID, a.Title.In(p.text.lang), more)
	}
	for _, n := range m.Needs {
		fmt.Fprintf(w, "needs\t%s\t%s\n", n.System, n.Operation)
	}
	return failed(w.Flush())
}

func (p *program) pluginList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the plugins of this binary",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
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
			w := tabwriter.NewWriter(p.out, 0, 8, 2, ' ', 0)
			for _, m := range list {
				fmt.Fprintf(w, "%s\t%s\t%s\n", m.ID, m.Version, m.Manifest.Title.In(p.text.lang))
			}
			return failed(w.Flush())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the manifests")
	return c
}
