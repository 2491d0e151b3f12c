package wasm

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean makes text that a plugin wrote fit for logs and screens: one line, valid
// UTF-8, control, bidirectional and other invisible characters written out as
// escapes, at most limit bytes with a mark where it was cut.
func clean(s string, limit int) string {
	if plain(s) && len(s) <= limit {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if b.Len() > limit {
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD"):
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\t':
			b.WriteByte(' ')
		case visible(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	out := b.String()
	if len(out) <= limit {
		return out
	}
	cut := max(limit-len(cutMark), 0)
	for cut > 0 && !utf8.RuneStart(out[cut]) {
		cut--
	}
	return out[:cut] + cutMark
}

// cutMark ends a text that was cut.
const cutMark = "…"

// plain reports whether s is printable ASCII.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// visible reports whether a reader sees r as what it is. Formatting characters
// (category Cf, which holds the bidirectional overrides) and line and paragraph
// separators are not.
func visible(r rune) bool {
	return r == ' ' || unicode.IsGraphic(r) && !unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co)
}
