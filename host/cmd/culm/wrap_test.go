package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestLinesEndAtBlanksAndBetweenChineseCharacters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		s       string
		columns int
		want    []string
	}{
		{"", 10, []string{""}},
		{"one two three", 8, []string{"one two", "three"}},
		{"a-very-long-word b", 5, []string{"a-very-long-word", "b"}},
		{"用 --data 指定数据目录", 12, []string{"用 --data 指", "定数据目录"}},
		// A line begins with no comma, and ends with no opening bracket.
		{"一二三四五，六", 10, []string{"一二三四", "五，六"}},
		{"一二三（四五）六", 8, []string{"一二三", "（四五）", "六"}},
		{"调用（CULM_SERVER）", 12, []string{"调用", "（CULM_SERVER）"}},
	} {
		if got := wrap(tc.s, tc.columns); !slices.Equal(got, tc.want) {
			t.Errorf("%q in %d columns: %q, want %q", tc.s, tc.columns, got, tc.want)
		}
	}
}

func TestTextsHangBesideTheirNames(t *testing.T) {
	t.Parallel()
	got := hanging([][2]string{
		{"  --a 文本", "一二三四五六七八九十一二三四五六七八九十"},
		{"  --a-name-that-is-much-too-long-for-it", "short"},
	}, 40)
	want := "  --a 文本  一二三四五六七八九十一二三四\n            五六七八九十\n  --a-name-that-is-much-too-long-for-it\n            short\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// What is as it is written, an example or a name, may be longer.
func TestHelpFitsATerminalInBothLanguages(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "zh"} {
		var out strings.Builder
		p := &program{text: textIn(lang), outside: outside{out: &out}}
		root := p.root()
		root.SetOut(&out)
		p.speak(root)
		count := 0
		var walk func(c *cobra.Command)
		walk = func(c *cobra.Command) {
			out.Reset()
			p.help(c, nil)
			asIs := c.Example + c.UseLine()
			for line := range strings.Lines(out.String()) {
				line = strings.TrimSuffix(line, "\n")
				if w := cells().StringWidth(line); w > 80 && !strings.Contains(asIs, strings.TrimSpace(line)) && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s in %s: %d columns: %s", c.CommandPath(), lang, w, line)
				}
			}
			count++
			for _, sub := range c.Commands() {
				if !sub.Hidden {
					walk(sub)
				}
			}
		}
		walk(root)
		if count < 60 {
			t.Errorf("%d commands in %s", count, lang)
		}
	}
}
