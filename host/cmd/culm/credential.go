package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// credentialsAt are the credentials of the systems of a project: those of a running server,
// or of a data directory.
type credentialsAt interface {
	Credential(ctx context.Context, r registry.CredentialRef) (registry.CredentialView, error)
	SetCredential(ctx context.Context, r registry.CredentialRequest) (registry.CredentialView, error)
	DeleteCredential(ctx context.Context, r registry.CredentialRef, version int) error
	TestCredential(ctx context.Context, r registry.TestRequest) (registry.ConnectionResult, error)
}

// Credential tells of a credential.
func (s coreSystems) Credential(ctx context.Context, r registry.CredentialRef) (registry.CredentialView, error) {
	return s.core.Systems.Credential(ctx, r)
}

// SetCredential adds a version, or promotes one.
func (s coreSystems) SetCredential(ctx context.Context, r registry.CredentialRequest) (registry.CredentialView, error) {
	r.Actor = s.core.Actor()
	return s.core.Systems.SetCredential(ctx, r)
}

// DeleteCredential deletes one version, or all.
func (s coreSystems) DeleteCredential(ctx context.Context, r registry.CredentialRef, version int) error {
	return s.core.Systems.DeleteCredential(ctx, r, version)
}

// TestCredential tries a credential.
func (s coreSystems) TestCredential(ctx context.Context, r registry.TestRequest) (registry.ConnectionResult, error) {
	r.Actor = s.core.Actor()
	return s.core.Systems.TestCredential(ctx, r)
}

// credentialOptions are the flags of the credential commands.
type credentialOptions struct {
	systemOptions
	isDefault      bool
	file           string
	name           string
	certificate    string
	privateKey     string
	standby, alone bool
	version, to    int
	all, untested  bool
}

func (o *credentialOptions) ref(system string) registry.CredentialRef {
	return registry.CredentialRef{Project: o.project, System: system, Default: o.isDefault}
}

func (p *program) credentialCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "credential",
		Short: "Set, test and rotate what Culm authenticates to outside systems with",
		Long: "Set, test and rotate the credentials of systems, in a running server (--server) or in a data\n" +
			"directory whose server is not running (--data). A value comes from standard input or from a\n" +
			"file, never from an argument; it is stored encrypted and can never be read back.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.credentialSet(), p.credentialList(), p.credentialTest(), p.credentialRotate(), p.credentialRemove())
	return c
}

// onCredentials adds the flags that all commands have, and returns what does the work.
func (p *program) onCredentials(c *cobra.Command, o *credentialOptions) func(context.Context, func(context.Context, systemsAt, credentialsAt) error) error {
	at := p.onSystems(c, &o.systemOptions)
	c.Flags().BoolVar(&o.isDefault, "default", false, "the default of the installation, for projects without a credential of their own")
	return func(ctx context.Context, work func(context.Context, systemsAt, credentialsAt) error) error {
		return at(ctx, func(ctx context.Context, at systemsAt) error {
			creds, ok := at.(credentialsAt)
			if !ok {
				return say("no credentials there")
			}
			return work(ctx, at, creds)
		})
	}
}

// valueFlags adds the flags that a value comes with.
func (o *credentialOptions) valueFlags(c *cobra.Command) {
	c.Flags().StringVar(&o.file, "file", "", "read the secret from a file instead of standard input")
	c.Flags().StringVar(&o.name, "name", "", "what is not secret: the user name (basic), the client's id (oauth2), the key's id (hmac)")
	c.Flags().StringVar(&o.certificate, "certificate", "", "a file with the client certificate and its chain, in PEM")
	c.Flags().StringVar(&o.privateKey, "private-key", "", "a file with the key of the certificate, in PEM")
}

// valueHelp says where a value comes from.
const valueHelp = "The secret (password, token, client secret or key, as the system's auth type asks for) is read\n" +
	"as one line from standard input, or with --file from a file. For a client certificate there\n" +
	"are --certificate and --private-key, which name files."

