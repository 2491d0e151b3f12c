package document_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/document"
)

// paper has a field of every kind.
type paper struct {
	Title  string                     `json:"title"`
	Count  int                        `json:"count"`
	Ratio  float64                    `json:"ratio"`
	Done   bool                       `json:"done"`
	Parts  []part                     `json:"parts"`
	Ref    *part                      `json:"ref"`
	Values map[string]json.RawMessage `json:"values"`
	Any    any                        `json:"any"`
	Word   word                       `json:"word"`
	hidden string                     //nolint:unused // must not be a field of the document
}

type part struct {
	Name string `json:"name"`
}

// word reads its own JSON.
type word string

var errLoud = errors.New("must be in lower case")

func (w *word) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s != strings.ToLower(s) {
		return errLoud
	}
	*w = word(s)
	return nil
}

func TestDecodeReadsYAMLAndJSON(t *testing.T) {
	t.Parallel()
	const asYAML = `
title: 2026-03-01        # a date is text
count: 0x10
ratio: 1e3
done: true
parts: [{name: a}, {name: "no"}]
ref: {name: b}
values:
  big: 12345678901234567890.10
  text: |-
    two
    lines
  none: null
  list: [1, "2", true]
any: {deep: [1]}
word: quiet
`
	const asJSON = `{"title":"2026-03-01","count":16,"ratio":1e3,"done":true,"parts":[{"name":"a"},{"name":"no"}],"ref":{"name":"b"},
		"values":{"big":12345678901234567890.10,"text":"two\nlines","none":null,"list":[1,"2",true]},"any":{"deep":[1]},"word":"quiet"}`
	var papers [2]paper
	for i, text := range []string{asYAML, asJSON} {
		if _, err := document.Decode([]byte(text), &papers[i]); err != nil {
			t.Fatalf("%d: %v", i, err)
		}
	}
	if papers[0].Ref.Name != "b" || papers[1].Ref.Name != "b" {
		t.Fatal("the pointer was not followed")
	}
	papers[0].Ref, papers[1].Ref = nil, nil
	a, z := fmt.Sprintf("%+v", papers[0]), fmt.Sprintf("%+v", papers[1])
	if a != z {
		t.Fatalf("YAML gives\n%s\nJSON gives\n%s", a, z)
	}
	p := papers[0]
	if p.Title != "2026-03-01" || p.Count != 16 || p.Parts[1].Name != "no" || string(p.Values["big"]) != "12345678901234567890.10" || string(p.Values["none"]) != "null" {
		t.Fatalf("got %+v", p)
	}
}

func TestDecodeReportsEveryProblemWithItsPlace(t *testing.T) {
	t.Parallel()
	_, err := document.Decode([]byte("title: [a]\ncount: x\nextra: 1\nparts:\n  - {name: a, nme: b}\n  - text\nword: LOUD\ndone: yes\ntitle: b\n"), new(paper))
	var ps document.Problems
	if !errors.As(err, &ps) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		"1 /title must be a text, not a list", "2 /count must be a whole number", "3 /extra unknown field", "5 /parts/0/nme unknown field",
		"6 /parts/1 must be an object", "7 /word must be in lower case", "8 /done must be true or false", "9 /title given twice",
	}
	if len(ps) != len(want) {
		t.Fatalf("got %d problems:\n%v", len(ps), err)
	}
	for i, p := range ps {
		if got := fmt.Sprintf("%d %s %s", p.Line, p.Field, p.Message); !strings.HasPrefix(got, want[i]) {
			t.Errorf("got %q, want %q", got, want[i])
		}
	}
}

func TestEveryProblemHasACodeThatClientsTranslateBy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"title: [a]": document.CodeWantText, "count: x": document.CodeWantInteger, "ratio: x": document.CodeWantNumber,
		"done: 1": document.CodeWantBool, "parts: 1": document.CodeWantList, "ref: []": document.CodeWantObject,
		"word: LOUD": document.CodeValue, "extra: 1": document.CodeUnknownField, "title: a\ntitle: b": document.CodeRepeated,
		"title: &a x": document.CodeAnchor, "any: !own x": document.CodeTag, "any: .inf": document.CodeNumber,
		"any: {[a]: 1}": document.CodeKey, "": document.CodeEmpty, "a: b\n---\nc: d": document.CodeMany, "title: [": document.CodeYAMLValue,
		"any: " + strings.Repeat("[", 70) + strings.Repeat("]", 70): document.CodeDeep,
		strings.Repeat(" ", document.MaxBytes+1):                    document.CodeTooLarge,
	} {
		_, err := document.Decode([]byte(text), new(paper))
		var ps document.Problems
		if !errors.As(err, &ps) || ps[0].Code != want {
			t.Errorf("%.30q: %+v, want %s", text, ps, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, says string }{
		"nothing":          {"", "empty"},
		"a list":           {"- a", "must be an object"},
		"a scalar":         {"a", "must be an object"},
		"bad syntax":       {"title: [a", "line 1"},
		"a tab":            {"a:\n\tb: c", "line 2"},
		"two documents":    {"title: a\n---\ntitle: b", "only one document"},
		"an alias":         {"title: &x a\nref: {name: *x}", "anchors and aliases"},
		"a merge":          {"ref: {<<: {name: a}}", "keys must be plain text"},
		"a tag":            {"title: !!binary aGk=", "tag"},
		"a tag of its own": {"title: !secret a", "tag"},
		"a key of lists":   {"? [a]\n: b", "keys must be plain text"},
		"not a number":     {"any: .nan", "not a number"},
		"too deep":         {"any: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), "deep"},
		"too large":        {"title: " + strings.Repeat("a", document.MaxBytes), "larger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := document.Decode([]byte(c.text), new(paper))
			var ps document.Problems
			if !errors.As(err, &ps) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want it to say %q", err, c.says)
			}
		})
	}
}

func TestProblemsAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "x%d: 1\n", i)
	}
	_, err := document.Decode([]byte(b.String()), new(paper))
	var ps document.Problems
	if !errors.As(err, &ps) || len(ps) > 200 {
		t.Fatalf("%d problems", len(ps))
	}
}

// Whatever is given, reading ends, and what comes out is JSON that reads the same.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{"a: 1", "{a: [1, two, null, true, 1.5e3]}", "a: &x 1\nb: *x", "- - - a", "? a\n: b", `{"a":"\u00e9"}`, "a: |\n  b\n", "0x1F", "1_000", "!!str 1", "a: 2026-01-01"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		js, _, err := document.JSON(data)
		if err != nil {
			return
		}
		if !json.Valid(js) {
			t.Fatalf("%q became %q", data, js)
		}
		again, _, err := document.JSON(js)
		if err != nil {
			t.Fatalf("%q became %s, which is refused: %v", data, js, err)
		}
		if string(again) != string(js) {
			t.Fatalf("%q became %s and then %s", data, js, again)
		}
	})
}
