package gateway

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// The limits of a connection.
const (
	dialTimeout         = 10 * time.Second
	handshakeTimeout    = 10 * time.Second
	idleTimeout         = 90 * time.Second
	maxResponseHeaders  = 64 << 10
	maxIdlePerSystem    = 256 // fewer than a system has places would mean a new connection for many a call
	maxIdle             = 2048
	maxHeaderValueBytes = 4 << 10
	believedBytes       = 64 << 10
)

// Trust holds the certificates of authorities.
type Trust struct{ pool *x509.CertPool }

// NewTrust reads PEM certificates, in addition to those of the machine.
func NewTrust(pem []byte) (*Trust, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("gateway: read the machine's certificates: %w", err)
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("gateway: no certificate can be read from the given ones")
	}
	return &Trust{pool}, nil
}

// transport sends requests. It follows no redirect, keeps no cookie, uses no proxy
// from the environment, verifies TLS always, and asks the address policy about every
// connection.
type transport struct {
	line      *line
	trusting  clones[systems.TLS]
	certified clones[certifiedKey]
	clock     Clock
}

func newTransport(policy *AddressPolicy, trust *Trust, clock Clock) *transport {
	var roots *x509.CertPool
	if trust != nil {
		roots = trust.pool
	}
	return &transport{clock: clock, line: &line{
		dial: GuardedDial(policy),
		tls:  &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
	}}
}

// GuardedDial makes a dialler that asks a policy about every address after resolving and
// before connecting, when nothing can change it any more.
func GuardedDial(policy *AddressPolicy) func(ctx context.Context, network, address string) (net.Conn, error) {
	return guardedDial(policy, nil)
}

// guardedDial asks a name server of its own, or the machine's where it is nil.
func guardedDial(policy *AddressPolicy, names *net.Resolver) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("gateway: dial: %w", err)
		}
		d := net.Dialer{Timeout: dialTimeout, Resolver: names, Control: func(_, resolved string, _ syscall.RawConn) error {
			addr, err := netip.ParseAddrPort(resolved)
			if err != nil {
				return &EgressError{Reason: "the address cannot be read"}
			}
			return policy.Check(host, port, addr)
		}}
		return d.DialContext(ctx, network, address)
	}
}

// send makes the call: the last handler of the chain.
func (t *transport) send(ctx context.Context, c *call) contract.GatewayResponse {
	via, f := t.way(c)
	if f != nil {
		return failed(f)
	}
	p := &parcel{exchange: exchange{credential: c.credential, isFresh: c.isFresh, repeats: c.repeats()}}
	req := c.httpRequest(p)
	if c.authorize != nil {
		c.authorize(req, c.payload())
	}
	c.tries++
	res, err := via.do(ctx, req, &p.exchange)
	c.sent = c.sent || p.connected
	if err != nil {
		c.cause = err
		return c.sentAs(failed(c.sendFailure(ctx, err)), c.requestID)
	}
	c.retryAfter = retryAfter(res.Header, t.clock.Now())
	defer res.Body.Close() //nolint:errcheck // read to its end or given up
	id := requestID(res.Header, c.requestID)
	out, f := c.read(ctx, res)
	if f != nil {
		return c.sentAs(failed(f), id)
	}
	return c.sentAs(out, id)
}

// parcel is what one try needs, in one piece of memory: many small ones are felt where many
// calls are made.
type parcel struct {
	exchange
	req    http.Request
	url    url.URL // a credential may go into the query of this one
	values [5]string
}

// repeats reports whether the request may be sent again by itself.
func (c *call) repeats() bool {
	return c.op.Retry == systems.RetrySafe || c.op.Retry == systems.RetryKeyed && c.key != ""
}

// way is what a call goes through.
func (t *transport) way(c *call) (*line, *contract.Failure) {
	base, err := t.trust(t.line, c.system.System.TLS)
	if err != nil {
		return nil, fault(contract.OriginGateway, CodeTLSFailed, "the authorities of the system cannot be read")
	}
	via, err := t.via(base, c.credential)
	if err != nil {
		return nil, fault(contract.OriginGateway, CodeCredentialMissing, "the client certificate cannot be used: set it again")
	}
	return via, nil
}

// payload is the body as it is sent.
func (c *call) payload() []byte {
	if c.wire != nil {
		return c.wire.body
	}
	return c.request.body
}

