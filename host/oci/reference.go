// Package oci ships plugins as OCI artifacts: one module, laid out as the CNCF's Wasm OCI
// Artifact layout says, with its signatures as referrers. What comes from a registry is
// read within limits and checked against the digests that name it; who vouches for it is
// for others to decide.
package oci

import (
	"net"
	"net/netip"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry"

	"github.com/culmhq/culm/host/fault"
)

// Reference names a plugin in a registry: "registry.example.org/acme/ticket:1.2.0", or
// with "@sha256:..." in place of the tag. The zero value names nothing.
type Reference struct {
	// Registry is a host name with a port, if it is not that of HTTPS.
	Registry   string
	Repository string
	// Tag or digest of the manifest; empty where only the repository is named.
	Name string
}

// String writes the reference as Parse reads it.
func (r Reference) String() string {
	switch {
	case r.Name == "":
		return r.Registry + "/" + r.Repository
	case strings.Contains(r.Name, ":"):
		return r.Registry + "/" + r.Repository + "@" + r.Name
	default:
		return r.Registry + "/" + r.Repository + ":" + r.Name
	}
}

// pinned is the reference with the digest of the manifest in place of the tag.
func (r Reference) pinned(digest string) Reference {
	r.Name = digest
	return r
}

// hostPattern is a host name or an address, with a port or without.
func hostPattern() *regexp.Regexp {
	return regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9.-]{0,250}[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?$`)
}

// Parse reads a reference. It is no URL: what has a scheme, a user, a query or anything
// else of one is a fault.Reference at /reference.
func Parse(s string) (Reference, error) {
	if len(s) > 512 || strings.Contains(s, "//") || strings.ContainsAny(s, " \t\r\n\\?#%") {
		return Reference{}, refused("a plugin in a registry is named as registry/repository:tag, without a scheme").Because("REFERENCE_SCHEME")
	}
	host, _, ok := strings.Cut(s, "/")
	if !ok || !hostPattern().MatchString(host) || (!strings.ContainsAny(host, ".:") && host != "localhost") {
		return Reference{}, refused("a reference begins with the host of the registry").Because("REFERENCE_HOST")
	}
	r, err := registry.ParseReference(s)
	if err != nil {
		return Reference{}, refused("a plugin in a registry is named as registry/repository:tag or registry/repository@sha256:...").Because("REFERENCE_FORM")
	}
	return Reference{Registry: r.Registry, Repository: r.Repository, Name: r.Reference}, nil
}

// refused makes a fault.Reference.
func refused(format string, args ...any) *fault.Error {
	e := fault.New(fault.Reference, format, args...)
	e.Field = "/reference"
	return e
}

// IsReference reports whether a name is one of a plugin in a registry rather than that
// of a file.
func IsReference(s string) bool {
	_, err := Parse(s)
	return err == nil && !strings.HasPrefix(s, ".") && !strings.HasPrefix(s, "/")
}

// loopback reports whether a registry is on this machine: only there it may be spoken to
// without TLS.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(name, "[]"))
	return err == nil && ip.IsLoopback()
}