func (p *program) credentialSet() *cobra.Command {
	var o credentialOptions
	c := &cobra.Command{
		Use:   "set SYSTEM",
		Short: "Set the credential of a system; the former one stays as the other live version",
		Long:  "Set the credential of a system. The former one stays live and is tried where the new one is\nnot taken, until it is deleted.\n\n" + valueHelp,
		Example: "  pass show ticket | culm credential set ticket\n" +
			"  culm credential set cmdb --name robot --file cmdb.password\n" +
			"  culm credential set vault --certificate client.pem --private-key client.key",
		Args: cobra.ExactArgs(1),
	}
	at := p.onCredentials(c, &o)
	o.valueFlags(c)
	c.Flags().BoolVar(&o.standby, "standby", false, "leave the primary version what it is; the new one is tried where that is not taken")
	c.Flags().BoolVar(&o.alone, "alone", false, "delete all other versions")
	c.RunE = func(c *cobra.Command, args []string) error {
		return at(c.Context(), func(ctx context.Context, at systemsAt, creds credentialsAt) error {
			v, err := p.addCredential(ctx, at, creds, &o, args[0])
			if err != nil {
				return err
			}
			return p.showCredential(args[0], v, o.asJSON)
		})
	}
	return c
}

func (p *program) addCredential(ctx context.Context, at systemsAt, creds credentialsAt, o *credentialOptions, system string) (registry.CredentialView, error) {
	is, err := creds.Credential(ctx, o.ref(system))
	if err != nil {
		return is, err
	}
	doc, err := at.SystemDocument(ctx, o.project, system)
	if err != nil {
		return is, err
	}
	in, err := p.credentialInput(ctx, o, secrets.Kind(is.Kind), doc.Auth.NeedsCertificate())
	if err != nil {
		return is, err
	}
	return creds.SetCredential(ctx, registry.CredentialRequest{CredentialRef: o.ref(system), Input: in, Standby: o.standby, Alone: o.alone})
}

// credentialInput reads what a kind of credential asks for.
func (p *program) credentialInput(ctx context.Context, o *credentialOptions, kind secrets.Kind, certified bool) (secrets.Input, error) {
	var in secrets.Input
	if certified {
		if o.certificate == "" || o.privateKey == "" {
			return in, sayAs(fault.Invalid, "the system wants a client certificate: give --certificate and --private-key")
		}
		pem, err := p.read(o.certificate)
		if err != nil {
			return in, err
		}
		key, err := p.read(o.privateKey)
		if err != nil {
			return in, err
		}
		in.Certificate, in.PrivateKey = string(pem), secrets.NewSecret(string(key))
	}
	if kind == secrets.KindMTLS || kind == secrets.KindNone {
		return in, nil
	}
	value, err := p.credentialValue(ctx, o.file)
	if err != nil {
		return in, err
	}
	switch kind {
	case secrets.KindBasic:
		in.Username, in.Password = o.name, value
	case secrets.KindBearer, secrets.KindAPIKey:
		in.Username, in.Token = o.name, value // a name that does not belong there is refused with its field
	case secrets.KindOAuth2:
		in.ClientID, in.Secret = o.name, value
	case secrets.KindHMAC:
		in.KeyID, in.Secret = o.name, value
	case secrets.KindBlueKing, secrets.KindMTLS, secrets.KindNone:
		in.Username, in.Secret = o.name, value
	}
	return in, nil
}

// credentialValue reads the secret: a file, or a line of standard input.
func (p *program) credentialValue(ctx context.Context, file string) (secrets.Secret, error) {
	if file != "" {
		content, err := p.read(file)
		return secrets.NewSecret(strings.TrimRight(string(content), "\r\n")), err
	}
	line, err := (&lineReader{in: p.in}).next(ctx)
	if value := strings.TrimRight(line, "\r\n"); err == nil && value != "" {
		return secrets.NewSecret(value), nil
	}
	return secrets.Secret{}, errors.New(p.text.of("cred.nothing"))
}

func (p *program) credentialList() *cobra.Command {
	var o credentialOptions
	c := &cobra.Command{
		Use:     "ls [SYSTEM]",
		Aliases: []string{"list"},
		Short:   "List credentials and their versions, without a value",
		Args:    cobra.MaximumNArgs(1),
	}
	at := p.onCredentials(c, &o)
	c.RunE = func(c *cobra.Command, args []string) error {
		return at(c.Context(), func(ctx context.Context, at systemsAt, creds credentialsAt) error {
			if len(args) == 1 {
				v, err := creds.Credential(ctx, o.ref(args[0]))
				if err != nil {
					return err
				}
				return p.showCredential(args[0], v, o.asJSON)
			}
			return p.listCredentials(ctx, at, creds, &o)
		})
	}
	return c
}

