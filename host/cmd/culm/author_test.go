package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/plugins/build"
	"github.com/culmhq/culm/host/plugins/lint"
	"github.com/culmhq/culm/pdk/contract"
)

// checkers are the packages that find what is wrong with what an author wrote, with the
// functions by which they say so: the first text behind the place is the code.
func checkers() map[string][]string {
	return map[string][]string{
		"../../plugins/build":   {"add", "match", "document.Coded"},
		"../../forms":           {"bad", "document.Coded"},
		"../../effort":          {"document.Coded"},
		"../../foreign":         {"bad"},
		"../../../pdk/manifest": {"Code"},
		"../../plugins/cases":   {"add", "mismatch", "refuse", "broken", "faulty"},
	}
}

// codesOf are the codes that a package says, with where.
func codesOf(t *testing.T, dir string, by []string) map[string]string {
	t.Helper()
	code := regexp.MustCompile(`^[A-Z]+_[A-Z_]+$`)
	out := map[string]string{}
	for _, c := range sourceCallsIn(t, dir) {
		if !slices.Contains(by, c.name) || len(c.texts) == 0 {
			continue
		}
		at := slices.IndexFunc(c.texts, code.MatchString)
		if at < 0 {
			t.Errorf("%s: %s(%q) has no code", c.place, c.name, c.texts)
			continue
		}
		out[c.texts[at]] = c.place
	}
	return out
}

// A check of manifests, of schemas or of cases that is new has a code, and the code a Chinese
// text; a text that is left over is said by nobody.
func TestEverythingThatIsWrongWithAPluginIsThereInChinese(t *testing.T) {
	t.Parallel()
	all := metaCodes(t)
	for dir, by := range checkers() {
		found := codesOf(t, dir, by)
		if len(found) < 3 {
			t.Errorf("%s: only %d codes were found", dir, len(found))
		}
		for code, place := range found {
			all[code] = place
		}
	}
	zh := readShared()
	for code, place := range all {
		if zh.problem(code, nil, "") == "" {
			t.Errorf("%s: no Chinese text in author.zh.json or manifest.zh.json for %s", place, code)
		}
	}
	own := maps.Clone(zh.Manifest)
	maps.Copy(own, zh.Author)
	if len(own) != len(zh.Manifest)+len(zh.Author) {
		t.Error("a code has a text in author.zh.json and in manifest.zh.json")
	}
	for code, said := range own {
		if all[code] == "" {
			t.Errorf("a text that nobody says: %s", code)
		}
		if zh.Why[code]+zh.Wrong[code]+zh.Problem[code] != "" {
			t.Errorf("%s is a code of the browser's other texts too", code)
		}
		if words := regexp.MustCompile(`\{\{\w+\}\}`).ReplaceAllString(said, ""); !regexp.MustCompile(`\p{Han}`).MatchString(words) {
			t.Errorf("%s is not Chinese: %q", code, said)
		}
	}
}

// metaCodes are the codes of the rules of the meta-schema of forms: each that describes itself
// has one.
func metaCodes(t *testing.T) map[string]string {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(forms.ProfileSchema(), &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		rule, _ := v.(map[string]any)
		if text, ok := rule["description"].(string); ok && at != "" {
			code, _ := rule["x-code"].(string)
			if code == "" {
				t.Errorf("the rule %s of form.v1.json has no x-code: %q", at, text)
			}
			out[code] = "form.v1.json" + at
		}
		for name, child := range rule {
			if name != "description" {
				walk(at+"/"+name, child)
			}
		}
		if list, ok := v.([]any); ok {
			for _, child := range list {
				walk(at+"/-", child)
			}
		}
	}
	walk("", doc)
	return out
}

// What is advised about a plugin is said by its rule.
func TestEveryRuleOfAdviceHasItsWords(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../plugins/lint/lint.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	words, rules := authorWords(), 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if of, ok := spec.Type.(*ast.Ident); !ok || of.Name != "Rule" && of.Name != "Level" {
			return true
		}
		name, _ := literalOf(spec.Values[0])
		said := words["lint."+name]
		if said[0] == "" || said[1] == "" || !slices.Equal(verbs(said[0]), verbs(said[1])) {
			t.Errorf("the rule %s is said as %q", name, said)
		}
		rules++
		return true
	})
	if rules < 10 {
		t.Errorf("only %d rules were found", rules)
	}
	if words["lint."+string(lint.NeedsAny)][1] == "" {
		t.Error("no words for a rule that there is")
	}
}

