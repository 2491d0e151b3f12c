package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/plugins/build"
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
		if !strings.HasPrefix(sub.Name(), "__") { // what the program calls itself with
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
	return sourceCallsIn(t, ".")
}

// sourceCallsIn finds the calls in the sources of a directory.
func sourceCallsIn(t *testing.T, dir string) []sourceCall {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []sourceCall
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, filepath.Join(dir, e.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if field, ok := n.(*ast.KeyValueExpr); ok {
				if name, ok := field.Key.(*ast.Ident); ok && (name.Name == "Message" || name.Name == "Code") {
					if s, ok := literalOf(field.Value); ok {
						out = append(out, sourceCall{place: set.Position(n.Pos()).String(), name: name.Name, texts: []string{s}})
					}
				}
			}
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
				if s, ok := literalOf(a); ok {
					c.texts = append(c.texts, s)
				}
			}
			out = append(out, c)
			return true
		})
	}
	return out
}

// literalOf returns the text that an expression writes out, which may be in several parts.
func literalOf(x ast.Expr) (string, bool) {
	switch l := x.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(l.Value)
		return s, err == nil && l.Kind == token.STRING
	case *ast.BinaryExpr:
		a, ok := literalOf(l.X)
		b, ok2 := literalOf(l.Y)
		return a + b, ok && ok2
	default:
		return "", false
	}
}

// isPackage reports whether an expression is the name of a package that makes texts.
func isPackage(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && slices.Contains([]string{"fmt", "errors", "fault", "document"}, id.Name)
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
		"string", "strings", "int", "flag --%s",
		"no systems here: --demo, --data or --recorded brings some",
		"sqlite: database is in use by another process", "sqlite: database is in use by another process (%s)",
		"dial tcp %s: connect: connection refused", "not a WebAssembly module of version 1 (a component, or another file)",
		"the module carries no manifest: pack it with culm plugin pack",
		"%q: a plugin's name is a lower-case letter, then up to 63 of a-z, 0-9 and -", "%q: there is no such language; there are %s",
		"rustc with the target %s", "the C library of WASI", "clang's runtime library for WebAssembly",
		"the module carries %d sections %s", "the section at byte %d does not fit into the module", "the export section is broken",
		"cargo made no module: Cargo.toml needs [lib] with crate-type = [\"cdylib\"]", "line %d: %s",
		"the case is written in braces; write it in lines, so that its expectation can be replaced",
		"%s: the directory is not empty", "%s: no plugin source is here: none of%s", "shipped with the program",
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
	for _, l := range build.Languages() {
		used[l.Install()] = true
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
	for _, dir := range silentPackages() {
		for _, c := range messagesOf(t, dir) {
			used[c.texts[0]] = true
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

// messagesOf are the texts of the errors that a package of the host makes.
func messagesOf(t *testing.T, dir string) []sourceCall {
	t.Helper()
	var out []sourceCall
	for _, c := range sourceCallsIn(t, dir) {
		if !slices.Contains([]string{"errors.New", "fmt.Errorf", "fmt.Sprintf", "fault.New", "fault.At", "Message"}, c.name) || len(c.texts) == 0 {
			continue
		}
		// What is one word is a path or a name.
		if message := oneLine(c.texts[len(c.texts)-1]); strings.Contains(message, " ") && message != "client: %w" {
			c.texts = []string{message}
			out = append(out, c)
		}
	}
	return out
}

// silentPackages are those whose refusals are said by nobody but the command line.
func silentPackages() []string { return []string{"../../config", "../../client"} }

func TestWhatSettingsAndTheClientRefuseIsThereInChinese(t *testing.T) {
	t.Parallel()
	zh := textIn("zh")
	for _, dir := range silentPackages() {
		all := messagesOf(t, dir)
		if len(all) < 5 {
			t.Errorf("%s: only %d messages were found", dir, len(all))
		}
		for _, c := range all {
			message := c.texts[len(c.texts)-1]
			if zh.phrases[message] == "" {
				t.Errorf("%s: no Chinese text in phrases.zh.txt:\n%s", c.place, message)
			}
		}
	}
}

func TestTheWordsOfTheBrowserAreRead(t *testing.T) {
	t.Parallel()
	s := readShared()
	for name, group := range map[string]texts{"why": s.Why, "word": s.Word, "problem": s.Problem, "failure": s.Failure, "wrong": s.Wrong} {
		if len(group) < 40 {
			t.Errorf("%s: only %d texts were read", name, len(group))
		}
	}
	for _, f := range []*fault.Error{
		fault.Missing("system", "ticket"),
		fault.New(fault.WrongState, "the node is %s", "waiting").Because("NODE_IS"),
	} {
		if got := textIn("zh").message(f); strings.Contains(got, "{{") || !strings.ContainsAny(got, "没有的") {
			t.Errorf("%s: %q", f.Message, got)
		}
		if got := textIn("en").message(f); got != f.Message {
			t.Errorf("%q", got)
		}
	}
}

func TestAMessageOfAnotherPackageIsRecognised(t *testing.T) {
	t.Parallel()
	zh := textIn("zh")
	for message, want := range map[string]string{
		`"x" is not a duration such as 10s`:                  `"x" 不是时长，应写成 10s 这样`,
		`port "a \"b\"" is not a number between 1 and 65535`: `端口 "a \"b\"" 应为 1 到 65535 之间的数`,
		"flag --drain":                 "选项 --drain",
		"nobody has written this down": "nobody has written this down",
		"a: b":                         "a: b",
	} {
		if got := zh.recognised(message); got != want {
			t.Errorf("%s: %q, want %q", message, got, want)
		}
	}
}
