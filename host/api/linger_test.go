package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestWhoSendsTooMuchIsToldSo sends bodies and headers that are too large over real connections,
// as clients do that look for an answer when they have sent it all.
func TestWhoSendsTooMuchIsToldSo(t *testing.T) {
	t.Parallel()
	s := bare(t, Options{})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	const size = 3 * BodyMaxBytes // more than the buffers of the sockets hold
	body := bytes.Repeat([]byte("x"), size)
	start := "POST " + prefix + "/projects/p/flows HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct {
		request string
		status  int
	}{
		"a body that is announced": {fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", start, size, body), http.StatusRequestEntityTooLarge},
		"a body in a chunk":        {fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", start, size, body), http.StatusRequestEntityTooLarge},
		"a header":                 {start + "X-Long: " + string(body) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
	} {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, c.request); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), fmt.Sprintf("HTTP/1.1 %d ", c.status)) {
			t.Errorf("%s: %v, %.200s", name, err, answer)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}
