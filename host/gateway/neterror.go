package gateway

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/culmhq/culm/pdk/contract"
)

// sendFailure says whose fault it is that there is no answer. Its message holds
// neither the address nor any part of the request.
func (c *call) sendFailure(ctx context.Context, err error) *contract.Failure {
	var egress *EgressError
	var timeout net.Error
	switch {
	case errors.As(err, &egress):
		return fault(contract.OriginGateway, CodeEgressDenied, "the server's address policy forbids this target: "+egress.Reason)
	case errors.Is(context.Cause(ctx), errDeadline):
		return later(fault(contract.OriginSystem, CodeUpstreamTimeout, "no complete answer within "+c.system.Limits.Timeout().String()))
	case ctx.Err() != nil:
		return fault(contract.OriginHost, CodeCancelled, "the plugin call ended while this call was under way")
	case isTLS(err):
		return fault(contract.OriginSystem, CodeTLSFailed, "the connection cannot be trusted: "+tlsReason(err))
	case isInvalid(err):
		return fault(contract.OriginSystem, CodeUpstreamInvalid, "the answer is not acceptable HTTP")
	case errors.As(err, &timeout) && timeout.Timeout():
		return later(fault(contract.OriginSystem, CodeUpstreamTimeout, "the system did not accept the connection in time"))
	default:
		return later(fault(contract.OriginSystem, CodeUpstreamDown, reason(err)))
	}
}

// isTLS reports whether a handshake failed.
func isTLS(err error) bool {
	var verify *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	text := err.Error()
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) ||
		strings.Contains(text, "tls: ") || strings.Contains(text, "HTTP response to HTTPS client")
}

func tlsReason(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "the certificate is signed by an authority that is not known"
	case errors.As(err, &name):
		return "the certificate is for another name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet"
	case errors.As(err, &invalid):
		return "the certificate may not be used for this"
	default:
		return "the TLS handshake failed"
	}
}

// isInvalid reports whether an answer broke the rules of HTTP. The transport has no
// types for most of these errors; a test holds each text.
func isInvalid(err error) bool {
	var corrupt flate.CorruptInputError
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return true
	}
	text := err.Error()
	for _, part := range []string{
		"server response headers exceeded", "malformed HTTP", "malformed MIME header", "too many 1xx", "bad Content-Length", "multiple Content-Length",
		"unsupported transfer encoding", "malformed chunked", "invalid byte in chunk length", "chunked line", "http chunk length",
		"too many transfer encodings", "long trailer", "chunked encoding contains too much",
	} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// reason says in plain words why there is no connection, or no more.
func reason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return "the name of the system cannot be resolved"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the system refused the connection"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to the system"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return "the system broke the connection off"
	default:
		return "the connection failed"
	}
}
