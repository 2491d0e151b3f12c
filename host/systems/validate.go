package systems

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/culmhq/culm/host/document"
)

// The limits of a system document, beyond those of the program's defaults.
const (
	maxOperations   = 5000
	maxSegmentCount = 64
	maxGroupBytes   = 128
	maxSchemas      = 5000
)

var (
	systemID    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	operationID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	paramName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,63}$`)
	wireName    = regexp.MustCompile(`^[\p{L}_$@][\p{L}\p{N}_.\[\]$@:-]{0,127}$`)
	headerName  = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]{1,64}$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9_-]{0,62}))*$`)
	literal     = regexp.MustCompile(`^[A-Za-z0-9._~!$'()*,;:@=+-]+$`)
)

// Validate returns everything that is wrong with the document; it is empty for a
// system that can be used. Whether the gateway may reach the base URL is not checked
// here: that is the server's address policy.
func (s *System) Validate() document.Problems {
	_, ps := s.compile()
	return ps
}

func (s *System) validateHead(c check) {
	c.in("format").that(s.Format == Format, CodeFormat, "must be %s; this program reads no other format", Format)
	c.in("id").that(systemID.MatchString(s.ID), CodeIDSystem, "must be a lower-case letter and up to 63 of a-z, 0-9 and -")
	c.in("title").that(!s.Title.IsZero(), CodeRequired, "must be given")
	if _, err := ParseBaseURL(s.BaseURL); err != nil {
		c.in("base_url").broken(err)
	}
	s.Auth.validate(c.in("auth"))
	s.Limits.validate(c.in("limits"))
	s.TLS.validate(c.in("tls"), s)
	s.Callbacks.validate(c.in("callbacks"))
	s.validateSecretHeaders(c)
	s.Success.validate(c.in("success"))
	c.in("schemas").that(len(s.Schemas) <= maxSchemas, CodeTooMany, "at most %d are allowed", maxSchemas)
	c.in("operations").that(len(s.Operations) > 0, CodeNoOperation, "must name at least one operation")
	c.in("operations").that(len(s.Operations) <= maxOperations, CodeTooMany, "at most %d are allowed", maxOperations)
}

// ParseBaseURL reads a system's base URL. It accepts http and https with a plain host
// name or an IP address in its usual form, an optional port and a plain path; it
// refuses user names, queries, fragments, zones, and numbers that resolvers read as
// addresses ("2130706433", "0x7f.1").
func ParseBaseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, flawed(CodeURLForm, "is not a URL")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, flawed(CodeURLScheme, "must start with http:// or https://")
	case u.User != nil:
		return nil, flawed(CodeURLUser, "must not hold a user name or password")
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(raw, "#"):
		return nil, flawed(CodeURLQuery, "must not hold a query or a fragment")
	}
	if err := validHost(u.Hostname(), strings.HasPrefix(u.Host, "[")); err != nil {
		return nil, err
	}
	if err := validPort(u); err != nil {
		return nil, err
	}
	return u, validBasePath(u.EscapedPath())
}

func validPort(u *url.URL) error {
	p := u.Port()
	if p == "" {
		if strings.HasSuffix(u.Host, ":") {
			return flawed(CodePort, "the port is missing")
		}
		return nil
	}
	if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
		return flawed(CodePort, "the port must be between 1 and 65535")
	}
	return nil
}

// validBasePath accepts plain segments, and a slash at the end.
func validBasePath(path string) error {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	for seg := range strings.SplitSeq(path, "/") {
		if !literal.MatchString(seg) || seg == "." || seg == ".." {
			return flawed(CodeBasePath, "the path may hold plain segments only")
		}
	}
	return nil
}