// credentialLine is a credential in a list of them.
type credentialLine struct {
	System string `json:"system"`
	registry.CredentialView
}

func (p *program) listCredentials(ctx context.Context, at systemsAt, creds credentialsAt, o *credentialOptions) error {
	all, err := at.Systems(ctx, o.project, page.Query{Limit: page.LimitMax})
	if err != nil {
		return err
	}
	out := []credentialLine{}
	for _, s := range all.Items {
		v, err := creds.Credential(ctx, o.ref(s.ID))
		if err != nil {
			return err
		}
		out = append(out, credentialLine{s.ID, v})
	}
	if o.asJSON {
		return p.json(out)
	}
	if len(out) == 0 {
		fmt.Fprintf(p.out, p.text.of("sys.none")+"\n", o.project)
	}
	return p.printCredentials(out)
}

func (p *program) credentialTest() *cobra.Command {
	var o credentialOptions
	c := &cobra.Command{
		Use:     "test SYSTEM",
		Example: "  culm credential test ticket\n  culm credential test ticket --version 3",
		Short:   "Try to reach a system with its credential, and say how far that came",
		Long: "Make one call of a system with its credential: of an operation that only reads, or of its base\n" +
			"URL where there is none. It is audited.\n\nExit codes: 0 it works, 1 it does not, 2 the input was refused.",
		Args: cobra.ExactArgs(1),
	}
	at := p.onCredentials(c, &o)
	c.Flags().IntVar(&o.version, "version", 0, "the version to try, instead of the one that calls use")
	c.RunE = func(c *cobra.Command, args []string) error {
		return at(c.Context(), func(ctx context.Context, _ systemsAt, creds credentialsAt) error {
			res, err := creds.TestCredential(ctx, registry.TestRequest{CredentialRef: o.ref(args[0]), Version: o.version})
			if err != nil {
				return err
			}
			if o.asJSON {
				err = p.json(res)
			} else {
				p.printTest(res)
			}
			if err == nil && !res.OK {
				return &exitError{code: exitFailed}
			}
			return err
		})
	}
	return c
}

func (p *program) credentialRotate() *cobra.Command {
	var o credentialOptions
	c := &cobra.Command{
		Use:   "rotate SYSTEM",
		Short: "Add a new version, try it, and use it from then on if it works",
		Long: "Add a new version of a credential beside the present one, try it, and make it the primary if\n" +
			"the system takes it. The former one stays live: delete it with rm --version once nothing uses\n" +
			"it. With --to a version that is there already is made the primary, after it was tried.\n\n" + valueHelp +
			"\n\nExit codes: 0 the new version is used, 1 it does not work and the former is used as before,\n2 the input was refused.",
		Example: "  pass show ticket | culm credential rotate ticket\n  culm credential rotate ticket --to 3",
		Args:    cobra.ExactArgs(1),
	}
	at := p.onCredentials(c, &o)
	o.valueFlags(c)
	c.Flags().IntVar(&o.to, "to", 0, "a version that is there already")
	c.Flags().BoolVar(&o.untested, "untested", false, "do not try it first")
	c.RunE = func(c *cobra.Command, args []string) error {
		return at(c.Context(), func(ctx context.Context, at systemsAt, creds credentialsAt) error {
			v, err := p.rotate(ctx, at, creds, &o, args[0])
			if err != nil {
				return err
			}
			return p.showCredential(args[0], v, o.asJSON)
		})
	}
	return c
}

// rotate adds a version, unless it is there, tries it and promotes it.
func (p *program) rotate(ctx context.Context, at systemsAt, creds credentialsAt, o *credentialOptions, system string) (registry.CredentialView, error) {
	to := o.to
	if to == 0 {
		o.standby = true
		v, err := p.addCredential(ctx, at, creds, o, system)
		if err != nil {
			return v, err
		}
		for _, version := range v.Versions {
			to = max(to, version.Version)
		}
	}
	if !o.untested {
		res, err := creds.TestCredential(ctx, registry.TestRequest{CredentialRef: o.ref(system), Version: to})
		if err != nil {
			return registry.CredentialView{}, err
		}
		if !res.OK {
			p.printTest(res)
			return registry.CredentialView{}, failed(fmt.Errorf(p.text.of("cred.kept"), to))
		}
	}
	return creds.SetCredential(ctx, registry.CredentialRequest{CredentialRef: o.ref(system), Primary: to})
}

