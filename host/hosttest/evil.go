package hosttest

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync"
	"time"
)

// EvilMode is one way in which an outside system is broken or hostile.
type EvilMode string

// The ways of an Evil. What each does is written in evilModes.
const (
	EvilHang         EvilMode = "hang"
	EvilHangBody     EvilMode = "hang-body"
	EvilDrip         EvilMode = "drip"
	EvilTrickle      EvilMode = "trickle"
	EvilReset        EvilMode = "reset"
	EvilResetBody    EvilMode = "reset-body"
	EvilClose        EvilMode = "close"
	EvilShort        EvilMode = "short"
	EvilDeclared     EvilMode = "declared"
	EvilEndless      EvilMode = "endless"
	EvilZipBomb      EvilMode = "zip-bomb"
	EvilDamagedZip   EvilMode = "damaged-zip"
	EvilZipTwice     EvilMode = "zip-twice"
	EvilUnasked      EvilMode = "unasked-encoding"
	EvilNotHTTP      EvilMode = "not-http"
	EvilTwoLengths   EvilMode = "two-lengths"
	EvilBadLength    EvilMode = "bad-length"
	EvilBadHeader    EvilMode = "bad-header"
	EvilBadChunk     EvilMode = "bad-chunk"
	EvilHugeHeader   EvilMode = "huge-header"
	EvilManyHeaders  EvilMode = "many-headers"
	EvilInterim      EvilMode = "interim"
	EvilUpgrade      EvilMode = "upgrade"
	EvilOddStatus    EvilMode = "odd-status"
	EvilTrailers     EvilMode = "trailers"
	EvilTooMany      EvilMode = "too-many"
	EvilStorm        EvilMode = "storm"
	EvilRedirect     EvilMode = "redirect"
	EvilRedirectAway EvilMode = "redirect-away"
	EvilReflect      EvilMode = "reflect"
	EvilBadJSON      EvilMode = "bad-json"
)

// Evil is an outside system that does its worst: a server on loopback that answers each
// request in the way that the first part of its path names. It is safe for concurrent use.
type Evil struct {
	listener net.Listener
	ctx      context.Context //nolint:containedctx // it ends with the server
	stop     context.CancelFunc
	running  sync.WaitGroup
	modes    map[EvilMode]evilDeed

	mu    sync.Mutex
	conns map[net.Conn]bool
	seen  map[EvilMode]int
}

// NewEvil starts one. Close it.
func NewEvil() (*Evil, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &Evil{listener: l, modes: evilModes(), conns: map[net.Conn]bool{}, seen: map[EvilMode]int{}}
	e.ctx, e.stop = context.WithCancel(context.Background())
	e.running.Go(e.serve)
	return e, nil
}

// Address is its host and port.
func (e *Evil) Address() string { return e.listener.Addr().String() }

// URL is the base URL of the system that behaves in a way.
func (e *Evil) URL(m EvilMode) string { return "http://" + e.Address() + "/" + string(m) }

// Seen tells how many requests were made of a way.
func (e *Evil) Seen(m EvilMode) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.seen[m]
}

// Close ends every connection.
func (e *Evil) Close() {
	e.stop()
	_ = e.listener.Close()
	e.mu.Lock()
	for c := range e.conns {
		_ = c.Close()
	}
	e.mu.Unlock()
	e.running.Wait()
}

func (e *Evil) serve() {
	for {
		c, err := e.listener.Accept()
		if err != nil {
			return
		}
		e.mu.Lock()
		e.conns[c] = true
		e.mu.Unlock()
		e.running.Go(func() {
			defer func() {
				_ = c.Close()
				e.mu.Lock()
				defer e.mu.Unlock()
				delete(e.conns, c)
			}()
			e.answer(c)
		})
	}
}

