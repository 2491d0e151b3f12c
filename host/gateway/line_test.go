package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/culmhq/culm/host/gateway"
)

// peer is a server that does what a test says with each of its connections.
type peer struct {
	address string
	scheme  string
	roots   *x509.CertPool
	conns   atomic.Int64
}

// playing starts one, over TLS where it is asked for.
func playing(t *testing.T, secure bool, play func(c net.Conn, r *bufio.Reader)) *peer {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{address: l.Addr().String(), scheme: "http"}
	if secure {
		s := httptest.NewUnstartedServer(nil)
		s.StartTLS() // for its certificate
		t.Cleanup(s.Close)
		p.scheme, p.roots = "https", x509.NewCertPool()
		p.roots.AddCert(s.Certificate())
		l = tls.NewListener(l, &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12, DynamicRecordSizingDisabled: true})
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.conns.Add(1)
			context.AfterFunc(t.Context(), func() { _ = c.Close() })
			wg.Go(func() {
				defer c.Close()
				play(c, bufio.NewReader(c))
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return p
}

func (p *peer) line(t *testing.T) gateway.Line {
	t.Helper()
	l := gateway.NewLine(new(net.Dialer).DialContext, p.roots)
	t.Cleanup(l.Close)
	return l
}

func (p *peer) request(t *testing.T, method, path, body string) *http.Request {
	t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, p.scheme+"://"+p.address+path, r)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// get asks for a path and returns the body of the answer.
func (p *peer) get(t *testing.T, l gateway.Line, method, path string, repeats bool) (string, error) {
	t.Helper()
	res, err := l.Do(t.Context(), p.request(t, method, path, ""), repeats)
	if err != nil {
		return "", err
	}
	b := make([]byte, max(res.ContentLength, 0)) // as much as was said at once, past what is in between
	n, err := io.ReadFull(res.Body, b)
	rest, more := io.ReadAll(res.Body)
	return string(b[:n]) + string(rest), errors.Join(err, more, res.Body.Close())
}

// replying answers each request of a connection with what say returns, and hangs up after an
// empty one.
func replying(say func(r *http.Request) string) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, r *bufio.Reader) {
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			text := say(req)
			if _, err := io.WriteString(c, text); err != nil || text == "" {
				return
			}
		}
	}
}

func plain(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// long is an answer that is larger than what is read at once.
func long(body string) string {
	const size = 9000
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%-*s", size, size, body)
}

func bothWays(t *testing.T, test func(t *testing.T, secure bool)) {
	t.Helper()
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, secure)
		})
	}
}

func TestAConnectionIsUsedAgainWhenItsAnswerWasReadToTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer string
		conns  int64
	}{
		"a length":            {plain("ok"), 1},
		"chunks":              {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 1},
		"interim answers":     {"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + plain("ok"), 1},
		"it says close":       {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 3},
		"HTTP/1.0":            {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 3},
		"more than was said":  {plain("ok") + "x", 3},
		"two answers":         {plain("ok") + plain("no"), 3},
		"two, the first long": {long("ok") + plain("no"), 3}, // TLS holds the second where nobody looks
		"a long one":          {long("ok"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bothWays(t, func(t *testing.T, secure bool) {
				p := playing(t, secure, replying(func(*http.Request) string { return c.answer }))
				l := p.line(t)
				for range 3 {
					if got, err := p.get(t, l, http.MethodPost, "/", false); strings.TrimSpace(got) != "ok" || err != nil {
						t.Fatalf("got %q, %v", got, err)
					}
				}
				if n := p.conns.Load(); n != c.conns {
					t.Errorf("there were %d connections", n)
				}
			})
		})
	}
}

// The second answer comes on its own, when the first was read: it answers nothing.
func TestWhatComesUnaskedAnswersNoLaterRequest(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, secure bool) {
		more := make(chan struct{})
		sent := make(chan struct{}, 8)
		p := playing(t, secure, func(c net.Conn, r *bufio.Reader) {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, plain("ok"))
			<-more
			_, _ = io.WriteString(c, plain("no"))
			sent <- struct{}{}
			_, _ = io.Copy(io.Discard, c)
		})
		l := p.line(t)
		if got, err := p.get(t, l, http.MethodPost, "/", false); got != "ok" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		close(more)
		<-sent
		if got, err := p.get(t, l, http.MethodPost, "/", false); got != "ok" || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
	})
}

