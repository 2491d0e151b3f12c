package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/oci"
	"github.com/culmhq/culm/host/plugins/build"
)

// The login of a registry, where the configuration file of docker has none.
const (
	envRegistryUser     = "CULM_REGISTRY_USERNAME"
	envRegistryPassword = "CULM_REGISTRY_PASSWORD"
)

const registryHelp = "\n\nThe login of the registry is taken from " + envRegistryUser + " and\n" + envRegistryPassword +
	", or from the file of docker login (config.json; its credential\nhelpers are not run). Only registries on this machine are spoken to without TLS."

// registry makes the client for a registry that a person named.
func (p *program) registry() *oci.Client {
	return oci.New(oci.Options{Credential: p.registryLogin})
}

// registryLogin finds the login of a registry. No program is started for it.
func (p *program) registryLogin(ctx context.Context, registry string) (string, string, error) {
	if user := p.getenv(envRegistryUser); user != "" {
		return user, p.getenv(envRegistryPassword), nil
	}
	dir := p.getenv("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(p.getenv("HOME"), ".docker")
	}
	user, password, err := oci.FileLogins(filepath.Join(dir, "config.json")).Login(ctx, registry)
	if errors.Is(err, fs.ErrNotExist) {
		return "", "", nil
	}
	return user, password, err
}

// shippedPlugin is what push and pull print.
type shippedPlugin struct {
	Reference  string `json:"reference"`
	Plugin     string `json:"plugin"`
	Version    string `json:"version"`
	Digest     string `json:"digest"`
	File       string `json:"file,omitempty"`
	Signatures int    `json:"signatures"`
}

func (p *program) pluginPush() *cobra.Command {
	var signatures []string
	var asJSON bool
	c := &cobra.Command{
		Use:   "push MODULE.wasm REGISTRY/REPOSITORY[:TAG]",
		Short: "Send a plugin to a registry, as an OCI artifact",
		Long: "Send a plugin to a registry as an OCI artifact, with the signature that lies beside it or the\n" +
			"ones that are named. Without a tag the version is one. The reference with the digest is printed:\n" +
			"it names these bytes for ever." + registryHelp,
		Example: "  culm plugin push ticket.wasm registry.example.com/acme/ticket",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := oci.Parse(args[1])
			if err != nil {
				return err
			}
			code, envelopes, err := readSigned(args[0], signatures)
			if err != nil {
				return err
			}
			m, err := build.ReadManifest(code)
			if err != nil {
				return say("%s: %s", args[0], err)
			}
			pushed, err := p.registry().Push(c.Context(), ref, oci.Artifact{
				Plugin: m.ID, Version: m.Version, Title: m.Title.In("en"), Code: code, Signatures: envelopes,
			})
			if err != nil {
				return err
			}
			return p.shipped(shippedPlugin{
				Reference: pushed.String(), Plugin: m.ID, Version: m.Version, Digest: build.Digest(code), Signatures: len(envelopes),
			}, asJSON)
		},
	}
	c.Flags().StringArrayVar(&signatures, "signature", nil, "file of a signature (default: MODULE.wasm"+app.SignatureSuffix+")")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func (p *program) pluginPull() *cobra.Command {
	var out string
	var asJSON bool
	c := &cobra.Command{
		Use:   "pull REGISTRY/REPOSITORY:TAG|@DIGEST",
		Short: "Fetch a plugin from a registry",
		Long: "Fetch a plugin from a registry, and its signatures, which are written beside it. Nothing of it\n" +
			"is run, and who signed it is not checked: culm plugin verify does that." + registryHelp,
		Example: "  culm plugin pull registry.example.com/acme/ticket:1.2.0",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := oci.Parse(args[0])
			if err != nil {
				return err
			}
			got, err := p.registry().Pull(c.Context(), ref)
			if err != nil {
				return err
			}
			m, err := build.ReadManifest(got.Code)
			if err != nil {
				return say("%s: %s", args[0], err)
			}
			if out == "" {
				out = m.ID + ".wasm"
			}
			if err := writePulled(out, got); err != nil {
				return failed(err)
			}
			return p.shipped(shippedPlugin{
				Reference: got.Reference.String(), Plugin: m.ID, Version: m.Version, Digest: build.Digest(got.Code),
				File: out, Signatures: len(got.Signatures),
			}, asJSON)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "the module to write (default: the plugin's id with .wasm)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// writePulled writes a module, and each of its signatures beside it.
func writePulled(out string, got oci.Pulled) error {
	if err := os.WriteFile(out, got.Code, 0o644); err != nil {
		return err
	}
	for i, s := range got.Signatures {
		name := out + app.SignatureSuffix
		if i > 0 {
			name = fmt.Sprintf("%s.%d", name, i+1)
		}
		if err := os.WriteFile(name, s, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) shipped(s shippedPlugin, asJSON bool) error {
	if asJSON {
		return p.json(s)
	}
	_, err := fmt.Fprintf(p.out, "%s %s  %s\n  %s\n", s.Plugin, s.Version, s.Digest, s.Reference)
	return failed(err)
}

func (p *program) pluginTags() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "ls REGISTRY/REPOSITORY",
		Short:   "List the plugins of a repository in a registry",
		Long:    "List the tags of a repository in a registry, and the modules that they name now." + registryHelp,
		Example: "  culm plugin ls registry.example.com/acme/ticket",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ref, err := oci.Parse(args[0])
			if err != nil {
				return err
			}
			if ref.Name != "" {
				return sayAs(fault.Invalid, "a repository is named without a tag")
			}
			entries, err := p.registry().List(c.Context(), ref)
			if err != nil {
				return err
			}
			if asJSON {
				return p.json(entries)
			}
			w := newTable(p.out)
			for _, e := range entries {
				fmt.Fprintf(w, "%s\t%s\t%s\n", e.Tag, e.Version, e.Module)
			}
			return failed(w.Flush())
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
