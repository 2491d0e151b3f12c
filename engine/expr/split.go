package expr

import "strings"

// piece is a part of a string: text, or the source of an expression.
type piece struct {
	text   string
	isExpr bool
	offset int
}

// splitTemplate cuts a string at its ${...}. $${ is a literal ${. The end of an
// expression is the brace that closes it in CEL: braces inside of CEL's strings,
// comments and map literals do not count.
func splitTemplate(s string) ([]piece, *Error) {
	var pieces []piece
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			pieces = append(pieces, piece{text: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "$${"):
			lit.WriteString("${")
			i += 3
		case strings.HasPrefix(s[i:], "${"):
			end := exprEnd(s, i+2)
			if end < 0 {
				e := fail(CodeSyntax, "${ is not closed; write $${ for the text ${").because("EXPR_OPEN")
				e.at(s, i)
				return nil, e
			}
			if strings.TrimSpace(s[i+2:end]) == "" {
				e := fail(CodeSyntax, "${} holds no expression").because("EXPR_EMPTY")
				e.at(s, i)
				return nil, e
			}
			flush()
			pieces = append(pieces, piece{text: s[i+2 : end], isExpr: true, offset: i + 2})
			i = end + 1
		default:
			lit.WriteByte(s[i])
			i++
		}
	}
	flush()
	return pieces, nil
}

// exprEnd returns the index of the brace that closes an expression, or -1.
func exprEnd(s string, i int) int {
	depth := 0
	for i < len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\'':
			if i = stringEnd(s, i, isRaw(s, i)); i < 0 {
				return -1
			}
			continue
		case c == '/' && strings.HasPrefix(s[i:], "//"):
			next := strings.IndexByte(s[i:], '\n')
			if next < 0 {
				return -1
			}
			i += next
		case c == '{':
			depth++
		case c == '}':
			if depth == 0 {
				return i
			}
			depth--
		}
		i++
	}
	return -1
}

// isRaw reports whether the quote at i opens a raw string: r"..." or its kin.
func isRaw(s string, i int) bool {
	for n := 0; n < 2 && i > 0; n++ {
		i--
		switch s[i] {
		case 'r', 'R':
			return true
		case 'b', 'B':
		default:
			return false
		}
	}
	return false
}

// stringEnd returns the index behind a CEL string, or -1.
func stringEnd(s string, i int, raw bool) int {
	quote := s[i : i+1]
	if strings.HasPrefix(s[i:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	for i += len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\' && !raw:
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		}
	}
	return -1
}
