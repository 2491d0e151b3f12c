package main

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// cells counts the columns that a text takes in a terminal: two for a Chinese character,
// and one where fonts differ, as terminals do in every locale with UTF-8. The package's own
// count would go by the environment of the process.
func cells() *runewidth.Condition { return &runewidth.Condition{StrictEmojiNeutral: true} }

// wrap breaks a line at blanks and between Chinese characters, so that no part is wider
// than a number of columns, unless a word is.
func wrap(s string, columns int) []string {
	var lines []string
	line, c := "", cells()
	for _, a := range atoms(s) {
		word := strings.TrimLeft(a, " ")
		if line != "" && c.StringWidth(line)+c.StringWidth(a) > columns {
			lines = append(lines, line)
			line = word
			continue
		}
		if line == "" {
			a = word
		}
		line += a
	}
	return append(lines, line)
}

// What a line may not begin with, and what it may not end with.
const (
	closing = "，。；：！？、）》”』」…%),.;:!?"
	opening = "（《“『「("
)

// atoms splits a text where a line may end. A blank stands at the beginning of an atom.
func atoms(s string) []string {
	var out []string
	glue := false // the next character belongs to what is before it
	c := cells()
	before := ' '
	for _, r := range s {
		wide, wasWide := c.RuneWidth(r) == 2, c.RuneWidth(before) == 2
		switch {
		case len(out) == 0:
			out = append(out, string(r))
		case r == ' ' && before != ' ':
			out = append(out, " ")
		case before == ' ', glue, strings.ContainsRune(closing, r), !wide && !wasWide:
			out[len(out)-1] += string(r)
		default:
			out = append(out, string(r))
		}
		glue = strings.ContainsRune(opening, r)
		before = r
	}
	return out
}

// hanging writes rows of a name and a text: the texts begin in the same column and are
// wrapped there. A name that is too long for its column has a line of its own.
func hanging(rows [][2]string, columns int) string {
	const most, least = 30, 24 // of the names, of the texts
	c := cells()
	names := 0
	for _, row := range rows {
		if w := c.StringWidth(row[0]); w <= most {
			names = max(names, w)
		}
	}
	var b strings.Builder
	for _, row := range rows {
		rest := row[0]
		if c.StringWidth(rest) > names {
			b.WriteString(rest + "\n")
			rest = ""
		}
		for _, line := range wrap(row[1], max(columns-names-tableGap, least)) {
			b.WriteString(strings.TrimRight(c.FillRight(rest, names+tableGap)+line, " ") + "\n")
			rest = ""
		}
	}
	return b.String()
}
