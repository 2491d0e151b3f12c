package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// helpTexts calls say with every paragraph of the help of a command and of those below it,
// and with where it stands.
func helpTexts(c *cobra.Command, say func(where, paragraph string)) {
	where := c.CommandPath()
	say(where, c.Short)
	for _, part := range splitParagraphs(c.Long) {
		if part != "" && !strings.HasPrefix(part, " ") {
			say(where+" (long)", part)
		}
	}
	for _, g := range c.Groups() {
		say(where, g.Title)
	}
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			what, _ := cutEnv(f.Usage)
			say(where+" --"+f.Name, what)
		}
	})
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			helpTexts(sub, say)
		}
	}
}

// A call in the sources of this package: what is called, and its arguments that are texts.
type sourceCall struct {
	place string
	name  string
	texts []string
}

// sourceCalls finds the calls in the sources of this package.
func sourceCalls(t *testing.T) []sourceCall {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var out []sourceCall
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, e.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			c := sourceCall{place: set.Position(call.Pos()).String()}
			switch f := call.Fun.(type) {
			case *ast.Ident:
				c.name = f.Name
			case *ast.SelectorExpr:
				if c.name = f.Sel.Name; isPackage(f.X) {
					c.name = f.X.(*ast.Ident).Name + "." + c.name
				}
			}
			for _, a := range call.Args {
				if l, ok := a.(*ast.BasicLit); ok && l.Kind == token.STRING {
					s, err := strconv.Unquote(l.Value)
					if err != nil {
						t.Fatal(err)
					}
					c.texts = append(c.texts, s)
				}
			}
			out = append(out, c)
			return true
		})
	}
	return out
}

// isPackage reports whether an expression is the name of a package that makes texts.
func isPackage(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && slices.Contains([]string{"fmt", "errors", "fault"}, id.Name)
}

func TestAllHelpIsThereInChinese(t *testing.T) {
	t.Parallel()
	zh := parsePhrases(zhPhrases)
	seen := map[string]bool{}
	helpTexts((&program{text: textIn("en")}).root(), func(where, paragraph string) {
		if paragraph = oneLine(paragraph); zh[paragraph] == "" && !seen[paragraph] {
			t.Errorf("%s has no Chinese text in phrases.zh.txt:\n%s", where, paragraph)
		}
		seen[paragraph] = true
	})
	if len(seen) < 250 {
		t.Errorf("only %d texts of help were found", len(seen))
	}
}

// What is said with a text that is not written at the call: kinds of values, and what the
// system says of files.
func phrasesMadeElsewhere() []string {
	return []string{
		"string", "strings", "int",
		"file does not exist", "permission denied", "file already exists", "is a directory", "not a directory",
	}
}

func TestEverySentenceIsThereInChineseAndNoOther(t *testing.T) {
	t.Parallel()
	zh := parsePhrases(zhPhrases)
	used := map[string]bool{}
	for _, s := range phrasesMadeElsewhere() {
		used[s] = true
	}
	helpTexts((&program{text: textIn("en")}).root(), func(_, s string) { used[oneLine(s)] = true })
	for _, c := range sourceCalls(t) {
		if !slices.Contains([]string{"in", "inf", "say", "sayAs"}, c.name) || len(c.texts) == 0 {
			continue
		}
		s := oneLine(c.texts[0])
		used[s] = true
		if zh[s] == "" {
			t.Errorf("%s: no Chinese text in phrases.zh.txt:\n%s", c.place, s)
		}
	}
	for s, other := range zh {
		if !used[s] {
			t.Errorf("phrases.zh.txt has a text that nobody says:\n%s", s)
		}
		if a, b := verbs(s), verbs(other); !slices.Equal(a, b) {
			t.Errorf("%q fills in %q, its Chinese text %q", s, a, b)
		}
	}
}

// What is printed or refused in English whatever the language: names of things, units, and
// marks that scripts look for.
func sameInAllLanguages() *regexp.Regexp {
	return regexp.MustCompile(`%[-+#\[\]\d.]*[a-z]|HTTP|ms\b|\b[KM]iB\b|^exit |^culm |^gateway$|^random$|\bMB\b|\bculm [a-z -]+|Culm|[a-z-]+/[a-z-]+|--[a-z-]+|\[y/n\]`)
}

func TestNothingIsSaidInEnglishOnly(t *testing.T) {
	t.Parallel()
	said := []string{
		"errors.New", "fmt.Errorf", "fault.New", "fault.At", "fmt.Fprintf", "fmt.Fprintln", "fmt.Fprint", "fmt.Sprintf", "fmt.Sprint",
	}
	word, same := regexp.MustCompile(`[A-Za-z]{2,}`), sameInAllLanguages()
	for _, c := range sourceCalls(t) {
		if !slices.Contains(said, c.name) {
			continue
		}
		for _, s := range c.texts {
			if word.MatchString(same.ReplaceAllString(s, "")) {
				t.Errorf("%s: %s says %q in English only: use say, text.in or text.of", c.place, c.name, s)
			}
		}
	}
}

// verbs are what a format fills in, in the order of the arguments.
func verbs(format string) []string {
	var out []string
	next := 1
	for _, m := range regexp.MustCompile(`%(?:\[(\d)\])?([a-z])`).FindAllStringSubmatch(format, -1) {
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1])
		}
		out = append(out, strconv.Itoa(next)+m[2])
		next++
	}
	slices.Sort(out)
	return out
}

func TestPhrasesAreReadInBlocks(t *testing.T) {
	t.Parallel()
	got := parsePhrases("# a remark\n\nOne paragraph\nover two lines.\n= 一段\n\nanother\n= 另一段\n")
	if len(got) != 2 || got["One paragraph over two lines."] != "一段" || got["another"] != "另一段" {
		t.Errorf("%q", got)
	}
}
