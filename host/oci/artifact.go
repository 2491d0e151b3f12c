package oci

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins/signing"
)

// The media types of an artifact: those of the Wasm OCI Artifact layout, and that of a
// signature.
const (
	MediaConfig    = "application/vnd.wasm.config.v0+json"
	MediaModule    = "application/wasm"
	MediaSignature = "application/vnd.culm.plugin.signature.v1+json"
	mediaEnvelope  = "application/vnd.dsse.envelope.v1+json"
)

// config is the configuration of an artifact. It has no time, so that one module gives
// one artifact.
type config struct {
	Architecture string          `json:"architecture"`
	OS           string          `json:"os"`
	LayerDigests []digest.Digest `json:"layerDigests"`
}

// Artifact is a plugin as it is shipped. Code is required.
type Artifact struct {
	// Plugin, Version and Title are shown by other tools; nothing relies on them.
	Plugin, Version, Title string
	Code                   []byte
	// Signatures are DSSE envelopes.
	Signatures [][]byte
}

// Pulled is a plugin that came from a registry.
type Pulled struct {
	// Reference names it by the digest of its manifest.
	Reference  Reference
	Code       []byte
	Signatures [][]byte
}

// Push sends a plugin with its signatures and returns the reference with the digest of
// the manifest. A reference without a tag takes the version as one. What is there
// already is not sent again.
func (c *Client) Push(ctx context.Context, ref Reference, a Artifact) (Reference, error) {
	if len(a.Code) > ModuleMaxBytes {
		return ref, fault.New(fault.TooLarge, "a module may have %d bytes at most", ModuleMaxBytes).Because("MODULE_TOO_LARGE")
	}
	if ref.Name == "" {
		ref.Name = tagOf(a.Version)
	}
	repo, err := c.repository(ref)
	if err != nil {
		return ref, err
	}
	module := describe(MediaModule, a.Code)
	module.Annotations = map[string]string{ocispec.AnnotationTitle: a.Plugin + ".wasm"}
	raw, err := json.Marshal(config{Architecture: "wasm", OS: "wasip1", LayerDigests: []digest.Digest{module.Digest}})
	if err != nil {
		return ref, fault.Wrap("describe the plugin", err)
	}
	conf := describe(MediaConfig, raw)
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: conf, Layers: []ocispec.Descriptor{module},
		Annotations: map[string]string{
			ocispec.AnnotationTitle: a.Title, ocispec.AnnotationVersion: a.Version, "io.culm.plugin.id": a.Plugin,
		},
	}
	for _, b := range []blob{{conf, raw}, {module, a.Code}} {
		if err := push(ctx, repo, b); err != nil {
			return ref, refusal(ref, err)
		}
	}
	d, err := pushManifest(ctx, repo, manifest, ref.Name)
	if err != nil {
		return ref, refusal(ref, err)
	}
	for _, s := range a.Signatures {
		if err := pushSignature(ctx, repo, d, s); err != nil {
			return ref, refusal(ref, err)
		}
	}
	return ref.pinned(d.Digest.String()), nil
}

// tagOf makes a tag of a version: a tag has no plus sign.
func tagOf(version string) string {
	return string(bytes.ReplaceAll([]byte(version), []byte("+"), []byte("_")))
}

type blob struct {
	ocispec.Descriptor
	data []byte
}

func describe(media string, data []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: media, Digest: digest.FromBytes(data), Size: int64(len(data))}
}

func push(ctx context.Context, repo *remote.Repository, b blob) error {
	there, err := repo.Blobs().Exists(ctx, b.Descriptor)
	if err != nil || there {
		return err
	}
	if err := repo.Blobs().Push(ctx, b.Descriptor, bytes.NewReader(b.data)); err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
		return err
	}
	return nil
}

// pushManifest sends a manifest, under a tag if one is given.
func pushManifest(ctx context.Context, repo *remote.Repository, m ocispec.Manifest, tag string) (ocispec.Descriptor, error) {
	raw, err := json.Marshal(m)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	d := describe(ocispec.MediaTypeImageManifest, raw)
	d.ArtifactType = m.ArtifactType
	if tag == "" {
		return d, repo.Manifests().Push(ctx, d, bytes.NewReader(raw))
	}
	return d, repo.Manifests().PushReference(ctx, d, bytes.NewReader(raw), tag)
}

