package main

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/signing"
)

// envSigningKey may hold the private key itself, in PEM, so that a build machine needs
// no file of it.
const envSigningKey = "CULM_SIGNING_KEY"

// keyInfo is what keygen prints.
type keyInfo struct {
	ID      string `json:"id"`
	Private string `json:"private"`
	Public  string `json:"public"`
}

func (p *program) pluginKeygen() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "keygen NAME",
		Short: "Make a key for signing plugins",
		Long: "Make an Ed25519 key for signing plugins: NAME.key is the private key, which nobody else may\n" +
			"read, and NAME.pub the public key, for those who are to trust it. Files that exist stay.",
		Example: "  culm plugin keygen acme",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := signing.Generate()
			if err != nil {
				return failed(err)
			}
			private, err := signing.MarshalPrivate(key)
			if err != nil {
				return failed(err)
			}
			public, err := signing.MarshalPublic(publicOf(key))
			if err != nil {
				return failed(err)
			}
			info := keyInfo{ID: signing.KeyID(publicOf(key)), Private: args[0] + ".key", Public: args[0] + ".pub"}
			if err := p.writeNew(info.Private, private, 0o600); err != nil {
				return err
			}
			if err := p.writeNew(info.Public, public, 0o644); err != nil {
				return err
			}
			if asJSON {
				return p.json(info)
			}
			_, err = fmt.Fprintf(p.out, "%s  %s  %s\n", info.Private, info.Public, info.ID)
			return failed(err)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// publicOf is the public half of a key.
func publicOf(key ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(key[ed25519.SeedSize:])
}

