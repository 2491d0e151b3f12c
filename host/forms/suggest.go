package forms

import (
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/effort"
)

// suggestionMax is the length of the longest word for which another one is looked for.
const suggestionMax = 40

// meant is the candidate that differs from a word by a slip of the keyboard, or "" where none
// does.
func meant(word string, candidates []string) string {
	if len(word) > suggestionMax {
		return ""
	}
	best, least := "", min(3, len(word)/2+1) // so many letters, and it is another word
	for _, c := range candidates {
		if d := slips(strings.ToLower(word), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// slips counts the letters that were left out, put in, changed or swapped with the next
// one to make b of a (the distance of Damerau and Levenshtein, each letter moved once).
func slips(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(change, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// keywords are those that a schema in a form may have.
func (p *Profile) keywords() []string {
	found, _ := effort.Find(p.document, "/$defs/node/properties")
	known, _ := found.(map[string]any)
	return slices.Sorted(maps.Keys(known))
}