// pushSignature sends a signature as an artifact that refers to the plugin's manifest.
func pushSignature(ctx context.Context, repo *remote.Repository, of ocispec.Descriptor, envelope []byte) error {
	layer := describe(mediaEnvelope, envelope)
	for _, b := range []blob{{ocispec.DescriptorEmptyJSON, ocispec.DescriptorEmptyJSON.Data}, {layer, envelope}} {
		if err := push(ctx, repo, b); err != nil {
			return err
		}
	}
	_, err := pushManifest(ctx, repo, ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: MediaSignature,
		Config: ocispec.DescriptorEmptyJSON, Layers: []ocispec.Descriptor{layer},
		Subject: &ocispec.Descriptor{MediaType: of.MediaType, Digest: of.Digest, Size: of.Size},
	}, "")
	return err
}

// Pull fetches a plugin and its signatures. The bytes are those that the digests in its
// manifest name, and the manifest is the one that the reference's digest names, if it has
// one. An artifact that is no plugin is a fault.Invalid, and a reference without a tag or a
// digest, or to a registry that is not allowed, a fault.Reference.
func (c *Client) Pull(ctx context.Context, ref Reference) (Pulled, error) {
	if ref.Name == "" {
		return Pulled{}, refused("name a tag or a digest").Because("REFERENCE_TAG")
	}
	repo, err := c.repository(ref)
	if err != nil {
		return Pulled{}, err
	}
	d, m, err := c.manifest(ctx, repo, ref)
	if err != nil {
		return Pulled{}, err
	}
	out := Pulled{Reference: ref.pinned(d.Digest.String())}
	raw, err := content.FetchAll(ctx, repo.Blobs(), m.Config)
	if err != nil {
		return Pulled{}, refusal(ref, err)
	}
	var conf config
	if err := json.Unmarshal(raw, &conf); err != nil || !slices.Equal(conf.LayerDigests, []digest.Digest{m.Layers[0].Digest}) {
		return Pulled{}, fault.At("/reference", "the configuration of the artifact is not that of its module").Because("ARTIFACT_CONFIG_OTHER")
	}
	if out.Code, err = content.FetchAll(ctx, repo.Blobs(), m.Layers[0]); err != nil {
		return Pulled{}, refusal(ref, err)
	}
	out.Signatures, err = signatures(ctx, repo, d)
	return out, refusal(ref, err)
}

// manifest fetches and checks the manifest of a plugin.
func (c *Client) manifest(ctx context.Context, repo *remote.Repository, ref Reference) (ocispec.Descriptor, ocispec.Manifest, error) {
	var m ocispec.Manifest
	d, err := repo.Resolve(ctx, ref.Name)
	if err != nil {
		return d, m, refusal(ref, err)
	}
	if d.MediaType != ocispec.MediaTypeImageManifest || d.Size > manifestMaxBytes {
		return d, m, fault.At("/reference", "it is no plugin but a %s of %d bytes", d.MediaType, d.Size).Because("ARTIFACT_OTHER")
	}
	raw, err := content.FetchAll(ctx, repo.Manifests(), d)
	if err != nil {
		return d, m, refusal(ref, err)
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return d, m, fault.At("/reference", "the manifest of the artifact cannot be read").Because("ARTIFACT_MANIFEST")
	}
	return d, m, checkManifest(m)
}