// A server hangs up after each answer without saying so. Whoever calls next does not notice,
// although the call may not be repeated.
func TestAConnectionThatWasClosedMeanwhileIsNotUsed(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, secure bool) {
		closed := make(chan struct{}, 1)
		p := playing(t, secure, func(c net.Conn, r *bufio.Reader) {
			if _, err := http.ReadRequest(r); err == nil {
				_, _ = io.WriteString(c, plain("ok"))
				_ = c.Close()
				closed <- struct{}{}
			}
		})
		l := p.line(t)
		for range 20 {
			if got, err := p.get(t, l, http.MethodPost, "/", false); got != "ok" || err != nil {
				t.Fatalf("got %q, %v", got, err)
			}
			<-closed
		}
	})
}

// A kept connection breaks off after the request was sent: nobody knows whether it was carried
// out, so only one that may be repeated is sent again, and once.
func TestOnlyWhatMayBeRepeatedIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		repeats, always bool
		seen            int64
		ok              bool
	}{
		"may be repeated":                 {true, false, 2, true},
		"may be repeated, breaks on":      {true, true, 2, false},
		"may not be repeated":             {false, false, 1, false},
		"may not be repeated, nor breaks": {false, true, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen atomic.Int64
			p := playing(t, false, replying(func(r *http.Request) string {
				if r.URL.Path == "/first" {
					return plain("ok")
				}
				if n := seen.Add(1); n == 1 || c.always {
					return ""
				}
				return plain("ok")
			}))
			l := p.line(t)
			if _, err := p.get(t, l, http.MethodGet, "/first", true); err != nil {
				t.Fatal(err)
			}
			if _, err := p.get(t, l, http.MethodGet, "/second", c.repeats); (err == nil) != c.ok || seen.Load() != c.seen {
				t.Errorf("the system saw it %d times: %v", seen.Load(), err)
			}
		})
	}
}

// A system that refuses a large body answers before it has read it, and reads no more.
func TestAnAnswerMayComeBeforeTheWholeRequestWasRead(t *testing.T) {
	t.Parallel()
	bothWays(t, func(t *testing.T, secure bool) {
		p := playing(t, secure, func(c net.Conn, r *bufio.Reader) {
			if _, err := http.ReadRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
			<-t.Context().Done()
		})
		l := p.line(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		res, err := l.Do(ctx, p.request(t, http.MethodPost, "/", strings.Repeat("x", 32<<20)), false)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusRequestEntityTooLarge || string(b) != "no" || err != nil {
			t.Errorf("got %d %q, %v", res.StatusCode, b, err)
		}
		if l.Idle() != 0 {
			t.Error("a connection is kept on which half a request was sent")
		}
	})
}

// A system that sends back what it gets while it gets it.
func TestRequestAndAnswerFlowAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	}))
	defer s.Close()
	p := &peer{address: strings.TrimPrefix(s.URL, "http://"), scheme: "http"}
	l := p.line(t)
	for range 2 {
		res, err := l.Do(t.Context(), p.request(t, http.MethodPut, "/", strings.Repeat("x", 8<<20)), false)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); len(b) != 8<<20 || err != nil {
			t.Fatalf("got %d bytes, %v", len(b), err)
		}
	}
}

// Whatever a system is doing, the call ends when its context does, and its connection with it.
func TestAnExchangeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]string{
		"before the answer": "", "in its head": "HTTP/1.1 200 OK\r\nX: y\r\n", "after an interim one": "HTTP/1.1 103 Early Hints\r\n\r\n",
		"in its body": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "in a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
	} {
		for size, body := range map[string]string{"small": "x", "large": strings.Repeat("x", 32<<20)} {
			t.Run(name+", "+size, func(t *testing.T) {
				t.Parallel()
				bothWays(t, func(t *testing.T, secure bool) {
					ctx, cancel := context.WithCancel(t.Context())
					p := playing(t, secure, func(c net.Conn, r *bufio.Reader) {
						if _, err := http.ReadRequest(r); err != nil {
							return
						}
						_, _ = io.WriteString(c, say)
						cancel()
						<-t.Context().Done() // reads nothing, and does not hang up
					})
					l := p.line(t)
					res, err := l.Do(ctx, p.request(t, http.MethodPost, "/", body), false)
					if err == nil {
						_, err = io.ReadAll(res.Body)
					}
					if err == nil || l.Idle() != 0 {
						t.Errorf("%v; %d are kept", err, l.Idle())
					}
				})
			})
		}
	}
}

