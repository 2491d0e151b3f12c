package api

import (
	"context"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins"
)

// How a module is sent: as it is, each of its signatures in a header of its own.
const (
	mediaWasm       = "application/wasm"
	headerSignature = "Plugin-Signature"
)

// module stands for a body that is the bytes of a module.
type module struct{}

type versionsBody struct {
	Items []plugins.Module `json:"items"`
}

type pullBody struct {
	// Reference names a plugin in a registry: registry/repository:tag.
	Reference string `json:"reference"`
	Override  bool   `json:"override,omitempty"`
}

type changeBody struct {
	Command  plugins.Change `json:"command"`
	Override bool           `json:"override,omitempty"`
	Reason   string         `json:"reason,omitempty"`
}

type signatureBody struct {
	// Envelope is the DSSE envelope as text.
	Envelope string `json:"envelope"`
}

type revokeBody struct {
	Reason string `json:"reason,omitempty"`
}

func (s *Server) listInstalled(_ context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Plugins.Installed(plugins.InstalledQuery{Search: r.query.Get("q"), Page: q}))
}

func (s *Server) installPlugin(ctx context.Context, r *request) (answer, error) {
	override := r.query.Get("override")
	if override != "" && override != "true" && override != "false" {
		return answer{}, fault.At("/override", "override is true or false").Because("CHOICE")
	}
	return created(s.o.Plugins.Install(ctx, plugins.InstallRequest{
		Actor: actor(), Code: r.body, Signatures: r.signatures, Override: override == "true",
	}))
}

func (s *Server) pullPlugin(ctx context.Context, r *request) (answer, error) {
	var b pullBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return created(s.o.Plugins.Pull(ctx, plugins.PullRequest{Actor: actor(), Reference: b.Reference, Override: b.Override}))
}

// listPluginVersions answers every version without its manifest: versions are few, and
// manifests can be large.
func (s *Server) listPluginVersions(_ context.Context, r *request) (answer, error) {
	vs, err := s.o.Plugins.Versions(r.params["plugin"])
	for i := range vs {
		vs[i].Manifest = nil
	}
	return ok(versionsBody{vs}, err)
}

func (s *Server) getPluginVersion(_ context.Context, r *request) (answer, error) {
	return ok(s.o.Plugins.Version(r.params["plugin"], r.params["digest"]))
}

func (s *Server) changePluginVersion(ctx context.Context, r *request) (answer, error) {
	var b changeBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Plugins.Change(ctx, plugins.ChangeRequest{
		Actor: actor(), Plugin: r.params["plugin"], Digest: r.params["digest"], Change: b.Command, Override: b.Override, Reason: b.Reason,
	}))
}

func (s *Server) signPluginVersion(ctx context.Context, r *request) (answer, error) {
	var b signatureBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	return ok(s.o.Plugins.Sign(ctx, actor(), r.params["plugin"], r.params["digest"], [][]byte{[]byte(b.Envelope)}))
}

func (s *Server) getPluginHistory(ctx context.Context, r *request) (answer, error) {
	q, err := r.page()
	if err != nil {
		return answer{}, err
	}
	return ok(s.o.Plugins.History(ctx, r.params["plugin"], q))
}

func (s *Server) getTrust(context.Context, *request) (answer, error) {
	return answer{body: s.o.Plugins.Trust()}, nil
}

func (s *Server) revokeKey(ctx context.Context, r *request) (answer, error) {
	var b revokeBody
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	err := s.o.Plugins.RevokeKey(ctx, actor(), r.params["key"], b.Reason)
	return answer{body: s.o.Plugins.Trust()}, err
}
