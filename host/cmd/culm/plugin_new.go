package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/scaffold"
)

func (p *program) pluginNew() *cobra.Command {
	var lang, dir string
	var asJSON bool
	c := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a plugin: source, manifest and cases",
		Long: "Begin a plugin with two actions that work: one answers by itself, one asks a system\n" +
			"through the gateway. What is written builds, and its cases pass.\n\n" +
			"Languages: " + languageList() + ". docs/plugins/ has a page for each.",
		Example: "  culm plugin new restart-web --lang rust\n" +
			"  cd restart-web && culm plugin build && culm plugin test",
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if dir == "" {
				dir = args[0]
			}
			o := scaffold.Options{Name: args[0], Language: build.Language(lang), Dir: dir, PDK: culm.PDK}
			files, err := scaffold.Write(o)
			if err != nil {
				return err
			}
			if asJSON {
				return p.json(struct {
					ID       string         `json:"id"`
					Language build.Language `json:"language"`
					Dir      string         `json:"dir"`
					Files    []string       `json:"files"`
				}{o.Name, o.Language, dir, files})
			}
			for _, f := range files {
				if !strings.HasPrefix(f, "culm/") { // the library is one thing, not forty files
					fmt.Fprintln(p.out, filepath.Join(dir, filepath.FromSlash(f)))
				}
			}
			_, err = fmt.Fprintf(p.out, "\n"+p.text.of("new.next")+"\n", dir)
			if t := build.Missing(c.Context(), o.Language); t != nil {
				fmt.Fprintf(p.err, "\n%s\n", t)
			}
			return failed(err)
		},
	}
	c.Flags().StringVar(&lang, "lang", string(build.Go), "the language: "+languageList())
	c.Flags().StringVar(&dir, "dir", "", "the directory to write (default: NAME)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// languageList names the languages for people.
func languageList() string {
	var names []string
	for _, l := range build.Languages() {
		names = append(names, string(l))
	}
	return strings.Join(names, ", ")
}
