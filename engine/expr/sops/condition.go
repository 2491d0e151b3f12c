package sops

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/culmhq/culm/engine/expr/python"
)

// Condition translates the condition of a gateway's edge to CEL. The language knows
// comparisons (== != < <= > >= in notin issuperset notissuperset), and and or, which
// bind alike and to the right, parentheses, numbers, true and false, texts in quotes,
// lists in parentheses, and bare words, which are texts. A template stands for the text
// that it gives: without quotes around it, that text is read as a number, a bool, a word
// or a list.
//
// The error is a Problem; [Failing] makes a condition of it that fails when it is
// evaluated, as the original did.
func (t *Translator) Condition(source string) (string, error) {
	if strings.TrimSpace(source) == "*" {
		return "true", nil
	}
	if !utf8.ValidString(source) {
		return "", Problem{Source: "", Reason: "the condition is not valid UTF-8"}
	}
	p := &conditionParser{t: t, src: source}
	p.space()
	c, err := p.expression()
	if err == nil && p.i < len(p.src) {
		err = errAt(p.i, "and or or is missing")
	}
	if err == nil && len(c.cel) > celMax {
		err = errAt(0, "the translation is longer than %d characters", celMax)
	}
	if err != nil {
		return "", Problem{Offset: err.at, Source: source, Reason: err.reason}
	}
	return c.cel, nil
}

// Failing is a condition that fails when it is evaluated.
func Failing(err error) string {
	message := err.Error()
	if r := []rune(message); len(r) > 1000 {
		message = string(r[:1000])
	}
	return "fail(" + quote(strings.ToValidUTF8(message, "�")) + ")"
}

// Otherwise is the condition of a default edge that also has a condition of its own: it
// is taken when that holds, and when none of the others does. Without a condition, or
// with one that never holds, it is plainly the default: "".
func Otherwise(own string, others []string) string {
	if own == "" || own == "false" {
		return ""
	}
	words := make([]string, len(others))
	for i, o := range others {
		words[i] = "(" + o + ")"
	}
	if len(words) == 0 {
		return "true"
	}
	return "(" + own + ") || !(" + strings.Join(words, " || ") + ")"
}

type conditionParser struct {
	t     *Translator
	src   string
	i     int
	depth int
	count int
}

func (p *conditionParser) space() {
	for p.i < len(p.src) && strings.IndexByte(" \t\n\r", p.src[p.i]) >= 0 {
		p.i++
	}
}

// expression reads a condition and what and or or joins to it.
func (p *conditionParser) expression() (code, *sourceError) {
	if p.depth++; p.depth > depthMax {
		return code{}, errAt(p.i, "the condition is nested more than %d deep", depthMax)
	}
	defer func() { p.depth-- }()
	c, err := p.condition()
	if err != nil {
		return code{}, err
	}
	for _, word := range []string{"and", "or"} {
		if !p.keyword(word) {
			continue
		}
		rest, err := p.expression()
		if err != nil {
			return code{}, err
		}
		return both(word, c, rest), nil
	}
	return c, nil
}

// both joins two conditions; constants are worked out.
func both(word string, a, b code) code {
	if v, ok := a.literal.(bool); ok {
		if v == (word == "and") {
			return b
		}
		return a
	}
	op := map[string]string{"and": " && ", "or": " || "}[word]
	return code{cel: a.atom() + op + b.atom(), kind: kindBool, static: true, loose: true}
}

func (p *conditionParser) keyword(word string) bool {
	end := p.i + len(word)
	if end > len(p.src) || !strings.EqualFold(p.src[p.i:end], word) {
		return false
	}
	if end < len(p.src) && (isAlnum(p.src[end]) || strings.IndexByte("_$", p.src[end]) >= 0) {
		return false
	}
	p.i = end
	p.space()
	return true
}