func (e *Evil) answer(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	m := EvilMode(name)
	e.mu.Lock()
	e.seen[m]++
	e.mu.Unlock()
	do, ok := e.modes[m]
	if !ok {
		do = say("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}
	do(evilAnswer{Conn: c, request: r, ctx: e.ctx})
}

// evilAnswer is the connection of one request.
type evilAnswer struct {
	net.Conn
	request *http.Request
	ctx     context.Context //nolint:containedctx // it ends with the server
}

func (a evilAnswer) say(s string) bool {
	_, err := io.WriteString(a.Conn, s)
	return err == nil
}

type evilDeed func(evilAnswer)

const (
	okHead      = "HTTP/1.1 200 OK\r\n"
	closes      = "Connection: close\r\n\r\n"
	chunkedHead = okHead + "Transfer-Encoding: chunked\r\n\r\n"
)

// evilModes says what an Evil does.
func evilModes() map[EvilMode]evilDeed {
	return map[EvilMode]evilDeed{
		EvilHang:     hang,
		EvilHangBody: inTurn(say(okHead+"Content-Length: 10\r\n\r\nabc"), hang),
		// A byte now and then, so that no limit on silence would ever end it; and the same so slowly that one would.
		EvilDrip:         inTurn(say(okHead+"Content-Length: 1000\r\n\r\n"), bytesEvery(20*time.Millisecond)),
		EvilTrickle:      inTurn(say(okHead+"Content-Length: 1000\r\n\r\n"), bytesEvery(10*time.Second)),
		EvilReset:        reset,
		EvilResetBody:    inTurn(say(okHead+"Content-Length: 10\r\n\r\nabc"), reset),
		EvilClose:        say(""),
		EvilShort:        say(okHead + "Content-Length: 10\r\n\r\nabc"),
		EvilDeclared:     say(okHead + "Content-Length: 4294967296\r\n\r\nabc"),
		EvilEndless:      inTurn(say(chunkedHead), forever("400\r\n"+strings.Repeat("x", 1024)+"\r\n")),
		EvilZipBomb:      zipBomb,
		EvilDamagedZip:   say(okHead + "Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\nnot gzip at "),
		EvilZipTwice:     say(okHead + "Content-Encoding: gzip, gzip\r\nContent-Length: 3\r\n\r\nabc"),
		EvilUnasked:      say(okHead + "Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"),
		EvilNotHTTP:      say("SSH-2.0-OpenSSH\r\n\r\n"),
		EvilTwoLengths:   say(okHead + "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"),
		EvilBadLength:    say(okHead + "Content-Length: -1\r\n\r\n"),
		EvilBadHeader:    say(okHead + "no colon\r\n\r\n"),
		EvilBadChunk:     say(chunkedHead + "zz\r\n"),
		EvilHugeHeader:   inTurn(say(okHead+"X: "), forever(strings.Repeat("x", 1024))),
		EvilManyHeaders:  inTurn(say(okHead), forever("X: y\r\n")),
		EvilInterim:      forever("HTTP/1.1 103 Early Hints\r\nX: " + strings.Repeat("x", 1000) + "\r\n\r\n"),
		EvilUpgrade:      say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
		EvilOddStatus:    say("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n"),
		EvilTrailers:     inTurn(say(okHead+"Trailer: X-Echo\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"), forever("X-Echo: "+strings.Repeat("y", 1000)+"\r\n")),
		EvilTooMany:      say("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3600\r\nContent-Length: 0\r\n" + closes),
		EvilStorm:        say("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n" + closes + "storm"),
		EvilRedirect:     say("HTTP/1.1 302 Found\r\nLocation: /reflect\r\nContent-Length: 0\r\n" + closes),
		EvilRedirectAway: say("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/latest/meta-data/\r\nContent-Length: 0\r\n" + closes),
		EvilReflect:      reflect,
		EvilBadJSON:      say(okHead + "Content-Type: application/json\r\nContent-Length: 12\r\n" + closes + `{"a":1,"b":{`),
	}
}

func say(s string) evilDeed { return func(a evilAnswer) { a.say(s) } }

func inTurn(deeds ...evilDeed) evilDeed {
	return func(a evilAnswer) {
		for _, d := range deeds {
			d(a)
		}
	}
}

// hang keeps the connection until the caller goes away.
func hang(a evilAnswer) {
	_, _ = io.Copy(io.Discard, a.Conn)
}

func reset(a evilAnswer) {
	if tcp, ok := a.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

func forever(s string) evilDeed {
	return func(a evilAnswer) {
		for a.say(s) {
		}
	}
}

func bytesEvery(d time.Duration) evilDeed {
	return func(a evilAnswer) {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if !a.say("x") {
					return
				}
			case <-a.ctx.Done():
				return
			}
		}
	}
}

// zipBomb is 4 GB of zeros in some four megabytes.
func zipBomb(a evilAnswer) {
	if !a.say(okHead + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n") {
		return
	}
	z := gzip.NewWriter(httputil.NewChunkedWriter(a.Conn))
	zeros := make([]byte, 1<<20)
	for range 4 << 10 {
		if _, err := z.Write(zeros); err != nil {
			return
		}
	}
	_ = z.Close()
}

// reflect sends the whole request back, the credential and all, in the header and the body.
func reflect(a evilAnswer) {
	dump, err := httputil.DumpRequest(a.request, true)
	if err != nil {
		return
	}
	a.say(fmt.Sprintf("%sX-Echo: %s\r\nSet-Cookie: secret=%s\r\nContent-Length: %d\r\n%s%s", okHead,
		a.request.Header.Get("Authorization"), a.request.Header.Get("Authorization"), len(dump), closes, dump))
}
