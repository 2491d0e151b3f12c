package wasm

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestClean: what a plugin writes cannot pass for anything else.
func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain":           "plain",
		"中文 é 😀":          "中文 é 😀",
		"a\x1b[31mb":      `a\u001b[31mb`,
		"a\r\nb":          `a\u000d\u000ab`,
		"a\tb":            "a b",
		"a\u2028b":        `a\u2028b`,
		"user\u202egnp.":  `user\u202egnp.`,
		"zero\u200bwidth": `zero\u200bwidth`,
		"bad\xffbyte":     `bad\xffbyte`,
		"\uFFFD":          "\uFFFD",
		"nul\x00":         `nul\u0000`,
	} {
		if got := clean(in, 100); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
	for _, limit := range []int{3, 10, 11, 12} {
		got := clean(strings.Repeat("长", 20), limit)
		if len(got) > limit || !utf8.ValidString(got) || !strings.HasSuffix(got, cutMark) {
			t.Errorf("cut to %d bytes: %q", limit, got)
		}
	}
}
