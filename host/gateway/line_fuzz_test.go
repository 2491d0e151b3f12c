package gateway_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/gateway"
)

// canned is a connection on which the same comes back whatever is sent.
type canned struct {
	once    sync.Once
	written chan struct{}
	mu      sync.Mutex
	answer  *bytes.Reader
	net.Conn
}

func (c *canned) Read(p []byte) (int, error) {
	<-c.written // nothing comes unasked
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answer.Read(p)
}

func (c *canned) Write(p []byte) (int, error) {
	c.once.Do(func() { close(c.written) })
	return len(p), nil
}

func (c *canned) Close() error {
	c.once.Do(func() { close(c.written) })
	return nil
}

func (c *canned) SetDeadline(time.Time) error { return nil }

// FuzzAnswers compares what the gateway makes of an answer with what net/http's transport does:
// it is the same, to the byte, or both refuse it.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		plain("ok"), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nok",
		"HTTP/1.1 103 Early\r\n\r\n" + plain("ok"), "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "HTTP/1.1 204 No\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n0\r\nA: b\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "SSH-2.0\r\n",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 65<<10) + "\r\n\r\n", "HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n",
	} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, answer []byte, head bool) {
		dial := func(context.Context, string, string) (net.Conn, error) {
			return &canned{written: make(chan struct{}), answer: bytes.NewReader(answer)}, nil
		}
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		ask := func(do func(*http.Request) (*http.Response, error), h http.Header) (string, string) {
			req, err := http.NewRequestWithContext(t.Context(), method, "http://system.example/", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header = h
			res, err := do(req)
			if err != nil {
				return "", err.Error()
			}
			defer res.Body.Close()
			if res.StatusCode == http.StatusSwitchingProtocols {
				return "101", "" // its body is the connection there, and nothing here; the gateway refuses it
			}
			b, err := io.ReadAll(res.Body)
			why := ""
			if err != nil {
				why = err.Error()
			}
			out := res.Status + "\n" + string(b)
			for _, name := range slices.Sorted(maps.Keys(res.Header)) {
				out += "\n" + name + ": " + strings.Join(res.Header[name], "|")
			}
			return out, why
		}
		bare := &http.Transport{DialContext: dial, MaxResponseHeaderBytes: 64 << 10, DisableKeepAlives: true}
		want, whyBare := ask(bare.RoundTrip, http.Header{})
		own := http.Header{}
		if !head {
			own.Set("Accept-Encoding", "gzip")
		}
		line := gateway.NewLine(dial, nil)
		got, whyOwn := ask(func(r *http.Request) (*http.Response, error) { return line.Do(r.Context(), r, false) }, own)
		if got != want || (whyBare == "") != (whyOwn == "") {
			t.Errorf("got %q (%s), net/http has %q (%s)", got, whyOwn, want, whyBare)
		}
	})
}
