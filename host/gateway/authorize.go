package gateway

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/systems"
)

// signer puts credentials on requests.
type signer struct{ clock Clock }

// signed is what a request is authorized with besides the credential.
type signed struct {
	// token is the one that an OAuth2 server gave, user the one on whose behalf the run
	// goes.
	token, user string
	body        []byte
}

// authorize puts a credential on a request that is complete otherwise. A client
// certificate is the transport's.
func (s signer) authorize(r *http.Request, a *systems.Auth, cred *secrets.Credential, with signed) {
	switch cred.Kind {
	case secrets.KindBasic:
		r.SetBasicAuth(cred.Username, cred.Secret.Reveal())
	case secrets.KindBearer:
		r.Header.Set("Authorization", "Bearer "+cred.Secret.Reveal())
	case secrets.KindOAuth2:
		r.Header.Set("Authorization", "Bearer "+with.token)
	case secrets.KindAPIKey:
		if a.Query == "" {
			r.Header.Set(a.Header, cred.Secret.Reveal())
			return
		}
		pair := url.QueryEscape(a.Query) + "=" + url.QueryEscape(cred.Secret.Reveal())
		r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+pair, "&") // what is there stays to the byte
	case secrets.KindHMAC:
		s.sign(r, a, cred, with.body)
	case secrets.KindBlueKing:
		r.Header.Set(systems.BlueKingHeader, blueKing(a.AppCode, cred.Secret.Reveal(), with.user))
	case secrets.KindMTLS, secrets.KindNone:
	}
}

// blueKing is the value of X-Bkapi-Authorization.
func blueKing(code, secret, user string) string {
	v := struct {
		Code   string `json:"bk_app_code"`
		Secret string `json:"bk_app_secret"`
		User   string `json:"bk_username,omitempty"`
	}{code, secret, user}
	b, _ := json.Marshal(v) // texts always encode
	return asciiJSON(string(b))
}

// asciiJSON writes what is not ASCII as escapes: a header holds nothing else.
func asciiJSON(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteToASCII(string(r))
		if r > 0xffff { // JSON knows no longer escape than \uXXXX: a surrogate pair
			r -= 0x10000
			quoted = `"\u` + strconv.FormatInt(int64(0xd800+r>>10), 16) + `\u` + strconv.FormatInt(int64(0xdc00+r&0x3ff), 16) + `"`
		} else if strings.HasPrefix(quoted, `"\x`) {
			quoted = `"\u00` + quoted[3:]
		}
		b.WriteString(strings.Trim(quoted, `"`))
	}
	return b.String()
}

// sign puts a signature over the parts that the system names on a request.
func (s signer) sign(r *http.Request, a *systems.Auth, cred *secrets.Credential, body []byte) {
	stamp, nonce := strconv.FormatInt(s.clock.Now().Unix(), 10), rand.Text()
	sum := sha256.Sum256(body)
	parts := make([]string, 0, len(a.SignedParts()))
	for _, part := range a.SignedParts() {
		parts = append(parts, map[string]string{
			systems.SignMethod: r.Method, systems.SignHost: r.URL.Host, systems.SignPath: r.URL.EscapedPath(), systems.SignQuery: r.URL.RawQuery,
			systems.SignTimestamp: stamp, systems.SignNonce: nonce, systems.SignKeyID: cred.Username, systems.SignBody: string(body),
			systems.SignBodyHash: hex.EncodeToString(sum[:]),
		}[part])
	}
	mac := hmac.New(hashOf(a.Algorithm), []byte(cred.Secret.Reveal()))
	mac.Write([]byte(strings.Join(parts, "\n")))
	signature := hex.EncodeToString(mac.Sum(nil))
	if a.Encoding == "base64" {
		signature = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	for name, value := range map[string]string{a.KeyIDHeader: cred.Username, a.TimestampHeader: stamp, a.NonceHeader: nonce, a.Header: a.Prefix + signature} {
		if name != "" {
			r.Header.Set(name, value)
		}
	}
}

func hashOf(algorithm string) func() hash.Hash {
	switch algorithm {
	case systems.HMACSHA512:
		return sha512.New
	case systems.HMACSHA1:
		return sha1.New // the system's choice; an HMAC with it still holds
	}
	return sha256.New
}
