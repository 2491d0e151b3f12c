package main

import (
	_ "embed"
	"fmt"
	"strings"
)

// zhPhrases are the Chinese texts of the English sentences that stand where they are said:
// help, refusals. A block is an English paragraph and, behind "= ", the Chinese one; an
// empty line ends it. A paragraph may go over several lines: only its words count. In the
// Chinese one \n is a new line.
//
//go:embed phrases.zh.txt
var zhPhrases string

// phrases are texts by their English paragraph, in one line.
type phrases map[string]string

// parsePhrases reads a text in the form of zhPhrases. Lines that begin with # are remarks.
func parsePhrases(src string) phrases {
	out := phrases{}
	var english []string
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(line)
		if other, ok := strings.CutPrefix(line, "= "); ok {
			out[strings.Join(english, " ")] = strings.ReplaceAll(other, `\n`, "\n")
			english = nil
		} else if line != "" && !strings.HasPrefix(line, "#") {
			english = append(english, line)
		}
	}
	return out
}

// in returns an English sentence or paragraph in the language of the reader. A text that
// has no other is returned as it is.
func (t text) in(english string) string {
	if other, ok := t.phrases[oneLine(english)]; ok {
		return other
	}
	return english
}

// inf formats a sentence in the language of the reader.
func (t text) inf(english string, args ...any) string { return fmt.Sprintf(t.in(english), args...) }

// paragraphs returns a text of several paragraphs in the language of the reader.
func (t text) paragraphs(english string) string {
	parts := splitParagraphs(english)
	for i, part := range parts {
		parts[i] = t.in(part)
	}
	return strings.Join(parts, "\n")
}

// splitParagraphs splits a text into its paragraphs: each is one line, an empty one lies
// between two of them, and a line that begins with a blank is one by itself, as it is.
func splitParagraphs(s string) []string {
	var out []string
	open := false
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		asIs := strings.HasPrefix(line, " ")
		if open && line != "" && !asIs {
			out[len(out)-1] += " " + line
			continue
		}
		out = append(out, line)
		open = line != "" && !asIs
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