func validHost(host string, bracketed bool) error {
	if host == "" {
		return flawed(CodeHost, "must name a host")
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		switch {
		case addr.Zone() != "":
			return flawed(CodeHostZone, "an address with a zone is not allowed")
		case addr.Is6() && !bracketed:
			return flawed(CodeHostBrackets, "an IPv6 address stands in brackets")
		}
		return nil
	}
	if bracketed || !hostName.MatchString(host) || len(host) > 253 {
		return flawed(CodeHost, "%q is not a host name", host)
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	if strings.Trim(last, "0123456789") == "" || strings.HasPrefix(strings.ToLower(last), "0x") {
		return flawed(CodeHostNumber, "write an IP address in its usual form")
	}
	return nil
}

func (o *Operation) validate(c check) {
	c.in("id").that(operationID.MatchString(o.ID), CodeIDOperation, "must be a lower-case letter and up to 63 of a-z, 0-9 and _")
	c.in("title").that(!o.Title.IsZero(), CodeRequired, "must be given")
	c.in("method").that(slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}, o.Method),
		CodeOneOf, "must be %s", "GET, HEAD, POST, PUT, PATCH or DELETE")
	if len(o.Body) > 0 {
		c.in("body").that(o.Method != "GET" && o.Method != "HEAD", CodeNoBody, "%s takes no body", o.Method)
	}
	c.in("body_required").that(!o.BodyRequired || len(o.Body) > 0, CodeBodyMissing, "needs a body schema")
	c.in("retry").that(o.Retry == RetrySafe || o.Retry == RetryKeyed || o.Retry == RetryNever, CodeOneOf, "must be %s", "safe, keyed or never")
	c.in("risk").that(o.Risk == RiskRead || o.Risk == RiskWrite || o.Risk == RiskDestructive,
		CodeOneOf, "must be %s", "read, write or destructive")
	if o.KeyHeader != "" {
		c.in("key_header").that(o.Retry == RetryKeyed, CodeOnlyKeyed, "is only for retry: keyed")
		c.in("key_header").that(headerName.MatchString(o.KeyHeader) && !reserved(o.KeyHeader),
			CodeHeaderFree, "must be the name of a header that is free for it")
	}
	for i, h := range o.ResponseHeaders {
		c.index("response_headers", i).that(headerName.MatchString(h) && !withheld(h),
			CodeHeaderWithheld, "%q is not a header that may be let through", h)
	}
	c.in("group").that(len(o.Group) <= maxGroupBytes && plainLine(o.Group), CodeOneLine, "must be one line of at most %d bytes", maxGroupBytes)
	c.in("disabled_by").that(slices.Contains([]DisabledBy{"", DisabledByImport, DisabledByChange, DisabledByRemoval}, o.DisabledBy),
		CodeOneOf, "must be %s", "import, change, removal or absent")
	c.in("disabled_by").that(o.Disabled || o.DisabledBy == "", CodeOnlyDisabled, "is only for a disabled operation")
	o.Success.validate(c.in("success"))
	o.validateParameters(c)
	o.validatePath(c.in("path"))
}

// plainLine reports whether a text is one line without control characters.
func plainLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func (o *Operation) validateParameters(c check) {
	seen := map[string]bool{}
	for i := range o.Parameters {
		p, c := &o.Parameters[i], c.index("parameters", i)
		c.in("name").that(paramName.MatchString(p.Name), CodeNameParameter, "must be a letter and up to 63 letters, digits, _ and -")
		c.in("name").that(!seen[p.Name], CodeTwice, "%q is declared twice", p.Name)
		seen[p.Name] = true
		c.in("array_style").that(p.ArrayStyle == "" || p.ArrayStyle == ArrayRepeat || p.ArrayStyle == ArrayComma,
			CodeOneOf, "must be %s", "repeat or comma")
		switch p.In {
		case InPath:
			c.in("required").that(p.Required, CodePathRequired, "a path parameter is always required")
			c.in("wire").that(p.Wire == "", CodePathName, "a path parameter goes by its own name")
		case InQuery:
			c.in("wire").that(wireName.MatchString(p.WireName()), CodeQueryName, "is not the name of a query parameter")
		case InHeader:
			free := !reserved(p.WireName()) || p.Secret && strings.EqualFold(p.WireName(), "authorization")
			c.in("name").that(headerName.MatchString(p.WireName()) && free,
				CodeHeaderReserved, "%s is a header that the gateway keeps to itself", p.WireName())
		case InCompute:
			c.in("wire").that(p.Wire == "", CodeNotSent, "a parameter that is not sent has no other name")
		default:
			c.in("in").bad(CodeOneOf, "must be %s", "path, query, header or compute")
		}
		o.validateSecret(p, c)
	}
}