func TestNothingIsSentWhenTheContextHasEnded(t *testing.T) {
	t.Parallel()
	p := playing(t, false, replying(func(*http.Request) string { return plain("ok") }))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.line(t).Do(ctx, p.request(t, http.MethodGet, "/", ""), true); !errors.Is(err, context.Canceled) || p.conns.Load() != 0 {
		t.Errorf("got %v; %d connections", err, p.conns.Load())
	}
}

func TestARequestThatIsNoneIsNotSent(t *testing.T) {
	t.Parallel()
	p := playing(t, false, replying(func(*http.Request) string { return plain("ok") }))
	l := p.line(t)
	for name, spoil := range map[string]func(*http.Request){
		"method": func(r *http.Request) { r.Method = "GET / HTTP/1.1\r\nX:" }, "name": func(r *http.Request) { r.Header["X: y\r\nZ"] = []string{"z"} },
		"value": func(r *http.Request) { r.Header["X"] = []string{"y\r\nZ: z"} }, "scheme": func(r *http.Request) { r.URL.Scheme = "ftp" },
		"path": func(r *http.Request) { r.URL.Opaque = "/a b\x01" }, "host": func(r *http.Request) { r.URL.Host = "" },
	} {
		if _, err := l.Do(t.Context(), func() *http.Request { r := p.request(t, http.MethodGet, "/", ""); spoil(r); return r }(), true); err == nil {
			t.Errorf("%s: it was sent", name)
		}
	}
}

func TestIdleConnectionsAreBoundedAndEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int64
		one := func() net.Conn { open.Add(1); return &counted{open: &open} }
		l := gateway.NewLine(nil, nil)
		l.Keep(gateway.MaxIdle+3, one)
		if l.Idle() != gateway.MaxIdle || open.Load() != gateway.MaxIdle {
			t.Fatalf("%d are kept, %d open", l.Idle(), open.Load())
		}
		l.Close()
		if l.Idle() != 0 || open.Load() != 0 {
			t.Fatalf("%d are kept, %d open", l.Idle(), open.Load())
		}
		l = gateway.NewLine(nil, nil)
		l.Keep(2, one)
		<-time.After(gateway.IdleTimeout / 2)
		l.Keep(3, one)
		<-time.After(gateway.IdleTimeout/2 + time.Second)
		if l.Idle() != 3 || open.Load() != 3 {
			t.Fatalf("%d are kept, %d open", l.Idle(), open.Load())
		}
		<-time.After(gateway.IdleTimeout)
		if l.Idle() != 0 || open.Load() != 0 {
			t.Fatalf("%d are kept, %d open", l.Idle(), open.Load())
		}
	})
}

// counted is a connection of which only the end counts.
type counted struct {
	net.Conn
	open *atomic.Int64
}

func (c *counted) Close() error {
	c.open.Add(-1)
	return nil
}

// What is in use when the idle connections are dropped is not kept afterwards.
func TestAConnectionFromBeforeIsNotKept(t *testing.T) {
	t.Parallel()
	p := playing(t, false, replying(func(*http.Request) string { return plain("ok") }))
	l := p.line(t)
	res, err := l.Do(t.Context(), p.request(t, http.MethodGet, "/", ""), true)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := io.ReadAll(res.Body); err != nil || l.Idle() != 0 {
		t.Errorf("%v; %d are kept", err, l.Idle())
	}
}

// The context ends when all of the answer is there and has not been read: the connection, whose
// time is over, is not kept.
func TestAConnectionThatWasCutOffIsNotKept(t *testing.T) {
	t.Parallel()
	p := playing(t, false, replying(func(*http.Request) string { return plain("ok") }))
	l := p.line(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res, err := l.Do(ctx, p.request(t, http.MethodGet, "/", ""), true)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_, _ = io.ReadAll(res.Body)
	if l.Idle() != 0 {
		t.Error("it is kept")
	}
}