// httpRequest makes the request as net/http sends it. The address was checked and is not
// read again.
func (c *call) httpRequest(p *parcel) *http.Request {
	out := c.request
	if c.wire != nil {
		out = c.wire
	}
	p.url = *out.url
	p.req = http.Request{
		Method: out.method, URL: &p.url, Host: p.url.Host, Header: make(http.Header, len(out.header)+6),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	req := &p.req
	for name, vs := range out.header {
		req.Header[name] = vs
	}
	c.ownHeaders(p)
	if out.body != nil {
		req.Header.Set("Content-Type", "application/json")
		req.ContentLength = int64(len(out.body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(out.body)), nil }
		req.Body, _ = req.GetBody()
	}
	if c.op.Retry == systems.RetryKeyed && c.key != "" {
		req.Header.Set(cmp.Or(c.op.KeyHeader, systems.DefaultKeyHeader), c.key)
	}
	return req
}

// ownHeaders puts the headers of the gateway's own on a request. They are kept in it.
func (c *call) ownHeaders(p *parcel) {
	if c.requestID == "" {
		c.requestID = newRequestID()
	}
	h, values := p.req.Header, &p.values
	*values = [...]string{c.requestID, "culm", "application/json, */*;q=0.5", c.traceparent, "gzip"}
	if h.Get(requestIDHeader) == "" { // the operation may declare it as a parameter of its own
		h[requestIDHeader] = values[0:1:1]
	}
	h["User-Agent"], h["Accept"] = values[1:2:2], values[2:3:3]
	if c.traceparent != "" {
		h["Traceparent"] = values[3:4:4]
	}
	// Some servers answer HEAD and parts of a document wrongly when they may compress.
	if p.req.Method != http.MethodHead && h.Get("Range") == "" && h.Get("Accept-Encoding") == "" {
		h["Accept-Encoding"], p.unzips = values[4:5:5], true
	}
}

// read turns an HTTP answer into a response, within the limits.
func (c *call) read(ctx context.Context, res *http.Response) (contract.GatewayResponse, *contract.Failure) {
	out := contract.GatewayResponse{Status: res.StatusCode}
	most := c.system.Limits.ResponseBytes
	switch {
	case res.StatusCode < 200 || res.StatusCode > 599:
		return out, c.invalid(res.StatusCode, fmt.Sprintf("the status %d is not one that ends a call", res.StatusCode))
	case res.Header.Get("Content-Encoding") != "" && !strings.EqualFold(res.Header.Get("Content-Encoding"), "identity"):
		return out, c.invalid(res.StatusCode, "the answer is compressed in a way that was not asked for")
	case res.ContentLength > most && res.Request.Method != http.MethodHead:
		return out, c.tooMuch(res.StatusCode)
	}
	data, err := readUpTo(res.Body, most+1, res.ContentLength)
	switch {
	case err != nil:
		f := c.sendFailure(ctx, err)
		f.HTTPStatus = res.StatusCode
		return out, f
	case int64(len(data)) > most:
		return out, c.tooMuch(res.StatusCode)
	}
	for _, name := range c.op.ResponseHeaders {
		if vs := res.Header.Values(name); len(vs) > 0 {
			if out.Headers == nil {
				out.Headers = map[string]string{}
			}
			out.Headers[strings.ToLower(name)] = strings.ToValidUTF8(cut(strings.Join(vs, ", "), maxHeaderValueBytes), "\ufffd")
		}
	}
	if isJSON(res.Header.Get("Content-Type"), data) {
		out.Body = data
	} else {
		out.Text = strings.ToValidUTF8(string(data), "\ufffd")
	}
	return out, nil
}

// readUpTo reads a body to its end, or as much of it. A length that is said and small is
// believed; another one takes memory only as it comes.
func readUpTo(r io.Reader, most, length int64) ([]byte, error) {
	if length > 0 && length <= min(believedBytes, most) {
		data := make([]byte, length)
		n, err := io.ReadFull(r, data)
		if errors.Is(err, io.EOF) { // nothing at all, as after HEAD
			err = nil
		}
		return data[:n], err
	}
	var b bytes.Buffer
	_, err := b.ReadFrom(io.LimitReader(r, most))
	return b.Bytes(), err
}

// isJSON reports whether a body is JSON: by its type, or by its look where a system
// sends JSON under another name, as many do.
func isJSON(contentType string, data []byte) bool {
	data = bytes.TrimSpace(data)
	looks := len(data) > 1 && (data[0] == '{' || data[0] == '[')
	return (looks || isNamedJSON(contentType)) && utf8.Valid(data) && json.Valid(data)
}

func isNamedJSON(contentType string) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

func cut(s string, most int) string {
	if len(s) > most {
		return s[:most]
	}
	return s
}

func (c *call) tooMuch(status int) *contract.Failure {
	f := fault(contract.OriginLimit, CodeResponseLimit, fmt.Sprintf("the answer is larger than %d bytes", c.system.Limits.ResponseBytes))
	f.HTTPStatus = status
	return f
}

func (c *call) invalid(status int, message string) *contract.Failure {
	f := fault(contract.OriginSystem, CodeUpstreamInvalid, message)
	f.HTTPStatus = status
	return f
}
