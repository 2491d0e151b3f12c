package gateway

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/culmhq/culm/host/systems"
)

// expand fills a path template in. What a caller gives stays inside its segment: it
// is refused when any server on the way could read more than one segment or a dot
// segment into it, it is escaped, and the address that comes out is read again and
// compared with the template.
func expand(base *url.URL, segments []systems.Segment, given values) (*url.URL, error) {
	root := strings.TrimRight(base.EscapedPath(), "/")
	var raw strings.Builder
	raw.Grow(len(base.Scheme) + len(base.Host) + len(root) + 64)
	raw.WriteString(base.Scheme)
	raw.WriteString("://")
	raw.WriteString(base.Host)
	raw.WriteString(root)
	for _, s := range segments {
		raw.WriteByte('/')
		if s.Param == "" {
			raw.WriteString(s.Literal)
			continue
		}
		vs := given.of(s.Param)
		if len(vs) != 1 {
			return nil, badParam(paramSpot(s.Param), ParamOne, "must be one value")
		}
		if why := unfit(vs[0]); why != "" {
			return nil, badParam(paramSpot(s.Param), ParamSegment, "%s", why)
		}
		raw.WriteString(url.PathEscape(vs[0]))
	}
	u, err := url.Parse(raw.String())
	if err != nil || !hasShape(u, base, root, segments, given) {
		return nil, badParam(spot{text: "the path"}, ParamSegment, "does not keep the shape of its template")
	}
	return u, nil
}

// unfit says why a value cannot be a path segment, or "".
func unfit(v string) string {
	switch {
	case v == "":
		return "is empty"
	case len(v) > maxSegmentBytes:
		return "is too long for a path"
	case !utf8.ValidString(v):
		return "is not valid UTF-8"
	case strings.Trim(v, ".") == "":
		return "is a dot segment"
	case strings.ContainsFunc(v, func(c rune) bool { return !unicode.IsPrint(c) || splits(c) }):
		return "holds a character that a path segment may not hold"
	case strings.TrimSpace(v) != v:
		return "starts or ends with a space"
	}
	return ""
}

// splits reports whether a server might read a character as the end of a segment, of
// the path or of an escape: the delimiters themselves, and the characters that become
// one when text is normalised.
func splits(c rune) bool {
	switch c {
	case '/', '\\', '%', '?', '#', ';',
		'\u2024', '\u2025', '\u2026', // dot leaders
		'\u2044', '\u2215', '\u29f8', '\u29f5', '\u2216', // slashes
		'\ufe52', '\uff0e', '\u3002', '\uff61', // full stops
		'\uff0f', '\uff3c', '\ufe68', '\uff05', '\ufe6a', '\uff1f', '\ufe56', '\uff03', '\ufe5f', '\uff1b', '\ufe54',
		unicode.ReplacementChar:
		return true
	}
	return false
}

// hasShape reports whether an address is what its template says: the same place, the
// same number of segments, each literal as it stands and each parameter exactly the
// value that was given. root is the path of base.
func hasShape(u, base *url.URL, root string, segments []systems.Segment, given values) bool {
	if u.Scheme != base.Scheme || u.Host != base.Host || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return false
	}
	rest, ok := strings.CutPrefix(u.EscapedPath(), root)
	if !ok {
		return false
	}
	for _, s := range segments {
		var part string
		if rest, ok = strings.CutPrefix(rest, "/"); !ok {
			return false
		}
		if end := strings.IndexByte(rest, '/'); end >= 0 {
			part, rest = rest[:end], rest[end:]
		} else {
			part, rest = rest, ""
		}
		if !isSegment(part, s, given) {
			return false
		}
	}
	return rest == ""
}

// isSegment reports whether a part of a path is what its place in the template says.
func isSegment(part string, s systems.Segment, given values) bool {
	plain, err := url.PathUnescape(part)
	switch {
	case err != nil, plain == ".", plain == "..":
		return false
	case s.Param == "":
		return part == s.Literal
	}
	vs := given.of(s.Param)
	return len(vs) == 1 && plain == vs[0]
}
