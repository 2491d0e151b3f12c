package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/oci"
	"github.com/culmhq/culm/host/plugins"
)

// envServer names the server that commands talk to, where no flag does.
const envServer = "CULM_SERVER"

// serverFlag adds --server, and returns what makes the client.
func (p *program) serverFlag(c *cobra.Command) func() (*client.Client, error) {
	var server string
	c.Flags().StringVar(&server, "server", "", "URL of the running server ("+envServer+"; default http://"+config.Default().Listen+")")
	return func() (*client.Client, error) {
		return client.New(cmp.Or(server, p.getenv(envServer), "http://"+config.Default().Listen))
	}
}

// projectFlags adds --server and --project, and returns what makes the client and finds the
// project where none was named: the only one there is, or the usual one.
func (p *program) projectFlags(c *cobra.Command, to *string) func(context.Context) (*client.Client, error) {
	connect := p.serverFlag(c)
	c.Flags().StringVar(to, "project", "", "the project (default: the only one of the server, else "+app.DefaultProject(false)+")")
	return func(ctx context.Context) (*client.Client, error) {
		cl, err := connect()
		if err != nil || *to != "" {
			return cl, err
		}
		ids, err := cl.Projects(ctx)
		switch usual := app.DefaultProject(false); {
		case err != nil:
			return nil, err
		case len(ids) == 1:
			*to = ids[0]
		case slices.Contains(ids, usual):
			*to = usual
		default:
			return nil, sayAs(fault.Invalid, "name the project with --project; there are %s", strings.Join(ids, ", "))
		}
		return cl, nil
	}
}

func (p *program) pluginInstall() *cobra.Command {
	var signatures []string
	var override, asJSON bool
	c := &cobra.Command{
		Use:   "install MODULE.wasm|REGISTRY/REPOSITORY:TAG",
		Short: "Install a plugin into a running server",
		Long: "Install a plugin from a file or from a registry into a running server, with the signatures of\n" +
			"the registry, or the one that lies beside the file (MODULE.wasm" + app.SignatureSuffix + "), or those that are\n" +
			"named. What the plugin asks for is shown; an\n" +
			"administrator grants it. A version that asks for more than the one before waits until it\n" +
			"is approved (culm plugin approve); until then the one before stays in use.",
		Example: "  culm plugin install ticket.wasm --server http://127.0.0.1:8080\n  culm plugin install registry.example.com/acme/ticket:1.2.0",
		Args:    cobra.ExactArgs(1),
	}
	connect := p.serverFlag(c)
	c.Flags().StringArrayVar(&signatures, "signature", nil, "file of a signature (may be repeated)")
	c.Flags().BoolVar(&override, "override", false, "let a version in that is older than one that was in use")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.RunE = func(c *cobra.Command, args []string) error {
		cl, err := connect()
		if err != nil {
			return err
		}
		code, envelopes, err := p.fetch(c.Context(), args[0], signatures)
		if err != nil {
			return err
		}
		return p.install(c.Context(), cl, code, envelopes, override, asJSON)
	}
	return c
}

// install installs a module and shows what it asks for.
func (p *program) install(ctx context.Context, cl *client.Client, code []byte, envelopes [][]byte, override, asJSON bool) error {
	m, err := cl.Install(ctx, code, envelopes, override)
	if err != nil {
		return err
	}
	if asJSON {
		return p.json(m)
	}
	if err := p.showVersion(m); err != nil {
		return err
	}
	switch {
	case m.State == plugins.StatePending:
		p.next("culm plugin approve %s %s", m.Plugin, m.Version)
	case m.Latest && m.Manifest != nil && len(m.Manifest.Needs) > 0:
		p.next("culm plugin grant %s", m.Plugin)
	}
	return nil
}

// fetch reads a module from a file, or from a registry where there is no such file.
func (p *program) fetch(ctx context.Context, name string, signatures []string) ([]byte, [][]byte, error) {
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) || !oci.IsReference(name) {
		return readSigned(name, signatures)
	}
	ref, err := oci.Parse(name)
	if err != nil {
		return nil, nil, err
	}
	got, err := p.registry().Pull(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range signatures {
		s, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		got.Signatures = append(got.Signatures, s)
	}
	return got.Code, got.Signatures, nil
}

// readSigned reads a module with its signatures: those of the files that are named, or
// the one beside it, if there is one.
func readSigned(file string, signatures []string) ([]byte, [][]byte, error) {
	code, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	named := len(signatures) > 0
	if !named {
		signatures = []string{file + app.SignatureSuffix}
	}
	var out [][]byte
	for _, s := range signatures {
		b, err := os.ReadFile(s)
		if !named && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		out = append(out, b)
	}
	return code, out, nil
}

// showVersion shows an installed version to a person: what it is, who vouches for it,
// what it asks for, and why it waits.
func (p *program) showVersion(m plugins.Module) error {
	w := newTable(p.out)
	title := ""
	if m.Manifest != nil {
		title = m.Manifest.Title.In(p.text.lang)
	}
	fmt.Fprintf(w, "%s\t%s %s\t%s\n", p.text.of("plugin"), m.Plugin, m.Version, title)
	fmt.Fprintf(w, "%s\t%s\n", p.text.of("digest"), m.Digest)
	fmt.Fprintf(w, "%s\t%s\n", p.text.of("state"), p.versionState(m))
	fmt.Fprintf(w, "%s\t%s\n", p.text.of("signature"), p.voucher(m))
	if m.Manifest != nil {
		for _, n := range m.Manifest.Needs {
			fmt.Fprintf(w, "%s\t%s/%s\n", p.text.of("asks"), n.System, n.Operation)
		}
		p.limits(w, m.Manifest.Limits)
	}
	for _, h := range m.Held {
		fmt.Fprintf(w, "%s\t%s\n", p.text.of("held"), fmt.Sprintf(p.text.of("hold."+string(h.Code)), h.Detail))
	}
	return failed(w.Flush())
}

func (p *program) versionState(m plugins.Module) string {
	state := p.text.of(string(m.State))
	if m.State == plugins.StateBlocked {
		state = p.text.of("ver.blocked")
	}
	if m.Latest {
		state = p.text.of("latest")
	}
	return state
}

// voucher says who vouches for a version.
func (p *program) voucher(m plugins.Module) string {
	switch {
	case len(m.Signatures) > 0:
		var by []string
		for _, s := range m.Signatures {
			by = append(by, s.Publisher)
		}
		return fmt.Sprintf(p.text.of("signed by"), strings.Join(by, p.text.of("comma")))
	case m.Shipped:
		return p.text.of("shipped")
	default:
		return p.text.of("unsigned")
	}
}
