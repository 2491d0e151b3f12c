package callbacks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/secrets"
)

// signedWithin is how far the time of a signature may be from the server's, either way.
const signedWithin = 5 * time.Minute

// nonceMax bounds a nonce.
const nonceMax = 128

// Sign is the signature of a callback: HMAC-SHA256, in hex, of the timestamp, a dot, the
// nonce, a dot, and the body as it is sent.
func Sign(key []byte, timestamp, nonce string, body []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(timestamp + "." + nonce + "."))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// verify checks the signature of a callback where the system signs them, and returns its
// nonce. A system that is gone, or whose key is, verifies nothing: then there is no way in.
func (s *Service) verify(ctx context.Context, t Ticket, r Request) (nonce string, err error) {
	doc, err := s.o.Systems.Document(ctx, t.Project, t.System)
	switch {
	case fault.Is(err, fault.NotFound):
		return "", gone("the system of the callback is not registered any more")
	case err != nil:
		return "", err
	case doc.Callbacks.Signature == nil:
		return "", nil
	}
	how := doc.Callbacks.Signature.WithDefaults()
	key, err := s.o.Secrets.Resolve(ctx, t.Project, secrets.ProjectRef(how.Secret))
	switch {
	case errors.Is(err, secrets.ErrNotFound):
		return "", unsigned("the key of the system's signatures is not set")
	case err != nil:
		return "", fault.Wrap("read the key of a callback", err)
	}
	at, nonce := r.Header(how.TimestampHeader), r.Header(how.NonceHeader)
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return "", unsigned("the time of the signature is missing")
	}
	if off := s.o.Clock.Now().Sub(time.Unix(seconds, 0)); off > signedWithin || off < -signedWithin {
		return "", unsigned("the signature is too old, or the clocks differ")
	}
	if nonce == "" || len(nonce) > nonceMax || r.Form != nil {
		return "", unsigned("a signed callback has a nonce, and is no form")
	}
	if !hmac.Equal([]byte(Sign([]byte(key.Reveal()), at, nonce, r.Body)), []byte(r.Header(how.Header))) {
		return "", unsigned("the signature does not fit")
	}
	return nonce, nil
}

func unsigned(message string) error { return fault.New(fault.Unsigned, "%s", message) }
