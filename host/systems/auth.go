package systems

import (
	"net/url"
	"slices"
	"strings"
)

// AuthType is a way to authenticate to a system.
type AuthType string

// The ways to authenticate. The zero value stands for AuthNone.
const (
	AuthNone   AuthType = "none"
	AuthBasic  AuthType = "basic"   // Authorization: Basic
	AuthBearer AuthType = "bearer"  // Authorization: Bearer
	AuthAPIKey AuthType = "api_key" // a header or a query parameter of the system's own
	// AuthOAuth2 gets a token for the client's id and secret (RFC 6749, client
	// credentials) and sends it as Authorization: Bearer.
	AuthOAuth2 AuthType = "oauth2"
	AuthHMAC   AuthType = "hmac" // a signature over parts of the request
	AuthMTLS   AuthType = "mtls" // a client certificate and nothing else
	// AuthBlueKing is BlueKing's X-Bkapi-Authorization: the application's code and secret,
	// and the user on whose behalf the run goes.
	AuthBlueKing AuthType = "blueking"
)

// BlueKingHeader carries the credential of AuthBlueKing.
const BlueKingHeader = "X-Bkapi-Authorization"

// ClientAuth says how the client shows its id and secret to a token server.
type ClientAuth string

// The ways of a client. The zero value stands for ClientAuthBasic.
const (
	ClientAuthBasic ClientAuth = "basic" // Authorization: Basic, as RFC 6749 prefers
	ClientAuthPost  ClientAuth = "post"  // fields of the form
)

// The algorithms of AuthHMAC.
const (
	HMACSHA256 = "sha256"
	HMACSHA512 = "sha512"
	HMACSHA1   = "sha1" // for systems that know nothing better
)

// The parts of a request that can be signed. A signed text is the parts in the given
// order, with a line feed between two.
const (
	SignMethod    = "method"      // POST
	SignHost      = "host"        // host and port as in the Host header
	SignPath      = "path"        // the path as it is sent, escaped
	SignQuery     = "query"       // the query as it is sent
	SignTimestamp = "timestamp"   // seconds since 1970, as in TimestampHeader
	SignNonce     = "nonce"       // as in NonceHeader
	SignKeyID     = "key_id"      // the id of the key
	SignBody      = "body"        // the body as it is sent
	SignBodyHash  = "body_sha256" // its SHA-256 in lower-case hex
)

// Auth says how the gateway authenticates to a system. It holds no credential.
type Auth struct {
	Type AuthType `json:"type"`
	// Header is the name of the header that carries the key, for AuthAPIKey, or the
	// signature, for AuthHMAC.
	Header string `json:"header,omitempty"`
	// Query is the query parameter that carries the key, for AuthAPIKey in place of
	// Header. Prefer a header: addresses end up in the logs of servers.
	Query string `json:"query,omitempty"`
	// TokenURL, Scopes, Audience and ClientAuth are for AuthOAuth2. The token server is
	// bound to the credential as the base URL is.
	TokenURL   string     `json:"token_url,omitempty"`
	Scopes     []string   `json:"scopes,omitempty"`
	Audience   string     `json:"audience,omitempty"`
	ClientAuth ClientAuth `json:"client_auth,omitempty"`
	// Algorithm (absent: sha256), Signed (absent: method, path, query, timestamp,
	// body_sha256), Encoding (hex, or base64; absent: hex) and Prefix ("sha256=") are for
	// AuthHMAC, as are the headers of what the system needs to check a signature: each is
	// sent when it is named.
	Algorithm       string   `json:"algorithm,omitempty"`
	Signed          []string `json:"signed,omitempty"`
	Encoding        string   `json:"encoding,omitempty"`
	Prefix          string   `json:"prefix,omitempty"`
	KeyIDHeader     string   `json:"key_id_header,omitempty"`
	TimestampHeader string   `json:"timestamp_header,omitempty"`
	NonceHeader     string   `json:"nonce_header,omitempty"`
	// AppCode is the application's code, for AuthBlueKing.
	AppCode string `json:"app_code,omitempty"`
	// ClientCertificate asks for a client certificate besides the rest, which belongs to
	// the credential too. AuthMTLS implies it.
	ClientCertificate bool `json:"client_certificate,omitempty"`
}

// NeedsCredential reports whether the system cannot be called without a credential.
func (a Auth) NeedsCredential() bool {
	return a.Type != "" && a.Type != AuthNone || a.ClientCertificate
}

// NeedsCertificate reports whether a client certificate is a part of the credential.
func (a Auth) NeedsCertificate() bool { return a.Type == AuthMTLS || a.ClientCertificate }

// SignedParts returns what is signed, for AuthHMAC.
func (a Auth) SignedParts() []string {
	if len(a.Signed) > 0 {
		return a.Signed
	}
	return []string{SignMethod, SignPath, SignQuery, SignTimestamp, SignBodyHash}
}

// Headers lists the headers that the gateway fills from the credential: no parameter
// can be one of them.
func (a Auth) Headers() []string {
	var out []string
	switch a.Type {
	case AuthBasic, AuthBearer, AuthOAuth2:
		out = append(out, "Authorization")
	case AuthAPIKey, AuthHMAC:
		out = append(out, a.Header, a.KeyIDHeader, a.TimestampHeader, a.NonceHeader)
	case AuthBlueKing:
		out = append(out, BlueKingHeader)
	case "", AuthNone, AuthMTLS:
	}
	return slices.DeleteFunc(out, func(h string) bool { return h == "" })
}

