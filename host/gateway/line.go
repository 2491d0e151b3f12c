package gateway

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/culmhq/culm/host/secrets"
)

// The limits of an exchange.
const (
	// inlineBytes is how large a body may be to be written before anything is read: what a
	// connection takes although the other side reads nothing.
	inlineBytes = 4 << 10
	// lateWrite is how long the end of a request may come after that of its answer.
	lateWrite = 50 * time.Millisecond
)

var errHeaders = fmt.Errorf("gateway: server response headers exceeded %d bytes", maxResponseHeaders)

// line makes exchanges of HTTP/1.1: a request and its answer, over connections that it keeps.
// The request is written and the answer is read on the goroutine that asks for it, where
// net/http's transport hands both over to goroutines of the connection; with many calls of
// quick systems that is a fifth of what a call costs. Requests are written and answers are read
// by net/http. It follows no redirect, uses no proxy and keeps no cookie. Safe for concurrent
// use.
type line struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	tls  *tls.Config
	idle pool
}

// clone returns a line without connections.
func (l *line) clone() *line { return &line{dial: l.dial, tls: l.tls.Clone()} }

// exchange is a request, how it may be sent, and what became of it.
type exchange struct {
	// repeats allows to send the request again when a kept connection broke off before there was
	// any answer: nearly always because it was idle for too long.
	repeats bool
	// isFresh asks for a connection that was not used before and is not used again.
	isFresh bool
	// unzips says that the request asks for a compressed answer, which is then decompressed.
	unzips bool
	// credential is used with the request; nil where there is none.
	credential *secrets.Credential
	// connected is set as soon as the system may receive something.
	connected bool
}

// do sends a request and returns the beginning of its answer, whose body the caller reads or
// closes. The request is sent again at most once.
func (l *line) do(ctx context.Context, req *http.Request, x *exchange) (*http.Response, error) {
	if err := checked(req); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	req.Close = req.Close || x.isFresh
	if !req.Close {
		if c := l.idle.take(place{req.URL.Scheme, req.URL.Host}); c != nil {
			res, got, err := c.trip(ctx, req, x)
			again := got == unsent || got == unanswered && x.repeats
			if err == nil || !again || ctx.Err() != nil || !rewound(req) {
				return res, err
			}
		}
	}
	c, err := l.connect(ctx, req.URL)
	if err != nil {
		return nil, err
	}
	res, _, err := c.trip(ctx, req, x)
	return res, err
}

// checked refuses a request whose head would not be what it seems.
func checked(req *http.Request) error {
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" || req.URL.Host == "" || !httpguts.ValidHeaderFieldName(req.Method) {
		return errors.New("gateway: the request cannot be sent")
	}
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return errors.New("gateway: the request has a header whose name cannot be sent")
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return errors.New("gateway: the request has a header whose value cannot be sent")
			}
		}
	}
	return nil
}

// rewound makes the body ready to be sent again.
func rewound(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return true
	}
	if req.GetBody == nil {
		return false
	}
	var err error
	req.Body, err = req.GetBody()
	return err == nil
}

// connect opens a connection. Nothing was sent when it fails.
func (l *line) connect(ctx context.Context, u *url.URL) (*conn, error) {
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	raw, err := l.dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port)))
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: raw, raw: raw, pool: &l.idle, place: place{u.Scheme, u.Host}, born: l.idle.age()}
	if s, ok := raw.(syscall.Conn); ok {
		c.socket, _ = s.SyscallConn() // without it the connection is not kept
	}
	if u.Scheme == "https" {
		if c.Conn, err = l.handshake(ctx, raw, u.Hostname()); err != nil {
			_ = raw.Close()
			return nil, err
		}
	}
	c.cut = func() { _ = c.SetDeadline(longAgo()) }
	c.r, c.w = bufio.NewReader((*limitedReader)(c)), bufio.NewWriter((*countingWriter)(c))
	return c, nil
}

// handshake makes sure that the other side is whom the name says.
func (l *line) handshake(ctx context.Context, raw net.Conn, name string) (*tls.Conn, error) {
	cfg := l.tls.Clone()
	cfg.ServerName = cmp.Or(cfg.ServerName, name)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	t := tls.Client(raw, cfg)
	return t, t.HandshakeContext(ctx)
}

// conn is a connection. It belongs to one exchange at a time, or to the pool.
type conn struct {
	net.Conn
	raw    net.Conn // the same without TLS
	socket syscall.RawConn
	pool   *pool
	place  place
	born   int       // the age of the pool at its beginning
	since  time.Time // when it was given to the pool
	r      *bufio.Reader
	w      *bufio.Writer
	cut    func() // ends what is read and written
	// left is how much may be read, wrote how much was written; isBroken says that a read failed.
	left     int64
	wrote    int64
	isBroken bool
}

type limitedReader conn

// Read reads no more than what is left.
func (c *limitedReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errHeaders
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.isBroken = c.isBroken || err != nil
	return n, err
}

type countingWriter conn

// Write counts what is written.
func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.wrote += int64(n)
	return n, err
}

// outcome says how far a request got that failed.
type outcome int

const (
	unsent     outcome = iota // nothing was written
	unanswered                // it was written, as a whole or in part, and nothing came back
	answered                  // something came back
)