// condition reads a comparison, or a condition in parentheses. Both may begin with a
// parenthesis: the comparison is tried first, as the original does.
func (p *conditionParser) condition() (code, *sourceError) {
	if p.count++; p.count > 200 {
		return code{}, errAt(p.i, "the condition has too many parts")
	}
	start := p.i
	c, err := p.comparison()
	if err == nil || start >= len(p.src) || p.src[start] != '(' {
		return c, err
	}
	p.i = start + 1
	p.space()
	c, inner := p.expression()
	switch {
	case inner != nil && inner.at < err.at:
		return code{}, err
	case inner != nil:
		return code{}, inner
	case p.i >= len(p.src) || p.src[p.i] != ')':
		return code{}, errAt(p.i, ") is missing")
	}
	p.i++
	p.space()
	return c, nil
}

func (p *conditionParser) comparison() (code, *sourceError) {
	start := p.i
	l, err := p.operand()
	if err != nil {
		return code{}, err
	}
	op := p.operator()
	if op == "" {
		return code{}, errAt(p.i, "an operator is missing")
	}
	r, err := p.operand()
	if err != nil {
		return code{}, err
	}
	c, bad := test(op, l, r)
	if bad != nil {
		return code{}, errAt(start, "%v", bad)
	}
	return c, nil
}

func (p *conditionParser) operator() string {
	for _, op := range []string{"notissuperset", "issuperset", "notin", "in", "==", "!=", "<=", ">=", "<", ">"} {
		end := p.i + len(op)
		if end <= len(p.src) && strings.EqualFold(p.src[p.i:end], op) {
			p.i = end
			p.space()
			return op
		}
	}
	return ""
}

// operand reads a value, or a list of values in parentheses.
func (p *conditionParser) operand() (code, *sourceError) {
	if p.i >= len(p.src) {
		return code{}, errAt(p.i, "an operand is missing")
	}
	if p.src[p.i] != '(' {
		return p.simple()
	}
	var items []code
	for sep := "("; ; sep = "," {
		if !strings.HasPrefix(p.src[p.i:], sep) {
			break
		}
		p.i++
		p.space()
		item, err := p.simple()
		if err != nil {
			return code{}, err
		}
		items = append(items, item)
	}
	if !strings.HasPrefix(p.src[p.i:], ")") {
		return code{}, errAt(p.i, ") is missing")
	}
	p.i++
	p.space()
	return listOf(items), nil
}

func listOf(items []code) code {
	c := code{kind: kindTexts, static: true, hasLiteral: true}
	words := make([]string, len(items))
	values := make([]any, len(items))
	for i, item := range items {
		if item.kind != kindText || !item.static {
			c.kind = kindList
		}
		c.hasLiteral = c.hasLiteral && item.hasLiteral
		words[i], values[i] = item.cel, item.literal
	}
	if c.hasLiteral {
		c.literal = values
	}
	c.cel = "[" + strings.Join(words, ", ") + "]"
	return c
}

var errWord = errors.New("not a value: a text needs quotes unless it is one word of letters, digits and _")

// simple reads one value.
func (p *conditionParser) simple() (code, *sourceError) {
	start := p.i
	if p.i < len(p.src) && (p.src[p.i] == '"' || p.src[p.i] == '\'') {
		return p.quoted()
	}
	word := p.word()
	if word == "" {
		return code{}, errAt(start, "a value is missing")
	}
	if !p.t.Lenient && templateLength(word) == len(word) {
		if c, _, err := p.t.expression(word[2 : len(word)-1]); err == nil && c.static && (c.kind == kindInt || c.kind == kindBool) {
			return c, nil // its text would be read as what it is
		}
	}
	parts, err := p.parts(word, start)
	if err != nil {
		return code{}, err
	}
	c := join(parts)
	if text, ok := c.literal.(string); ok {
		v, err := python.Operand(text)
		if err != nil {
			return code{}, errAt(start, "%s is %v", quote(word), errWord)
		}
		return constant(v), nil
	}
	return code{cel: "sops.value(" + c.cel + ")"}, nil
}

