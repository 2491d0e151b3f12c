package openapi

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

func list(v any) []any { l, _ := v.([]any); return l }

func text(v any) string { s, _ := v.(string); return s }

func yes(v any) bool { b, _ := v.(bool); return b }

func item(l []any, token string) (any, bool) {
	i, err := strconv.Atoi(token)
	if err != nil || i < 0 || i >= len(l) {
		return nil, false
	}
	return l[i], true
}

// unescape reads one token of a JSON Pointer in a URL fragment.
func unescape(token string) string {
	if plain, err := url.PathUnescape(token); err == nil {
		token = plain
	}
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
}

// line makes one line of a text, of at most so many bytes.
func line(s string, most int) string {
	return clip(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " "), most)
}

// clip cuts a text at the end of a character.
func clip(s string, most int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= most {
		return s
	}
	most -= len("…")
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}

// The borders of words in a name, and what is no part of one.
var (
	afterLower = regexp.MustCompile(`([a-z0-9])([A-Z])`)
	beforeWord = regexp.MustCompile(`([A-Z])([A-Z][a-z0-9])`)
	noWord     = regexp.MustCompile(`[^a-z0-9]+`)
)

// snake writes a name in lower case with underscores: "repos/getReadMe" as
// "repos_get_read_me".
func snake(name string) string {
	name = afterLower.ReplaceAllString(name, "${1}_$2")
	name = beforeWord.ReplaceAllString(name, "${1}_$2")
	return strings.Trim(noWord.ReplaceAllString(strings.ToLower(name), "_"), "_")
}