func (o *Operation) validatePath(c check) {
	segs, err := splitPath(o.Path)
	if err != nil {
		c.broken(err)
		return
	}
	used := map[string]bool{}
	for _, s := range segs {
		if s.Param == "" {
			continue
		}
		c.that(!used[s.Param], CodePathTwice, "{%s} stands twice", s.Param)
		used[s.Param] = true
		ok := slices.ContainsFunc(o.Parameters, func(p Parameter) bool { return p.Name == s.Param && p.In == InPath })
		c.that(ok, CodePathUndeclared, "{%s} is not declared as a path parameter", s.Param)
	}
	for i := range o.Parameters {
		if p := &o.Parameters[i]; p.In == InPath {
			c.that(used[p.Name], CodePathUnused, "the path parameter %q is not in the path", p.Name)
		}
	}
}

// Segment is one part of a path template: literal text, or the name of a parameter.
type Segment struct{ Literal, Param string }

// splitPath reads a path template. A parameter fills a whole segment, so that what a
// caller gives can never reach into the next one.
func splitPath(path string) ([]Segment, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, flawed(CodePathStart, "must start with /")
	}
	parts := strings.Split(path[1:], "/")
	if len(parts) > maxSegmentCount {
		return nil, flawed(CodePathLong, "has more than %d segments", maxSegmentCount)
	}
	out := make([]Segment, 0, len(parts))
	for i, p := range parts {
		inner, isParam := strings.CutPrefix(p, "{")
		inner, closed := strings.CutSuffix(inner, "}")
		switch {
		case isParam && closed && paramName.MatchString(inner):
			out = append(out, Segment{Param: inner})
		case p == "" && i == len(parts)-1:
			out = append(out, Segment{})
		case literal.MatchString(p) && p != "." && p != "..":
			out = append(out, Segment{Literal: p})
		default:
			return nil, flawed(CodePathSegment, "the segment %q is neither plain text nor one {parameter}", p)
		}
	}
	return out, nil
}

// framing reports whether a header belongs to the connection or the message frame.
func framing(name string) bool {
	switch strings.ToLower(name) {
	case "host", "connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade",
		"content-length", "content-type", "content-encoding", "accept-encoding", "expect":
		return true
	}
	return false
}

// reserved reports whether a header may not be filled by a caller: those of the
// frame, of credentials, of the way here, and those that change the method.
func reserved(name string) bool {
	n := strings.ToLower(name)
	switch n {
	case "authorization", "cookie", "set-cookie", "forwarded", "via", "user-agent", "origin", "referer",
		"x-real-ip", "x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url":
		return true
	}
	return framing(n) || strings.HasPrefix(n, "proxy-") || strings.HasPrefix(n, "x-forwarded-") ||
		strings.HasPrefix(n, "sec-") || strings.HasPrefix(n, "x-bkapi-")
}

// withheld reports whether a response header may never reach a plugin.
func withheld(name string) bool {
	switch strings.ToLower(name) {
	case "set-cookie", "set-cookie2", "www-authenticate", "proxy-authenticate", "authorization",
		"authentication-info", "proxy-authentication-info":
		return true
	}
	return false
}

// CheckPath says what is wrong with a path template, or nil.
func CheckPath(path string) error {
	_, err := splitPath(path)
	return err
}

// ReservedHeader reports whether a header cannot be a parameter: the gateway or the
// connection keeps it, or it is not the name of one.
func ReservedHeader(name string) bool { return reserved(name) || !headerName.MatchString(name) }

// MayLetThrough reports whether a header of an answer may be named in ResponseHeaders.
func MayLetThrough(name string) bool { return headerName.MatchString(name) && !withheld(name) }