// word takes what stands without quotes up to the next space or operator.
func (p *conditionParser) word() string {
	start := p.i
	for p.i < len(p.src) && strings.IndexByte(" \t\r\n()=!<>,\"'", p.src[p.i]) < 0 {
		p.i += max(1, templateLength(p.src[p.i:]))
	}
	word := p.src[start:p.i]
	p.space()
	return word
}

// constant is the code of a value of the language.
func constant(v any) code {
	if list, ok := v.([]any); ok {
		items := make([]code, len(list))
		for i, item := range list {
			items[i] = constant(item)
		}
		return listOf(items)
	}
	c, _ := literal(v)
	return c
}

// quoted reads a text in quotes. There is no escape: it ends at the next quote of its
// kind that is not inside a template.
func (p *conditionParser) quoted() (code, *sourceError) {
	start, q := p.i, p.src[p.i]
	for p.i++; p.i < len(p.src) && p.src[p.i] != q; {
		if p.src[p.i] == '\n' || p.src[p.i] == '\r' {
			break
		}
		p.i += max(1, templateLength(p.src[p.i:]))
	}
	if p.i >= len(p.src) || p.src[p.i] != q {
		return code{}, errAt(start, "the text is not closed")
	}
	parts, err := p.parts(p.src[start+1:p.i], start+1)
	p.i++
	p.space()
	if err != nil {
		return code{}, err
	}
	for i := range parts {
		parts[i] = parts[i].text()
	}
	return join(parts), nil
}

func templateLength(s string) int {
	if at := templatePattern.FindStringIndex(s); at != nil && at[0] == 0 {
		return at[1]
	}
	return 0
}

// parts are the texts and templates of a value. A template that cannot be translated is
// text when the translator is lenient.
func (p *conditionParser) parts(s string, offset int) ([]code, *sourceError) {
	var out []code
	end := 0
	for _, at := range templatePattern.FindAllStringIndex(s, -1) {
		if at[0] > end {
			out = append(out, textLiteral(s[end:at[0]]))
		}
		end = at[1]
		c, problems := p.t.template(s[at[0]:at[1]], offset+at[0])
		for _, bad := range problems {
			if !bad.Warning && !p.t.Lenient {
				return nil, errAt(bad.Offset, "%s: %s", bad.Source, bad.Reason)
			}
		}
		if failed(problems) {
			c = textLiteral(s[at[0]:at[1]])
		}
		out = append(out, c)
	}
	if end < len(s) {
		out = append(out, textLiteral(s[end:]))
	}
	return out, nil
}

// test is the code of a comparison.
func test(op string, l, r code) (code, error) {
	if l.hasLiteral && r.hasLiteral {
		ok, err := python.Test(op, l.literal, r.literal)
		if err != nil {
			return code{}, err
		}
		c, _ := literal(ok)
		return c, nil
	}
	if c, ok := nativeTest(op, l, r); ok {
		return c, nil
	}
	return code{cel: fmt.Sprintf("sops.test(%s, %s, %s)", quote(op), l.cel, r.cel), kind: kindBool, static: true}, nil
}

// nativeTest is a comparison for which CEL has the same.
func nativeTest(op string, l, r code) (code, bool) {
	c := code{kind: kindBool, static: true, loose: true}
	texts := l.kind == kindText && r.kind == kindText
	ints := l.kind == kindInt && r.kind == kindInt && l.static && r.static
	switch op {
	case "==", "!=", "<", "<=", ">", ">=":
		c.cel = l.atom() + " " + op + " " + r.atom()
		return c, texts || ints
	case "in", "notin":
		switch {
		case texts:
			c.cel, c.loose = r.atom()+".contains("+l.cel+")", false
		case l.kind == kindText && r.kind == kindTexts:
			c.cel = l.atom() + " in " + r.atom()
		default:
			return c, false
		}
		if op == "notin" {
			c.cel, c.loose = "!"+c.atom(), true
		}
		return c, true
	}
	return c, false
}