func (a Auth) validate(c check) {
	switch a.Type {
	case "", AuthNone, AuthBasic, AuthBearer, AuthMTLS:
	case AuthAPIKey:
		c.in("header").that((a.Header == "") != (a.Query == ""), CodeKeyPlace, "an API key travels in a header or in a query parameter: name one of them")
		if a.Header != "" {
			a.validateHeader(c, "header", a.Header)
		}
		c.in("query").that(a.Query == "" || wireName.MatchString(a.Query), CodeQueryName, "must be the name of a query parameter")
	case AuthOAuth2:
		a.validateOAuth2(c)
	case AuthHMAC:
		a.validateHMAC(c)
	case AuthBlueKing:
		c.in("app_code").that(plainWord(a.AppCode), CodeWord, "must be the code of the application: 1 to 128 printable characters")
	default:
		c.in("type").bad(CodeOneOf, "must be %s", "none, basic, bearer, api_key, oauth2, hmac, mtls or blueking")
	}
	a.validateForeign(c)
}

// validateForeign refuses the fields of other types.
func (a Auth) validateForeign(c check) {
	only := func(field string, given bool, kinds ...AuthType) {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = string(k)
		}
		c.in(field).that(!given || slices.Contains(kinds, a.Type), CodeOnlyType, "is only for the type %s", strings.Join(names, " or "))
	}
	only("header", a.Header != "", AuthAPIKey, AuthHMAC)
	only("query", a.Query != "", AuthAPIKey)
	only("token_url", a.TokenURL != "", AuthOAuth2)
	only("scopes", len(a.Scopes) > 0, AuthOAuth2)
	only("audience", a.Audience != "", AuthOAuth2)
	only("client_auth", a.ClientAuth != "", AuthOAuth2)
	only("algorithm", a.Algorithm != "", AuthHMAC)
	only("signed", len(a.Signed) > 0, AuthHMAC)
	only("encoding", a.Encoding != "", AuthHMAC)
	only("prefix", a.Prefix != "", AuthHMAC)
	only("key_id_header", a.KeyIDHeader != "", AuthHMAC)
	only("timestamp_header", a.TimestampHeader != "", AuthHMAC)
	only("nonce_header", a.NonceHeader != "", AuthHMAC)
	only("app_code", a.AppCode != "", AuthBlueKing)
}

func (a Auth) validateHeader(c check, field, name string) {
	c.in(field).that(headerName.MatchString(name), CodeHeaderName, "must be the name of a header")
	c.in(field).that(!framing(name), CodeHeaderFrame, "%s belongs to the connection, not to a credential", name)
}

func (a Auth) validateOAuth2(c check) {
	_, err := ParseBaseURL(a.TokenURL)
	c.in("token_url").broken(err)
	for i, scope := range a.Scopes {
		c.index("scopes", i).that(plainWord(scope), CodeWord, "must be 1 to 128 printable characters")
	}
	c.in("audience").that(a.Audience == "" || plainWord(a.Audience), CodeWord, "must be 1 to 128 printable characters")
	c.in("client_auth").that(a.ClientAuth == "" || a.ClientAuth == ClientAuthBasic || a.ClientAuth == ClientAuthPost, CodeOneOf, "must be %s", "basic or post")
}

func (a Auth) validateHMAC(c check) {
	a.validateHeader(c, "header", a.Header)
	c.in("algorithm").that(slices.Contains([]string{"", HMACSHA256, HMACSHA512, HMACSHA1}, a.Algorithm), CodeOneOf, "must be %s", "sha256, sha512 or sha1")
	c.in("encoding").that(slices.Contains([]string{"", "hex", "base64"}, a.Encoding), CodeOneOf, "must be %s", "hex or base64")
	c.in("prefix").that(headerText(a.Prefix) && len(a.Prefix) <= 64, CodePrefix, "must be at most 64 printable characters")
	seen := map[string]bool{}
	for field, name := range map[string]string{"key_id_header": a.KeyIDHeader, "timestamp_header": a.TimestampHeader, "nonce_header": a.NonceHeader, "header": a.Header} {
		if name == "" {
			continue
		}
		a.validateHeader(c, field, name)
		c.in(field).that(!seen[strings.ToLower(name)], CodeTwice, "%s is named twice", name)
		seen[strings.ToLower(name)] = true
	}
	known := []string{SignMethod, SignHost, SignPath, SignQuery, SignTimestamp, SignNonce, SignKeyID, SignBody, SignBodyHash}
	for i, part := range a.Signed {
		c.index("signed", i).that(slices.Contains(known, part), CodeOneOf, "must be one of %s", strings.Join(known, ", "))
	}
	parts := a.SignedParts()
	needs := func(part, field, header string) {
		c.in(field).that(header != "" || !slices.Contains(parts, part), CodeSignedUnknown, "must be given: the system cannot check a signature over a %s that it does not know", part)
	}
	needs(SignTimestamp, "timestamp_header", a.TimestampHeader)
	needs(SignNonce, "nonce_header", a.NonceHeader)
}

// plainWord reports whether a text is short, printable ASCII without spaces.
func plainWord(s string) bool {
	return s != "" && len(s) <= 128 && headerText(s) && !strings.Contains(s, " ")
}

// Binding is what a credential is bound to: where it is sent. Pointing the system, or its
// token server, elsewhere must not carry the credential along.
func (s *System) Binding() string {
	b := plainURL(s.BaseURL)
	if s.Auth.Type == AuthOAuth2 {
		b += " " + plainURL(s.Auth.TokenURL)
	}
	return b
}

// plainURL writes a URL in one way: scheme and host in lower case, no slash at the end.
func plainURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Scheme+"://"+u.Host) + strings.TrimRight(u.EscapedPath(), "/")
}