// wrongManifest is wrong in as many ways as fit into one.
const wrongManifest = `{"format": "culm.plugin/v2", "id": "My", "version": "v1", "title": "", "icon": "<svg>", "limits": {"host_calls": -1},
 "needs": [{"system": "", "operation": "GET /x"}], "actions": [
 {"id": "a-b", "title": "", "timeout_ms": -5, "waits": ["rain", "poll", "poll"], "outputs": {}, "inputs": {"type": "object", "not": {}, "properties": {
  "a": {"type": "text"}, "b": {"ui:wigdet": "code"}, "c": {"ui:widget": "swich"}, "d": {"ui:cols": 13}, "e": {"pattern": "(?=x)"}, "f": {"$ref": "#/$defs/z"},
  "g": {"$ref": "http://x"}, "h": {"x-source": {"name": "h", "dependsOn": ["hots"]}}, "i": 7, "j": {"enum": ["x"], "ui:i18n": {"fr": {}, "zh": {"enumNames": []}}},
  "k": {"x-operation": {"part": "params", "system": "s"}}, "l": {"x-secret": "yes"}, "m": {"required": [1]}, "n": {"multipleOf": 0}, "o": {"ui:group": {}}}}},
 {"id": "f", "title": "F", "cancel": true, "inputs": {"type": "object"}, "outputs": {"type": "object"}, "foreign": {"export": "", "encoding": {"input": {"as": "text"}}}}]}`

func TestAWrongManifestIsToldInChineseOnly(t *testing.T) {
	t.Parallel()
	zh := textIn("zh")
	_, err := build.ParseManifest([]byte(wrongManifest))
	all := build.FieldErrors(err)
	if len(all) < 30 {
		t.Errorf("only %d faults: %v", len(all), err)
	}
	sentence := regexp.MustCompile(`[a-z]{2,} [a-z]{2,} [a-z]{2,}`)
	for _, f := range all {
		said := zh.fieldError(f)
		if sentence.MatchString(said) || !regexp.MustCompile(`\p{Han}`).MatchString(said) || strings.Contains(said, "{{") {
			t.Errorf("%s %v is said as %q", f.Code, f.Args, said)
		}
		if en := textIn("en").err(f); en != f.Error() {
			t.Errorf("%q is said as %q", f.Error(), en)
		}
	}
	told := zh.err(err)
	for _, line := range []string{
		"第 1 行第 36 列：/id：\"My\" 不能作为插件的 ID：须以小写字母开头，其后最多 63 个 a-z、0-9 或 -",
		"/actions/0/inputs/properties/b/ui:wigdet：表单不支持这个关键字，是不是 ui:widget？",
		"，是不是 switch？",
		"/actions/0/inputs/properties/d/ui:cols：须为 1 到 12 的整数",
		"/actions/0/inputs/properties/m/required/0：应为文本",
		"/actions/1/cancel：这种模块不认识这个调用",
		"/actions/1/foreign/encoding/input/field：编码为 text 时必填",
	} {
		if !strings.Contains(told, line) {
			t.Errorf("%q is not said:\n%s", line, told)
		}
	}
}

func TestWhoseOutputItIsIsSaidBeforeIt(t *testing.T) {
	t.Parallel()
	err := error(&build.CompileError{Tool: "go", Output: "main.go:3:1: undefined: x", Cause: errors.New("killed")})
	if got, want := textIn("zh").err(err), "go 执行失败（killed），以下是它自己的输出：\nmain.go:3:1: undefined: x"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, l := range build.Languages() {
		tool := &build.ToolError{Tool: "cc", Language: l, Install: l.Install()}
		if got := textIn("zh").err(tool); strings.Contains(got, " or ") || strings.Contains(got, "see ") {
			t.Errorf("%s: %q", l, got)
		}
	}
	p := document.Coded("MANIFEST_TWICE", "%q is there twice", contract.WaitPoll)
	if got := textIn("zh").err(&build.FieldError{Problem: p, File: "m.json"}); got != `m.json: "poll" 重复` {
		t.Errorf("%q", got)
	}
}

// What else stops an author: errors that have no field and no code.
func TestWhatStopsAnAuthorIsThereInChinese(t *testing.T) {
	t.Parallel()
	zh := textIn("zh")
	said := 0
	for _, dir := range []string{"../../plugins/build", "../../plugins/cases"} {
		for _, c := range sourceCallsIn(t, dir) {
			if !slices.Contains([]string{"errors.New", "fmt.Errorf"}, c.name) || len(c.texts) == 0 || strings.Contains(c.place, "/all.go:") {
				continue // all.go builds what ships with the program
			}
			text := strings.TrimSuffix(strings.TrimPrefix(c.texts[0], "%s: "), ": %w")
			if around := []string{"%s", "manifest of %s", "compile %s", "line %d", "no plugin source is here"}; slices.Contains(around, text) || strings.HasPrefix(text, "%w") {
				continue // what is told is inside, or said before
			}
			said++
			if zh.phrases[text] == "" {
				t.Errorf("%s: no Chinese text in phrases.zh.txt:\n%s", c.place, text)
			}
		}
	}
	if said < 5 {
		t.Errorf("only %d were found", said)
	}
	inner := errors.New("the export section is broken")
	if got := zh.err(fmt.Errorf("a.wasm: %w", inner)); got != "a.wasm: 模块的导出段已损坏" {
		t.Errorf("%q", got)
	}
	if got := zh.err(fmt.Errorf("line %d: %w", 3, inner)); got != "第 3 行：模块的导出段已损坏" {
		t.Errorf("%q", got)
	}
}
