package document_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/pdk/contract"
)

// The YAML reader says what is wrong in sentences: this is what holds our codes, and the
// lines, against them.
func TestMistakeOfYAMLHasItsCodeAndLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		code string
		line int
		a    string
	}{
		"x: 1\n\ta: 1":                     {document.CodeYAMLTab, 2, ""},
		"a: @x":                            {document.CodeYAMLCharacter, 1, ""},
		"a: 1\nb: `x`":                     {document.CodeYAMLCharacter, 2, ""},
		"\na: b: c":                        {document.CodeYAMLColon, 2, ""},
		"a: - b":                           {document.CodeYAMLList, 1, ""},
		"a: 1\nb\nc: 2":                    {document.CodeYAMLNoColon, 2, ""},
		"a: [1,\nb: 2":                     {document.CodeYAMLBracket, 2, "]"},
		"[a, b":                            {document.CodeYAMLBracket, 1, "]"},
		`{"a": 1 "b": 2}`:                  {document.CodeYAMLBracket, 1, "}"},
		"x:\n  y: 1\n  z: [1, 2\nw: 3\n":   {document.CodeYAMLBracket, 3, "]"},
		"a: 1\n- b":                        {document.CodeYAMLIndent, 2, ""},
		"- a\nb: 1":                        {document.CodeYAMLIndent, 2, ""},
		"a:\n  - 1\n b: 2":                 {document.CodeYAMLIndent, 3, ""},
		"x: 'a' b":                         {document.CodeYAMLIndent, 1, ""},
		"a: ]":                             {document.CodeYAMLValue, 1, ""},
		"a: 1\nb: \"x":                     {document.CodeYAMLQuotes, 2, ""},
		"a: \"\\q\"":                       {document.CodeYAMLEscape, 1, ""},
		"a: \"\\xzz\"":                     {document.CodeYAMLEscape, 1, ""},
		"a: >x\n b":                        {document.CodeYAMLBlock, 1, ""},
		"a: |0\n x":                        {document.CodeYAMLBlock, 1, ""},
		"a: 1\nb: *":                       {document.CodeAnchor, 2, ""},
		"a: 1\nb: *y":                      {document.CodeAnchor, 0, ""},
		"a: !foo!x 1":                      {document.CodeYAMLTag, 1, ""},
		"a: !<x 1":                         {document.CodeYAMLTag, 1, ""},
		"\n%FOO\n---\na: 1":                {document.CodeYAMLDirective, 2, ""},
		"%YAML 3\n---\na: 1":               {document.CodeYAMLDirective, 1, ""},
		"a: 1\nb: \x01":                    {document.CodeYAMLCharacters, 2, ""},
		"a: 1\n\nb: \xff":                  {document.CodeYAMLCharacters, 3, ""},
		"a: !!int x":                       {document.CodeTagValue, 1, "x"},
		"a: " + strings.Repeat("[", 20000): {document.CodeDeep, 1, "64"},
	} {
		_, _, err := document.JSON([]byte(text))
		var ps document.Problems
		if !errors.As(err, &ps) || ps[0].Code != want.code || ps[0].Line != want.line || ps[0].Args["a"] != want.a {
			t.Errorf("%.40q: %+v, want %+v", text, ps, want)
		}
	}
}

// What stands behind a document, and is no document, was not read and not told.
func TestTextBehindTheDocumentIsNotIgnored(t *testing.T) {
	t.Parallel()
	for text, line := range map[string]int{"\n\n  a: 1\n b: 2": 4, `"a" "b"`: 1, "a: 1\n...\nb: [": 3} {
		_, _, err := document.JSON([]byte(text))
		var ps document.Problems
		if !errors.As(err, &ps) || ps[0].Line != line {
			t.Errorf("%q: %+v", text, err)
		}
	}
}

func TestSentenceOfNoKnownKindIsKept(t *testing.T) {
	t.Parallel()
	_, err := document.Decode([]byte("word: LOUD"), new(paper))
	var ps document.Problems
	if !errors.As(err, &ps) || ps[0].Code != document.CodeValue || ps[0].Args["a"] != errLoud.Error() || ps[0].Line != 1 {
		t.Fatalf("got %+v", err)
	}
}

func TestTextInTwoLanguagesSaysWhatItWants(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]struct{ code, field string }{
		"5":             {document.CodeWantWords, "/title"},
		"[a]":           {document.CodeWantWords, "/title"},
		"{fr: Bonjour}": {document.CodeUnknownField, "/title/fr"},
		"{en: 5}":       {document.CodeWantText, "/title/en"},
	} {
		_, err := document.Decode([]byte("\ntitle: "+value), &struct {
			Title contract.Text `json:"title"`
		}{})
		var ps document.Problems
		if !errors.As(err, &ps) || ps[0].Code != want.code || ps[0].Line != 2 || ps[0].Field != want.field {
			t.Errorf("%s: %+v", value, err)
		}
	}
	var d struct {
		A, B, C contract.Text
	}
	if _, err := document.Decode([]byte("A: 2026-01-01\nB: {en: Host, zh: 主机}\nC: null"), &d); err != nil || d.A.En != "2026-01-01" || d.B.Zh != "主机" || !d.C.IsZero() {
		t.Errorf("got %+v, %v", d, err)
	}
}

// A sentence that a newer reader has, and no kind knows, is told as it is.
func FuzzSyntax(f *testing.F) {
	for _, seed := range []string{"a: [", "a: \t b", "\"", "%", "- |0", "a: !<", "&a", "\xfe\xff\x00a", "? [a\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		js, _, err := document.JSON(data)
		if err == nil {
			if !json.Valid(js) {
				t.Fatalf("%q became %q", data, js)
			}
			return
		}
		var ps document.Problems
		if !errors.As(err, &ps) || len(ps) == 0 {
			t.Fatalf("%q: %v", data, err)
		}
		for _, p := range ps {
			if p.Code == "" || p.Message == "" || p.Line < 0 || p.Line > 1+strings.Count(string(data), "\n")+strings.Count(string(data), "\r") {
				t.Errorf("%q: %+v", data, p)
			}
		}
	})
}
