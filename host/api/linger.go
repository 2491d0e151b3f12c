package api

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// What is still taken of a request that was refused before it was read, and for how long. A
// connection that is closed while bytes of it lie unread is reset by the kernel, and a client
// that is still sending then learns of the reset and not of the answer (RFC 9112, section 9.6).
const (
	lingerMaxBytes = 16 << 20
	lingerTimeout  = 5 * time.Second
)

// lingering is a listener of connections that can end so that the last answer arrives.
type lingering struct{ net.Listener }

// Accept implements net.Listener.
func (l lingering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingeringConn{Conn: c}, nil
}

// lingeringConn is one of its connections.
type lingeringConn struct {
	net.Conn
	unread atomic.Bool // the client may be sending what nobody reads
}

// Close closes the connection. Where the client may still be sending, only the way to it is
// closed at first, and what comes is dropped, within bounds.
func (c *lingeringConn) Close() error {
	if c.unread.Swap(false) {
		if tcp, ok := c.Conn.(*net.TCPConn); ok && tcp.CloseWrite() == nil && tcp.SetReadDeadline(time.Now().Add(lingerTimeout)) == nil {
			_, _ = io.CopyN(io.Discard, tcp, lingerMaxBytes) // it ends with the client, too
		}
	}
	return c.Conn.Close()
}

// refuseGently makes a server end a connection so that a client which sends more than it may
// can read why it was refused.
func refuseGently(s *fasthttp.Server) {
	answer := s.ErrorHandler
	s.ErrorHandler = func(ctx *fasthttp.RequestCtx, err error) {
		if c, ok := ctx.Conn().(*lingeringConn); ok && (errors.Is(err, fasthttp.ErrBodyTooLarge) || errors.As(err, new(*fasthttp.ErrSmallBuffer))) {
			c.unread.Store(true)
		}
		answer(ctx, err)
	}
}
