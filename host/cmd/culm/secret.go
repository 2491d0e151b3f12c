package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
)

// envSecret may hold the value of a secret: never an argument, which every user of the
// machine can read.
const envSecret = "CULM_SECRET_VALUE"

func (p *program) secretCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "secret",
		Short: "Keep the secrets that flows may send to outside systems",
		Long: "Keep the secrets of a project in a data directory: flows name them as secrets.NAME.\n" +
			"The server of that directory must not be running; one that runs takes them through its API.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.secretList(), p.secretSet(), p.secretRemove())
	return c
}

func (p *program) secretList() *cobra.Command {
	var o systemOptions
	return o.flags(&cobra.Command{
		Use:   "list",
		Short: "List the secrets of a project, without their values",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withCore(c.Context(), o, func(ctx context.Context, core *app.Core) error {
				all, err := core.Systems.ListSecrets(ctx, o.project)
				if err != nil {
					return err
				}
				if o.asJSON {
					return p.json(all.Items)
				}
				if len(all.Items) == 0 {
					fmt.Fprintf(p.out, p.text.of("secret.none")+"\n", o.project)
				}
				return p.printSecrets(all.Items)
			})
		},
	})
}

func (p *program) secretSet() *cobra.Command {
	var o systemOptions
	return o.flags(&cobra.Command{
		Use:   "set NAME",
		Short: "Set a secret, or replace it",
		Long: "Set a secret of a project, or replace it. Its value is read from the environment\n" +
			"(" + envSecret + "), or else as one line from standard input, never from an argument.\n" +
			"It is stored encrypted and can never be read back.",
		Example: "  pass show ticket | culm secret set TICKET_TOKEN",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			value := p.getenv(envSecret)
			if value == "" {
				line, err := (&lineReader{in: p.in}).next(c.Context())
				if err != nil {
					return fmt.Errorf(p.text.of("secret.empty"), envSecret)
				}
				value = strings.TrimRight(line, "\r\n")
			}
			return p.withCore(c.Context(), o, func(ctx context.Context, core *app.Core) error {
				info, err := core.Systems.SetSecret(ctx, registry.SecretRequest{
					Project: o.project, Name: args[0], Actor: core.Actor(), Value: secrets.NewSecret(value),
				})
				if err != nil {
					return err
				}
				if o.asJSON {
					return p.json(info)
				}
				return p.printSecrets([]secrets.Info{info})
			})
		},
	})
}

func (p *program) secretRemove() *cobra.Command {
	var o systemOptions
	return o.flags(&cobra.Command{
		Use:   "rm NAME",
		Short: "Delete a secret; runs that are to send it fail from then on",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withCore(c.Context(), o, func(ctx context.Context, core *app.Core) error {
				if err := core.Systems.DeleteSecret(ctx, o.project, args[0]); err != nil || o.asJSON {
					return err
				}
				_, err := fmt.Fprintf(p.out, p.text.of("secret.gone")+"\n", args[0])
				return failed(err)
			})
		},
	})
}

func (p *program) printSecrets(all []secrets.Info) error {
	w := newTable(p.out)
	for _, s := range all {
		fmt.Fprintf(w, "%s\t"+p.text.of("secret.row")+"\n", s.Name, s.Version, s.SetAt.UTC().Format(time.RFC3339), s.SetBy, s.Fingerprint)
	}
	return failed(w.Flush())
}