// checkManifest refuses everything but one module with its configuration. Where a layer
// says that its content lies elsewhere, that is not looked at but refused.
func checkManifest(m ocispec.Manifest) error {
	switch {
	case m.Config.MediaType != MediaConfig || m.Subject != nil:
		return fault.At("/reference", "the artifact is no plugin: its configuration is %s", m.Config.MediaType).Because("ARTIFACT_CONFIG")
	case m.Config.Size > manifestMaxBytes || m.Config.Size < 0:
		return fault.New(fault.TooLarge, "the configuration of the artifact has more than %d bytes", manifestMaxBytes).Because("ARTIFACT_CONFIG_LARGE")
	case len(m.Layers) != 1:
		return fault.At("/reference", "a plugin is one layer, and the artifact has %d", len(m.Layers)).Because("ARTIFACT_LAYERS")
	case m.Layers[0].MediaType != MediaModule:
		return fault.At("/reference", "the layer of a plugin is %s, and not %s", MediaModule, m.Layers[0].MediaType).Because("ARTIFACT_LAYER")
	case m.Layers[0].Size > ModuleMaxBytes || m.Layers[0].Size < 0:
		return fault.New(fault.TooLarge, "a module may have %d bytes at most", ModuleMaxBytes).Because("MODULE_TOO_LARGE")
	case len(m.Layers[0].URLs) > 0 || len(m.Config.URLs) > 0:
		return fault.At("/reference", "the content of the artifact lies outside of the registry").Because("ARTIFACT_OUTSIDE")
	}
	return nil
}

// signatures fetches what refers to a plugin as its signature. One that is not laid out
// as a signature is passed over: anybody who may push can attach anything.
func signatures(ctx context.Context, repo *remote.Repository, of ocispec.Descriptor) ([][]byte, error) {
	// Registries do not agree on what the type of a referrer is: the manifest says.
	var found []ocispec.Descriptor
	err := repo.Referrers(ctx, of, "", func(page []ocispec.Descriptor) error {
		found = append(found, page...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, d := range found[:min(len(found), referrersMax)] {
		if len(out) == signaturesMax {
			break
		}
		e, err := signature(ctx, repo, of, d)
		if err != nil {
			return nil, err
		}
		if e != nil {
			out = append(out, e)
		}
	}
	return out, nil
}

func signature(ctx context.Context, repo *remote.Repository, of, d ocispec.Descriptor) ([]byte, error) {
	if d.MediaType != ocispec.MediaTypeImageManifest || d.Size > manifestMaxBytes || d.Size < 0 {
		return nil, nil
	}
	raw, err := content.FetchAll(ctx, repo.Manifests(), d)
	if err != nil {
		return nil, err
	}
	var m ocispec.Manifest
	if json.Unmarshal(raw, &m) != nil || m.ArtifactType != MediaSignature || m.Subject == nil || m.Subject.Digest != of.Digest ||
		len(m.Layers) != 1 || m.Layers[0].MediaType != mediaEnvelope || m.Layers[0].Size > signing.EnvelopeMaxBytes || m.Layers[0].Size < 0 {
		return nil, nil //nolint:nilerr // no signature is no failure
	}
	return content.FetchAll(ctx, repo.Blobs(), m.Layers[0])
}

// Entry is one tag of a repository.
type Entry struct {
	Tag string `json:"tag"`
	// Manifest is the digest by which the artifact is pulled, Module that of the code.
	// They are empty where the tag is of something else than a plugin.
	Manifest string `json:"manifest,omitempty"`
	Module   string `json:"module,omitempty"`
	Version  string `json:"version,omitempty"`
	Bytes    int64  `json:"bytes,omitempty"`
}

// List returns the tags of a repository, TagsMax at most.
func (c *Client) List(ctx context.Context, ref Reference) ([]Entry, error) {
	repo, err := c.repository(ref)
	if err != nil {
		return nil, err
	}
	var tags []string
	err = repo.Tags(ctx, "", func(page []string) error {
		tags = append(tags, page...)
		if len(tags) >= TagsMax {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, refusal(ref, err)
	}
	out := []Entry{}
	for _, tag := range tags[:min(len(tags), TagsMax)] {
		if isReferrers(tag) {
			continue
		}
		e := Entry{Tag: tag}
		d, m, err := c.manifest(ctx, repo, Reference{Registry: ref.Registry, Repository: ref.Repository, Name: tag})
		switch {
		case err == nil:
			e.Manifest, e.Module, e.Version, e.Bytes = d.Digest.String(), m.Layers[0].Digest.String(), m.Annotations[ocispec.AnnotationVersion], m.Layers[0].Size
		case fault.Is(err, fault.Registry):
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// isReferrers reports whether a tag is the one under which registries without a list of
// referrers keep it.
func isReferrers(tag string) bool {
	sum, ok := strings.CutPrefix(tag, "sha256-")
	return ok && len(sum) == 64
}

var errEnough = errors.New("oci: enough tags")