// trip makes the exchange over a connection, which is closed or kept when the answer has been
// read.
func (c *conn) trip(ctx context.Context, req *http.Request, x *exchange) (*http.Response, outcome, error) {
	x.connected = true
	before := c.wrote
	t := &trip{conn: c, stop: context.AfterFunc(ctx, c.cut)}
	if req.ContentLength <= inlineBytes && (req.ContentLength > 0 || req.Body == nil) {
		t.unwritten = c.send(req, x.credential)
	} else { // the answer may come before all is written, and stand in its way
		t.writing = make(chan error, 1)
		go func() { t.writing <- c.send(req, x.credential) }()
	}
	// A request that cannot be written to its end may have been refused: then there is an answer.
	res, got, err := c.head(req)
	if err != nil {
		got, err = t.broken(got, err, before)
		return nil, got, err
	}
	t.keeps = t.unwritten == nil && !res.Close && !req.Close && res.StatusCode >= 200
	t.hand(res, x.unzips)
	return res, answered, nil
}

// broken ends an exchange without an answer, and says how far it got and why it got no further.
func (t *trip) broken(got outcome, err error, wroteBefore int64) (outcome, error) {
	inline := t.writing == nil
	t.end(false)
	if t.conn.wrote == wroteBefore {
		got = unsent
	}
	if t.unwritten != nil && (got == unsent || got == unanswered && inline) {
		return got, t.unwritten // the cause of the other
	}
	return got, err
}

// hand gives the caller the body.
func (t *trip) hand(res *http.Response, unzips bool) {
	if res.Request.Method == http.MethodHead || res.ContentLength == 0 {
		t.end(true)
		res.Body = http.NoBody
		return
	}
	t.body, res.Body = res.Body, t
	if unzips && strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		res.Body = &unzipped{trip: t}
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		res.ContentLength = -1
	}
}

// send writes a request, and notes the use of the credential: one that never left was not used.
func (c *conn) send(req *http.Request, cred *secrets.Credential) error {
	before := c.wrote
	err := req.Write(c.w)
	if err == nil {
		err = c.w.Flush()
	}
	switch {
	case c.wrote > before:
		cred.Use()
	case err != nil:
		c.cut() // there will be no answer
	}
	return err
}

// head reads the beginning of an answer, and what comes before it: all of it together within
// the limit.
func (c *conn) head(req *http.Request) (*http.Response, outcome, error) {
	c.left = maxResponseHeaders
	if _, err := c.r.Peek(1); err != nil {
		return nil, unanswered, err
	}
	for {
		res, err := http.ReadResponse(c.r, req)
		switch {
		case err != nil && c.left <= 0:
			return nil, answered, errHeaders
		case err != nil:
			return nil, answered, err
		case res.StatusCode < 200 && res.StatusCode >= 100 && res.StatusCode != http.StatusSwitchingProtocols:
			continue
		}
		c.left = math.MaxInt64
		return res, answered, nil
	}
}

// trip is an exchange that is under way: the body of its answer. It belongs to one goroutine.
type trip struct {
	conn *conn
	// stop leaves the context of the exchange, and reports whether it did so in time.
	stop func() bool
	// writing gets the end of the request; nil where it is known. unwritten is then why it was not
	// written as a whole.
	writing   chan error
	unwritten error
	body      io.Reader
	err       error // that of the body
	// keeps says that both sides are willing to use the connection again.
	keeps, isOver bool
}

// Read reads the body; at its end the connection is free.
func (t *trip) Read(p []byte) (int, error) {
	if t.isOver {
		return 0, t.err
	}
	n, err := t.body.Read(p)
	if err != nil {
		t.err = err
		t.end(errors.Is(err, io.EOF))
	}
	return n, err
}

// Close gives an answer up that was not read to its end, and the connection with it.
func (t *trip) Close() error {
	if !t.isOver {
		t.err = net.ErrClosed
		t.end(false)
	}
	return nil
}

// end keeps the connection when nothing of this exchange can come after it.
func (t *trip) end(whole bool) {
	if t.isOver {
		return
	}
	t.isOver = true
	c, inTime := t.conn, t.stop()
	if whole && t.keeps && inTime && !c.isBroken && c.r.Buffered() == 0 && t.isWritten() && c.pool.put(c) {
		return
	}
	if whole {
		_ = c.Close()
	} else {
		_ = c.raw.Close() // TLS would say goodbye, and might wait for it
	}
	if t.writing != nil {
		t.unwritten, t.writing = <-t.writing, nil // soon: the connection is closed
	}
}

// isWritten reports whether the request was written to its end.
func (t *trip) isWritten() bool {
	if t.writing == nil {
		return t.unwritten == nil
	}
	late := time.NewTimer(lateWrite)
	defer late.Stop()
	select {
	case t.unwritten = <-t.writing:
		t.writing = nil
		return t.unwritten == nil
	case <-late.C:
		return false
	}
}

// unzipped is the body of an answer that was compressed on request.
type unzipped struct {
	*trip
	z   *gzip.Reader
	err error
}

// Read reads what was compressed.
func (u *unzipped) Read(p []byte) (int, error) {
	if u.z == nil && u.err == nil {
		u.z, u.err = gzip.NewReader(u.trip)
	}
	if u.err != nil {
		return 0, u.err
	}
	n, err := u.z.Read(p)
	u.err = err
	return n, err
}
