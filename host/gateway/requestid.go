package gateway

import (
	"crypto/rand"
	"net/http"

	"github.com/culmhq/culm/pdk/contract"
)

// requestIDHeader carries the request id to a system.
const requestIDHeader = "X-Request-Id"

// maxRequestIDBytes bounds what is taken for the id of a request.
const maxRequestIDBytes = 128

// requestIDHeaders are where systems say under which id they logged a request, the most
// telling first.
func requestIDHeaders() []string {
	return []string{
		"X-Bkapi-Request-Id", requestIDHeader, "Request-Id", "X-Github-Request-Id", "X-Amzn-Requestid", "X-Ms-Request-Id", "X-Correlation-Id",
	}
}

// newRequestID makes an id for a call. It is no secret; it is random so that it names one
// call among all installations that a system serves.
func newRequestID() string { return "culm-" + rand.Text() }

// requestID is the id under which the system knows a request: its own, where it says one
// that is fit to be shown, else the one that was sent.
func requestID(answer http.Header, sent string) string {
	for _, name := range requestIDHeaders() {
		if id := answer.Get(name); isRequestID(id) {
			return id
		}
	}
	return sent
}

// isRequestID accepts what cannot break a line, a table or a URL.
func isRequestID(s string) bool {
	if s == "" || len(s) > maxRequestIDBytes {
		return false
	}
	for _, r := range s {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case r == '-', r == '_', r == '.', r == ':', r == '/', r == '+', r == '=':
		default:
			return false
		}
	}
	return true
}

// sentAs puts into what a try ended with how often and under which id it was sent. It is
// done next to the wire, so that whatever scrubs answers scrubs the id, too.
func (c *call) sentAs(res contract.GatewayResponse, id string) contract.GatewayResponse {
	if res.Failure == nil {
		res.RequestID, res.Attempts = id, c.tries
		return res
	}
	f := *res.Failure
	f.RequestID, f.Attempts = id, c.tries
	res.Failure = &f
	return res
}

// advised adds to a failure what to do next.
func advised(res contract.GatewayResponse) contract.GatewayResponse {
	if res.Failure != nil {
		f := *res.Failure
		f.Hint = f.Advice()
		res.Failure = &f
	}
	return res
}