// writeNew writes a file that must not be there yet.
func (p *program) writeNew(name string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf(p.text.of("key.exists"), name)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// signature is what sign and verify print.
type signature struct {
	Plugin     string              `json:"plugin"`
	Version    string              `json:"version"`
	Digest     string              `json:"digest"`
	File       string              `json:"file,omitempty"`
	Key        string              `json:"key,omitempty"`
	Signatures []plugins.Signature `json:"signatures,omitempty"`
}

func (p *program) pluginSign() *cobra.Command {
	var keyFile, out string
	var asJSON bool
	c := &cobra.Command{
		Use:   "sign MODULE.wasm",
		Short: "Sign a plugin",
		Long: "Sign the id, version and digest of a plugin (an in-toto statement in a DSSE envelope), and\n" +
			"write the signature beside the module. The key is that of --key, or the PEM text in\n" +
			envSigningKey + ".",
		Example: "  culm plugin sign ticket.wasm --key acme.key",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := p.signingKey(keyFile)
			if err != nil {
				return err
			}
			subject, err := subjectOf(args[0])
			if err != nil {
				return err
			}
			envelope, err := signing.Sign(key, subject)
			if err != nil {
				return err
			}
			if out == "" {
				out = args[0] + app.SignatureSuffix
			}
			if err := os.WriteFile(out, append(envelope, '\n'), 0o644); err != nil {
				return failed(err)
			}
			s := signature{Plugin: subject.Plugin, Version: subject.Version, Digest: subject.Digest, File: out, Key: signing.KeyID(publicOf(key))}
			if asJSON {
				return p.json(s)
			}
			_, err = fmt.Fprintf(p.out, "%s %s  %s  %s\n", s.Plugin, s.Version, s.File, s.Digest)
			return failed(err)
		},
	}
	c.Flags().StringVar(&keyFile, "key", "", "file of the private key ("+envSigningKey+" holds the key itself)")
	c.Flags().StringVarP(&out, "output", "o", "", "the signature to write (default: MODULE.wasm"+app.SignatureSuffix+")")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// signingKey reads the private key of a file, or of the environment.
func (p *program) signingKey(file string) (ed25519.PrivateKey, error) {
	if file == "" {
		text := p.getenv(envSigningKey)
		if text == "" {
			return nil, fmt.Errorf(p.text.of("key.none"), envSigningKey)
		}
		return signing.ParsePrivate([]byte(text))
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := signing.ParsePrivate(text)
	if err != nil {
		return nil, say("%s: %s", file, err)
	}
	if info.Mode().Perm()&0o077 != 0 { // a public key may be read by everybody: it was refused above
		return nil, say("%s: other users can read this key; run chmod 600 %s", file, file)
	}
	return key, nil
}

// subjectOf says what a signature of a module is about.
func subjectOf(file string) (signing.Subject, error) {
	code, err := os.ReadFile(file)
	if err != nil {
		return signing.Subject{}, err
	}
	m, err := build.ReadManifest(code)
	if err != nil {
		return signing.Subject{}, say("%s: %s", file, err)
	}
	return signing.Subject{Plugin: m.ID, Version: m.Version, Digest: build.Digest(code)}, nil
}

// trustFlags are where verify takes the trusted keys from.
type trustFlags struct {
	keys       []string
	file, data string
}

func (p *program) pluginVerify() *cobra.Command {
	var from trustFlags
	var signatures []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify MODULE.wasm",
		Short: "Check who signed a plugin",
		Long: "Check that a key that is trusted signed exactly this module, and say whose it is. Trusted are\n" +
			"the public keys of --key, or the keys of --trust, or those of the data directory.\n\n" +
			"Exit codes: 0 a trusted key signed it, 2 none did, or the input was refused.",
		Example: "  culm plugin verify ticket.wasm --key acme.pub",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			trust, err := from.read(p.text)
			if err != nil {
				return err
			}
			subject, err := subjectOf(args[0])
			if err != nil {
				return err
			}
			_, envelopes, err := readSigned(args[0], signatures)
			if err != nil {
				return err
			}
			s := signature{Plugin: subject.Plugin, Version: subject.Version, Digest: subject.Digest}
			for _, e := range envelopes {
				counted, err := trust.Verify(e, subject)
				if err != nil {
					return fault.New(fault.SignaturePolicy, "%s: %s", args[0], err)
				}
				s.Signatures = append(s.Signatures, counted...)
			}
			if len(envelopes) == 0 {
				return fault.New(fault.SignaturePolicy, p.text.of("verify.unsigned"), args[0], args[0]+app.SignatureSuffix)
			}
			if len(s.Signatures) == 0 {
				return fault.New(fault.SignaturePolicy, p.text.of("verify.untrusted"), args[0])
			}
			if asJSON {
				return p.json(s)
			}
			for _, by := range s.Signatures {
				fmt.Fprintf(p.out, "%s %s  %s  %s\n", s.Plugin, s.Version, fmt.Sprintf(p.text.of("signed by"), by.Publisher), by.KeyID)
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&from.keys, "key", nil, "file of a public key (may be repeated)")
	c.Flags().StringVar(&from.file, "trust", "", "file of trusted keys")
	c.Flags().StringVar(&from.data, "data", config.Default().Data, "the data directory, whose "+app.TrustFile+" is taken")
	c.Flags().StringArrayVar(&signatures, "signature", nil, "file of a signature (default: MODULE.wasm"+app.SignatureSuffix+")")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (f trustFlags) read(t text) (plugins.Trust, error) {
	if len(f.keys) == 0 {
		file := f.file
		if file == "" {
			file = filepath.Join(f.data, app.TrustFile)
		}
		content, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return plugins.Trust{}, fmt.Errorf(t.of("verify.keys"), file)
		}
		if err != nil {
			return plugins.Trust{}, err
		}
		keys, err := app.ParseTrust(content)
		if err != nil {
			return plugins.Trust{}, say("%s: %s", file, err)
		}
		return plugins.Trust{Keys: keys}, nil
	}
	var trust plugins.Trust
	for _, file := range f.keys {
		public, err := readPublic(file)
		if err != nil {
			return trust, err
		}
		name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
		trust.Keys = append(trust.Keys, plugins.Key{ID: signing.KeyID(public), Publisher: name, Public: public})
	}
	return trust, nil
}

func readPublic(file string) (ed25519.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	key, err := signing.ParsePublic(text)
	if err != nil {
		return nil, say("%s: %s", file, err)
	}
	return key, nil
}

func (p *program) pluginTrust() *cobra.Command {
	var publisher, file, data string
	var patterns []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "trust KEY.pub",
		Short: "Trust a publisher's key",
		Long: "Add a public key to the file of trusted keys. A server reads it when it starts. The plugin ids\n" +
			"of --plugins belong to the publisher from then on: only this key, and others for which they\n" +
			"are named, sign those.",
		Example: "  culm plugin trust acme.pub --publisher acme --plugins 'acme-*'",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			public, err := readPublic(args[0])
			if err != nil {
				return err
			}
			text, err := signing.MarshalPublic(public)
			if err != nil {
				return failed(err)
			}
			if file == "" {
				file = filepath.Join(data, app.TrustFile)
			}
			if err := p.addTrust(file, app.TrustedKey{Publisher: publisher, Key: string(text), Plugins: patterns}); err != nil {
				return err
			}
			if asJSON {
				return p.json(plugins.KeyView{ID: signing.KeyID(public), Publisher: publisher, Plugins: append([]string{}, patterns...)})
			}
			if _, err = fmt.Fprintf(p.out, "%s  %s  %s\n", file, publisher, signing.KeyID(public)); err != nil {
				return failed(err)
			}
			fmt.Fprintln(p.err, p.text.of("trust.start"))
			return nil
		},
	}
	c.Flags().StringVar(&publisher, "publisher", "", "whose key it is")
	c.Flags().StringArrayVar(&patterns, "plugins", nil, "pattern of the plugin ids that belong to the publisher (may be repeated)")
	c.Flags().StringVar(&file, "trust", "", "the file (default: "+app.TrustFile+" in the data directory)")
	c.Flags().StringVar(&data, "data", config.Default().Data, "the data directory")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	if err := c.MarkFlagRequired("publisher"); err != nil {
		panic(err) // the flag is defined above
	}
	return c
}

// addTrust adds a key to a file of trusted keys, which need not be there.
func (p *program) addTrust(file string, k app.TrustedKey) error {
	content, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		have, err := app.ParseTrust(content)
		if err != nil {
			return say("%s: %s", file, err)
		}
		id, err := signing.ParsePublic([]byte(k.Key))
		if err != nil {
			return failed(err)
		}
		for _, h := range have {
			if h.ID == signing.KeyID(id) {
				return fault.New(fault.Exists, p.text.of("trust.twice"), file, h.Publisher)
			}
		}
	}
	one, err := yaml.Marshal(map[string]any{"keys": []map[string]any{written(k)}})
	if err != nil {
		return failed(err)
	}
	// The text of the file is kept, with the comments in it.
	text := string(one)
	if strings.TrimSpace(string(content)) != "" {
		if !strings.HasSuffix(string(content), "\n") {
			content = append(content, '\n')
		}
		text = string(content) + strings.TrimPrefix(text, "keys:\n")
	}
	if _, err := app.ParseTrust([]byte(text)); err != nil {
		return say("%s: %s", file, err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return failed(err)
	}
	temporary := file + ".new"
	if err := os.WriteFile(temporary, []byte(text), 0o600); err != nil {
		return failed(err)
	}
	return failed(os.Rename(temporary, file))
}

func written(k app.TrustedKey) map[string]any {
	e := map[string]any{"publisher": k.Publisher, "key": k.Key}
	if len(k.Plugins) > 0 {
		e["plugins"] = k.Plugins
	}
	return e
}
