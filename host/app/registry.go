package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/culmhq/culm/host/config"
	"github.com/culmhq/culm/host/gateway"
	"github.com/culmhq/culm/host/oci"
	"github.com/culmhq/culm/host/plugins"
)

// artifacts lets the catalogue fetch plugins from the configured registries.
type artifacts struct {
	client *oci.Client
	logger *slog.Logger
}

// newRegistry makes the client of the configured registries. They may be inside the
// network, because an administrator named them; what they redirect to may not, and never
// Culm itself, which the policy that is returned is told of.
func newRegistry(cfg config.Config, logger *slog.Logger) (artifacts, *gateway.AddressPolicy, error) {
	var targets []string
	for _, r := range cfg.Registries {
		name := strings.TrimPrefix(r, "http://")
		if _, _, err := net.SplitHostPort(name); err != nil {
			name = net.JoinHostPort(strings.Trim(name, "[]"), "443")
		}
		targets = append(targets, name)
	}
	policy, err := gateway.NewAddressPolicy(targets)
	if err != nil {
		return artifacts{}, nil, err
	}
	var login func(context.Context, string) (string, string, error)
	if cfg.RegistryLogins != "" {
		file := oci.FileLogins(cfg.RegistryLogins)
		if err := file.Check(); err != nil {
			return artifacts{}, nil, err
		}
		login = file.Login
	}
	return artifacts{logger: logger, client: oci.New(oci.Options{
		Credential: login,
		Registries: slices.Concat([]string{}, cfg.Registries),
		Transport: &http.Transport{
			DialContext: gateway.GuardedDial(policy), TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
			DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true,
		},
	})}, policy, nil
}

// Pull implements plugins.Registry.
func (r artifacts) Pull(ctx context.Context, reference string) (plugins.Pulled, error) {
	ref, err := oci.Parse(reference)
	if err != nil {
		return plugins.Pulled{}, err
	}
	p, err := r.client.Pull(ctx, ref)
	if err != nil {
		r.logger.WarnContext(ctx, "a plugin could not be pulled", "reference", ref.String(), "error", err)
	}
	return plugins.Pulled{Reference: p.Reference.String(), Code: p.Code, Signatures: p.Signatures}, err
}