func (p *program) credentialRemove() *cobra.Command {
	var o credentialOptions
	c := &cobra.Command{
		Use:     "rm SYSTEM (--version N | --all)",
		Example: "  culm credential rm ticket --version 2",
		Short:   "Delete a version of a credential, or all; what is left is used",
		Args:    cobra.ExactArgs(1),
	}
	at := p.onCredentials(c, &o)
	c.Flags().IntVar(&o.version, "version", 0, "the version to delete")
	c.Flags().BoolVar(&o.all, "all", false, "delete all versions: calls of the system are refused from then on")
	c.RunE = func(c *cobra.Command, args []string) error {
		if (o.version > 0) == o.all || o.version < 0 {
			return fault.New(fault.Invalid, "%s", p.text.of("cred.which"))
		}
		return at(c.Context(), func(ctx context.Context, _ systemsAt, creds credentialsAt) error {
			return p.removeCredential(ctx, creds, &o, args[0])
		})
	}
	return c
}

func (p *program) removeCredential(ctx context.Context, creds credentialsAt, o *credentialOptions, system string) error {
	versions := []int{o.version}
	if o.all && o.isDefault { // a default goes version by version
		v, err := creds.Credential(ctx, o.ref(system))
		if err != nil {
			return err
		}
		versions = versions[:0]
		for _, version := range v.Versions {
			versions = append(versions, version.Version)
		}
	}
	for _, version := range versions {
		if err := creds.DeleteCredential(ctx, o.ref(system), version); err != nil {
			return err
		}
	}
	v, err := creds.Credential(ctx, o.ref(system))
	if err != nil {
		return err
	}
	return p.showCredential(system, v, o.asJSON)
}

func (p *program) showCredential(system string, v registry.CredentialView, asJSON bool) error {
	if asJSON {
		return p.json(v)
	}
	return p.printCredentials([]credentialLine{{system, v}})
}

func (p *program) printCredentials(all []credentialLine) error {
	w := newTable(p.out)
	for _, c := range all {
		state := "cred.unset"
		switch {
		case c.Kind == "none" && !c.Certificate:
			state = "cred.none"
		case c.Set && c.Source == registry.SourceInstallation:
			state = "cred.default"
		case c.Set:
			state = "cred.set"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", c.System, c.Kind, p.text.of(state))
		for _, v := range c.Versions {
			used := p.text.of("cred.unused")
			if v.LastUsedAt != nil {
				used = fmt.Sprintf(p.text.of("cred.used"), v.LastUsedAt.UTC().Format(time.RFC3339))
			}
			if v.ExpiresAt != nil {
				used += "\t" + fmt.Sprintf(p.text.of("cred.expires"), v.ExpiresAt.UTC().Format(time.RFC3339))
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", fmt.Sprintf(p.text.of("cred.version"), v.Version), p.text.of("cred.is."+string(v.State)),
				fmt.Sprintf(p.text.of("cred.by"), v.SetAt.UTC().Format(time.RFC3339), v.SetBy), v.Fingerprint, used)
		}
	}
	return failed(w.Flush())
}

// printTest says how far a test came.
func (p *program) printTest(r registry.ConnectionResult) {
	w := newTable(p.out)
	for _, s := range r.Steps {
		fmt.Fprintf(w, "%s\t%s\n", p.text.of("cred.stage."+string(s.Stage)), p.text.of("cred.step."+string(s.State)))
	}
	_ = w.Flush() // what follows fails, too
	called := fmt.Sprintf(p.text.of("cred.called"), r.Operation)
	if r.Operation == "" {
		called = p.text.of("cred.base." + string(r.BaseBecause))
	}
	if r.HTTPStatus != 0 {
		called += fmt.Sprintf(" · HTTP %d", r.HTTPStatus)
	}
	fmt.Fprintf(p.out, "%s · %d ms\n", called, r.DurationMS)
	if !r.OK {
		f := &contract.Failure{Code: r.Code, Message: clean(r.Message)}
		fmt.Fprintln(p.err, p.text.failureText(f))
		if p.text.failure(f) != "" {
			fmt.Fprintln(p.err, "  "+p.text.labelled(p.text.in("in its own words"), f.Message))
		}
	}
}
