package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/client"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
)

// keysAt are the keys of a running server, or of a data directory whose server is not
// running.
type keysAt interface {
	Keys(ctx context.Context) (secrets.KeyStatus, error)
	RotateKeys(ctx context.Context) (secrets.KeyStatus, error)
	RetireKey(ctx context.Context, key string) (secrets.KeyStatus, error)
	VerifyKeys(ctx context.Context) (secrets.Checked, error)
}

var (
	_ keysAt = (*client.Client)(nil)
	_ keysAt = (*registry.Service)(nil)
)

func (p *program) keysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Look after the keys that secrets and credentials are sealed with",
		Long: "Look after the keys that secrets and credentials are sealed with, in a running server\n" +
			"(--server) or in a data directory whose server is not running (--data). The keys themselves\n" +
			"are never shown. The key file is not part of the database: keep a copy of it elsewhere,\n" +
			"and a new one after each rotate.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.keysStatus(), p.keysRotate(), p.keysRetire(), p.keysVerify(), p.keysGenerate())
	return c
}

// keysFlags adds the flags that say where the keys are, and returns what does the work.
func (p *program) keysFlags(c *cobra.Command) (asJSON *bool, on func(ctx context.Context, work func(context.Context, keysAt) error) error) {
	var o systemOptions
	connect := p.serverFlag(c)
	c.Flags().StringVar(&o.data, "data", "", "a data directory whose server is not running, instead of a server")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return &o.asJSON, func(ctx context.Context, work func(context.Context, keysAt) error) error {
		if o.data == "" {
			cl, err := connect()
			if err != nil {
				return err
			}
			return work(ctx, cl)
		}
		if c.Flags().Changed("server") {
			return sayAs(fault.Invalid, "--server and --data exclude each other")
		}
		o.project = app.DefaultProject(false)
		return p.withCore(ctx, o, func(ctx context.Context, core *app.Core) error { return work(ctx, core.Systems) })
	}
}

func (p *program) keysStatus() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "List the keys, and how much is sealed with each",
		Args:  cobra.NoArgs,
	}
	asJSON, on := p.keysFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return on(c.Context(), func(ctx context.Context, at keysAt) error {
			s, err := at.Keys(ctx)
			if err != nil {
				return err
			}
			return p.printKeys(s, *asJSON)
		})
	}
	return c
}

func (p *program) keysRotate() *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate",
		Short: "Make a new key the primary one, and seal all data keys with it",
		Long: "Make a new key the primary one, and seal all data keys with it. Runs go on meanwhile.\n" +
			"The key before stays until it is retired; copies of the database from before need it.",
		Args: cobra.NoArgs,
	}
	asJSON, on := p.keysFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return on(c.Context(), func(ctx context.Context, at keysAt) error {
			s, err := at.RotateKeys(ctx)
			if err != nil {
				return err
			}
			if !*asJSON {
				fmt.Fprintf(p.out, p.text.of("keys.rotated")+"\n", s.File)
			}
			return p.printKeys(s, *asJSON)
		})
	}
	return c
}

func (p *program) keysRetire() *cobra.Command {
	c := &cobra.Command{
		Use:   "retire KEY",
		Short: "Forget a key that nothing is sealed with",
		Long: "Forget a key that is not the primary one and that nothing is sealed with. Copies of the\n" +
			"database from before the key was replaced do not open without it.",
		Args: cobra.ExactArgs(1),
	}
	asJSON, on := p.keysFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		return on(c.Context(), func(ctx context.Context, at keysAt) error {
			s, err := at.RetireKey(ctx, args[0])
			if err != nil {
				return err
			}
			return p.printKeys(s, *asJSON)
		})
	}
	return c
}

func (p *program) keysVerify() *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Open everything that is sealed, and name what does not open",
		Long: "Open everything that is sealed, and name the rows that do not open: they were changed, or put\n" +
			"in the place of others. No value is shown.\n\nExit codes: 0 everything opens, 1 something does not, 2 the input was refused.",
		Args: cobra.NoArgs,
	}
	asJSON, on := p.keysFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return on(c.Context(), func(ctx context.Context, at keysAt) error {
			r, err := at.VerifyKeys(ctx)
			if err != nil {
				return err
			}
			if err := p.printChecked(r, *asJSON); err != nil || len(r.Broken) == 0 {
				return err
			}
			return &exitError{code: exitFailed}
		})
	}
	return c
}

func (p *program) keysGenerate() *cobra.Command {
	return &cobra.Command{
		Use:   "generate",
		Short: "Print a new master key, for the key file to be encrypted with",
		Long: "Print a new master key, which secrets.master_key may name the place of: 32 random bytes in\n" +
			"base64. Nothing is stored.",
		Example: "  culm keys generate | sudo systemd-creds encrypt --name=culm-master-key - /etc/credstore.encrypted/culm-master-key",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			key := make([]byte, secrets.MasterKeyBytes)
			_, _ = rand.Read(key) // never fails
			_, err := fmt.Fprintln(p.out, base64.StdEncoding.EncodeToString(key))
			return failed(err)
		},
	}
}

func (p *program) printKeys(s secrets.KeyStatus, asJSON bool) error {
	if asJSON {
		return p.json(s)
	}
	how := fmt.Sprintf(p.text.of("keys.encrypted"), s.MasterKey)
	if !s.Encrypted {
		how = p.text.of("keys.plain")
	}
	fmt.Fprintln(p.out, p.text.labelled(p.text.of("keys.file"), s.File+p.text.inf(" (%s)", how)))
	w := newTable(p.out)
	for _, k := range s.Keys {
		role := p.text.of("keys.former")
		if k.Primary {
			role = p.text.of("keys.primary")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.ID, role, fmt.Sprintf(p.text.of("keys.sealed"), k.Sealed))
	}
	return failed(w.Flush())
}

func (p *program) printChecked(r secrets.Checked, asJSON bool) error {
	if asJSON {
		return p.json(r)
	}
	for _, b := range r.Broken {
		fmt.Fprintf(p.out, p.text.of("keys.broken")+"\n", p.text.of("keys.kind."+b.Kind), b.Project, b.ID, b.Version)
	}
	_, err := fmt.Fprintf(p.out, p.text.of("keys.verified")+"\n", r.Opened, len(r.Broken))
	return failed(err)
}
