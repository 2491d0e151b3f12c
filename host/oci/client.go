package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/culmhq/culm/host/fault"
)

// The bounds of what is read from a registry.
const (
	// ModuleMaxBytes is the size of the largest module.
	ModuleMaxBytes = 16 << 20
	// manifestMaxBytes is the size of the largest manifest or configuration.
	manifestMaxBytes = 64 << 10
	// overheadBytes is what one operation may read besides a module: manifests, lists,
	// signatures, refusals.
	overheadBytes = 2 << 20
	// signaturesMax bounds the signatures of one module that are read.
	signaturesMax = 16
	// referrersMax bounds what refers to a module and is looked at.
	referrersMax = 64
	// TagsMax bounds the tags of a repository that are listed.
	TagsMax      = 200
	pagesMax     = 10
	redirectsMax = 5
	timeout      = 2 * time.Minute

	handshakeTimeout = 10 * time.Second
	headerTimeout    = 30 * time.Second
)

// Options are what a client needs; every field may be left out.
type Options struct {
	// Registries lists the registries that may be asked, as host or host:port, with
	// "http://" before one on this machine that has no TLS. Nil allows every registry,
	// and speaks without TLS to those on this machine.
	Registries []string
	// Transport makes the connections; nil takes one that asks nobody whom it dials.
	Transport http.RoundTripper
	// Credential finds the login of a registry; two empty strings go in without one.
	Credential func(ctx context.Context, registry string) (username, password string, err error)
}

// Client ships plugins to and from registries. It is safe for concurrent use.
type Client struct{ o Options }

// New makes a client.
func New(o Options) *Client {
	if o.Transport == nil {
		o.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, DisableCompression: true, ForceAttemptHTTP2: true,
			TLSHandshakeTimeout: handshakeTimeout, ResponseHeaderTimeout: headerTimeout, MaxResponseHeaderBytes: manifestMaxBytes,
		}
	}
	return &Client{o: o}
}

// allowed reports whether a registry may be asked, and whether without TLS.
func (c *Client) allowed(registry string) (plain bool, err error) {
	if c.o.Registries == nil {
		return loopback(registry), nil
	}
	switch {
	case slices.Contains(c.o.Registries, registry):
		return false, nil
	case slices.Contains(c.o.Registries, "http://"+registry) && loopback(registry):
		return true, nil
	default:
		return false, refused("registry %s is not among those that an administrator allowed", registry).Because("REGISTRY_NOT_ALLOWED")
	}
}

// repository opens a repository for one operation, which reads a bounded number of bytes.
func (c *Client) repository(ref Reference) (*remote.Repository, error) {
	plain, err := c.allowed(ref.Registry)
	if err != nil {
		return nil, err
	}
	r, err := remote.NewRepository(Reference{Registry: ref.Registry, Repository: ref.Repository}.String())
	if err != nil {
		return nil, refused("the repository cannot be named so").Because("REPOSITORY_NAME")
	}
	r.PlainHTTP = plain
	r.TagListMaxPages, r.ReferrerListMaxPages = pagesMax, pagesMax
	r.MaxMetadataBytes = overheadBytes / 2
	// Where a registry keeps no list of what refers to an artifact, the list is an artifact of its own, which each
	// signature replaces. Registries that let nobody delete are the rule: the list before stays there.
	r.SkipReferrersGC = true
	client := &auth.Client{
		Client: &http.Client{
			Transport: &bounded{next: c.o.Transport, plain: plain},
			Timeout:   timeout, CheckRedirect: redirect(plain),
		},
		Cache: auth.NewCache(),
		Credential: func(ctx context.Context, registry string) (auth.Credential, error) {
			if c.o.Credential == nil {
				return auth.EmptyCredential, nil
			}
			user, password, err := c.o.Credential(ctx, registry)
			return auth.Credential{Username: user, Password: password}, err
		},
	}
	client.SetUserAgent("culm")
	if loopback(ref.Registry) {
		client.BlockedRealmPrefixes = []netip.Prefix{}
	}
	r.Client = client
	return r, nil
}

// redirect follows a registry to where it keeps its content, as long as that has TLS.
func redirect(plain bool) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, via []*http.Request) error {
		if len(via) > redirectsMax || (r.URL.Scheme != "https" && !plain) {
			return http.ErrUseLastResponse
		}
		return nil
	}
}

// bounded counts what is read and ends it when it is too much.
type bounded struct {
	next  http.RoundTripper
	plain bool
	read  atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !b.plain {
		return nil, errPlain
	}
	res, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = &boundedBody{res.Body, b}
	return res, nil
}

type boundedBody struct {
	io.ReadCloser
	of *bounded
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.of.read.Add(int64(n)) > ModuleMaxBytes+overheadBytes {
		return 0, errTooMuch
	}
	return n, err
}

var (
	errTooMuch = errors.New("oci: the registry sends more than a plugin can have")
	errPlain   = errors.New("oci: a connection without TLS")
)

// answerError is the cause of a refusal by a registry. Of what the registry wrote nothing is
// in it: causes are logged, and a registry could send back the login that it was shown.
type answerError struct {
	method, host string
	status       int
}

func (e *answerError) Error() string {
	return fmt.Sprintf("oci: %s at %s was answered with %d", e.method, e.host, e.status)
}

// withoutText is err, without what a registry wrote.
func withoutText(ref Reference, err error) error {
	var status *errcode.ErrorResponse
	if !errors.As(err, &status) {
		return err
	}
	host := ref.Registry
	if status.URL != nil {
		host = status.URL.Host
	}
	return &answerError{method: status.Method, host: host, status: status.StatusCode}
}

// refusal makes a fault of what a registry or the way to it answered.
func refusal(ref Reference, err error) error {
	var f *fault.Error
	var status *errcode.ErrorResponse
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return err
	case errors.Is(err, errTooMuch), errors.Is(err, errdef.ErrSizeExceedsLimit):
		return fault.New(fault.TooLarge, "%s sends more than a plugin can have", ref.Registry).Because("REGISTRY_TOO_MUCH")
	case errors.Is(err, errdef.ErrNotFound):
		return fault.Missing("plugin in the registry", ref.String())
	case errors.As(err, &status) && (status.StatusCode == http.StatusUnauthorized || status.StatusCode == http.StatusForbidden):
		return &fault.Error{Code: fault.Registry, Message: "registry " + ref.Registry + " does not let this login in", Reason: "REGISTRY_LOGIN", Cause: withoutText(ref, err)}
	case errors.As(err, &status) && status.StatusCode == http.StatusNotFound:
		return fault.Missing("plugin in the registry", ref.String())
	case unreachable(err):
		return &fault.Error{Code: fault.Registry, Message: "registry " + ref.Registry + " cannot be reached", Reason: "REGISTRY_AWAY", Cause: withoutText(ref, err)}
	default:
		return &fault.Error{Code: fault.Registry, Message: "registry " + ref.Registry + " did not answer as registries do", Reason: "REGISTRY_ANSWER", Cause: withoutText(ref, err)}
	}
}

// unreachable reports whether no connection came about.
func unreachable(err error) bool {
	var dial *net.OpError
	var name *net.DNSError
	return errors.As(err, &dial) && dial.Op == "dial" || errors.As(err, &name)
}
