//go:build !wasip1

package pdk

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/manifest"
)

func register(*Plugin) {}

func (p *Plugin) main() {
	if err := p.command(os.Args[1:], os.Stdout); err != nil {
		complain(os.Stderr, err)
		os.Exit(1)
	}
}

// complain says what is wrong to a person, or to culm plugin build, which sets the variable.
func complain(out io.Writer, err error) {
	if os.Getenv("CULM_PROBLEMS") == "json" {
		if raw, failed := json.Marshal(manifest.Problems(err)); failed == nil {
			fmt.Fprintln(out, string(raw))
			return
		}
	}
	fmt.Fprintln(out, err)
}

func (p *Plugin) command(args []string, out io.Writer) error {
	if len(args) != 1 || args[0] != "manifest" {
		return fmt.Errorf("usage: go run . manifest    print the manifest of plugin %s", p.ID)
	}
	m, err := p.Manifest(".")
	if err != nil {
		return err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	_, err = out.Write(append(b, '\n'))
	return err
}

// Manifest reflects the plugin into its manifest. Dir is the directory of its source,
// whose comments and locale files it reads; it is ".", because comments are found by
// path relative to the working directory. It exists outside modules only.
func (p *Plugin) Manifest(dir string) (contract.Manifest, error) {
	src := manifest.Source{
		Dir: dir,
		Manifest: contract.Manifest{
			Format: contract.ManifestFormat, ID: p.ID, Version: p.Version, Title: p.Title, Doc: p.Doc,
			Icon: p.Icon, Needs: p.Needs, Limits: p.Limits,
		},
	}
	for _, d := range p.Descriptions() {
		src.Actions = append(src.Actions, manifest.Action{Action: d.Action, In: d.In, Out: d.Out, Defaults: d.Defaults})
	}
	m, err := manifest.Reflect(src)
	if err != nil {
		return m, fmt.Errorf("plugin %s: %w", p.ID, err)
	}
	return m, nil
}
