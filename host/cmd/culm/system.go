package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
)

// The environment variables that a credential may come in: never in an argument,
// which every user of the machine can read.
const (
	envToken    = "CULM_CREDENTIAL_TOKEN"
	envUsername = "CULM_CREDENTIAL_USERNAME"
	envPassword = "CULM_CREDENTIAL_PASSWORD"
)

// systemOptions are the flags of the system commands.
type systemOptions struct {
	data, project string
	asJSON        bool
	credential    bool
}

func (p *program) systemCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "system",
		Short: "Register the outside systems that flows may call",
		Long: "Register the outside systems that flows may call, and their operations, in a running server\n" +
			"(--server) or in a data directory whose server is not running (--data).",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.systemApply(), p.systemDiff(), p.systemGet(), p.systemList(), p.systemImport(), p.systemContracts(),
		p.systemOperations(), p.systemSwitch(true), p.systemSwitch(false), p.systemHistory(), p.systemDelete(), p.systemAdd())
	return c
}

func (o *systemOptions) flags(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&o.data, "data", config.Default().Data, "the data directory")
	c.Flags().StringVar(&o.project, "project", app.DefaultProject(false), "the project")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func (p *program) systemList() *cobra.Command {
	var o systemOptions
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the registered systems",
		Args:    cobra.NoArgs,
	}
	at := p.onSystems(c, &o)
	c.RunE = func(c *cobra.Command, _ []string) error {
		return at(c.Context(), func(ctx context.Context, at systemsAt) error {
			all, err := at.Systems(ctx, o.project, page.Query{Limit: page.LimitMax})
			if err != nil {
				return err
			}
			if o.asJSON {
				return p.json(all.Items)
			}
			if len(all.Items) == 0 {
				fmt.Fprintf(p.out, p.text.of("sys.none")+"\n", o.project)
			}
			return p.printSystems(all.Items)
		})
	}
	return c
}

func (p *program) systemAdd() *cobra.Command {
	var o systemOptions
	c := o.flags(&cobra.Command{
		Use:   "add FILE.yaml",
		Short: "Register a system in a data directory, or replace it, with its credential",
		Long: "Register a system from its document, or replace it. With --credential its credential is\n" +
			"read from the environment (" + envToken + ", or " + envUsername + " and\n" +
			envPassword + "), or else as one line from standard input: the token, or\n" +
			"username:password. It is stored encrypted and can never be read back.",
		Example: "  culm system add prometheus.yaml\n  pass show ticket | culm system add ticket.yaml --credential",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			content, err := p.read(args[0])
			if err != nil {
				return err
			}
			doc, err := systems.Parse(content)
			if err != nil {
				return say("%s is not valid:\n%s", args[0], err)
			}
			return p.withCore(c.Context(), o, func(ctx context.Context, core *app.Core) error {
				return p.addSystem(ctx, core, o, doc, content)
			})
		},
	})
	c.Flags().BoolVar(&o.credential, "credential", false, "read the credential from the environment or standard input")
	return c
}

func (p *program) addSystem(ctx context.Context, core *app.Core, o systemOptions, doc *systems.System, content []byte) error {
	view, err := core.Systems.Put(ctx, registry.PutRequest{Project: o.project, ID: doc.ID, Actor: core.Actor(), Document: content})
	if err != nil {
		return err
	}
	if o.credential {
		in, err := p.readCredential(ctx, doc.Auth.Type)
		if err != nil {
			return err
		}
		_, err = core.Systems.SetCredential(ctx, registry.CredentialRequest{
			CredentialRef: registry.CredentialRef{Project: o.project, System: doc.ID}, Actor: core.Actor(), Input: in,
		})
		if err != nil {
			return err
		}
		view.CredentialSet = true
	}
	if o.asJSON {
		return p.json(view)
	}
	return p.printSystems([]registry.View{view})
}

// readCredential reads a credential from the environment, or one line of it from
// standard input.
func (p *program) readCredential(ctx context.Context, auth systems.AuthType) (secrets.Input, error) {
	token, user, password := p.getenv(envToken), p.getenv(envUsername), p.getenv(envPassword)
	if token == "" && password == "" {
		line, err := (&lineReader{in: p.in}).next(ctx)
		if err != nil {
			return secrets.Input{}, say("--credential: nothing in the environment, and nothing on standard input")
		}
		line = strings.TrimSpace(line)
		if auth == systems.AuthBasic {
			user, password, _ = strings.Cut(line, ":")
		} else {
			token = line
		}
	}
	in := secrets.Input{Username: user}
	if password != "" {
		in.Password = secrets.NewSecret(password)
	}
	if token != "" {
		in.Token = secrets.NewSecret(token)
	}
	return in, nil
}

func (p *program) printSystems(all []registry.View) error {
	w := newTable(p.out)
	for _, s := range all {
		credential := ""
		if s.CredentialSet {
			credential = p.text.in("credential set")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", s.ID, s.BaseURL, s.Auth.Type, p.text.inf("%d operations", len(s.Operations)), credential)
	}
	return failed(w.Flush())
}

// withCore opens the data directory for one piece of work.
func (p *program) withCore(ctx context.Context, o systemOptions, work func(context.Context, *app.Core) error) error {
	cfg, err := p.config(nil)
	if err != nil {
		return err
	}
	// Of the settings only where the keys are counts here: without them nothing opens.
	kept := cfg.Secrets
	cfg = config.Default()
	cfg.Data, cfg.Secrets, cfg.Log.Level = o.data, kept, "warn"
	if err := cfg.Validate(); err != nil {
		return err
	}
	if _, err := os.Stat(o.data); err != nil && !os.IsNotExist(err) {
		return err
	}
	deps := p.deps(cfg, nil)
	deps.Plugins = nil
	core, err := app.Open(ctx, cfg, deps)
	if err != nil {
		return failed(err)
	}
	err = core.Projects.Ensure(ctx, projects.Project{ID: o.project, Name: o.project, Zone: "UTC"})
	if err == nil {
		err = work(audited(ctx, core, o.project), core)
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, failed(core.Stop(stopping)))
}
