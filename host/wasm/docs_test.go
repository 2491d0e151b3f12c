package wasm

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk/contract"
)

// docs is where authors read what this package offers.
const docs = "../../docs/plugins"

// wasmType is the type of a signature as WebAssembly writes it.
func wasmType(s string) string {
	return strings.NewReplacer("i", "i32 ", "I", "i64 ").Replace(s)
}

// parameters are the types in a signature as the documentation writes it:
// "name(a i32, block i64) -> (n i32)" gives "iI>i".
func parameters(signature string) string {
	left, right, _ := strings.Cut(signature, "->")
	types := func(s string) string {
		var b strings.Builder
		for _, m := range regexp.MustCompile(`\bi(32|64)\b`).FindAllString(s, -1) {
			b.WriteString(map[string]string{"i32": "i", "i64": "I"}[m])
		}
		return b.String()
	}
	return types(left) + ">" + types(right)
}

func TestEachHostFunctionHasAPageWithItsType(t *testing.T) {
	t.Parallel()
	for module, place := range map[string]struct {
		dir   string
		index string
		other []string
	}{
		moduleCulm:   {".", "README.md", []string{"README.md", "extism.md", "wasi.md"}},
		moduleExtism: {"extism", "extism.md", nil},
		moduleWASI:   {"wasi", "wasi.md", nil},
	} {
		index, err := os.ReadFile(filepath.Join(docs, "host", place.index))
		if err != nil {
			t.Fatal(err)
		}
		known := place.other
		for _, f := range hostFuncs()[module] {
			known = append(known, f.name+".md")
			page, err := os.ReadFile(filepath.Join(docs, "host", place.dir, f.name+".md"))
			if err != nil {
				t.Error(err)
				continue
			}
			checkPage(t, module, f, string(page))
			if link := "(" + filepath.ToSlash(filepath.Join(place.dir, f.name+".md")) + ")"; !strings.Contains(string(index), link) {
				t.Errorf("%s has no link to %s", place.index, link)
			}
		}
		pages, err := filepath.Glob(filepath.Join(docs, "host", place.dir, "*.md"))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pages {
			if !slices.Contains(known, filepath.Base(p)) {
				t.Errorf("%s is the page of no host function", p)
			}
		}
	}
}

// checkPage compares the page of a host function with its type.
func checkPage(t *testing.T, module string, f hostFunc, page string) {
	t.Helper()
	signature := regexp.MustCompile(`(?m)^    ` + f.name + `\(.*$`).FindString(page)
	if got := parameters(signature); got != f.sig {
		t.Errorf("the page of %s has the type %s, the function has %s", f.name, got, f.sig)
	}
	want := "(import \"" + module + "\" \"" + f.name + "\" (func"
	params, results, _ := strings.Cut(f.sig, ">")
	if params != "" {
		want += ` (param ` + strings.TrimSpace(wasmType(params)) + `)`
	}
	if results != "" {
		want += ` (result ` + strings.TrimSpace(wasmType(results)) + `)`
	}
	if !strings.Contains(page, want+"))") {
		t.Errorf("the page of %s does not import it as %s", f.name, want)
	}
}

func TestTheTableOfExtismsFunctionsIsComplete(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join(docs, "host", "extism.md"))
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, m := range regexp.MustCompile("\\[`([a-z0-9_]+)(\\([^`]*)`").FindAllStringSubmatch(string(page), -1) {
		told[m[1]] = parameters(m[2])
	}
	for _, f := range hostFuncs()[moduleExtism] {
		if told[f.name] != f.sig {
			t.Errorf("the table has %s as %q, it is %q", f.name, told[f.name], f.sig)
		}
		delete(told, f.name)
	}
	for name := range told {
		t.Errorf("the table has %s, which is not offered", name)
	}
}

// Every example of JSON in the documentation decodes strictly into the type that it is
// an example of.
func TestTheExamplesOfTheWireContractAreOfTheContract(t *testing.T) {
	t.Parallel()
	types := map[string]func() any{
		"Request": func() any { return new(contract.Request) }, "Answer": func() any { return new(contract.Answer) },
		"GatewayRequest": func() any { return new(contract.GatewayRequest) }, "GatewayResponse": func() any { return new(contract.GatewayResponse) },
		"EvalRequest": func() any { return new(contract.EvalRequest) }, "EvalResponse": func() any { return new(contract.EvalResponse) },
		"Manifest": func() any { return new(contract.Manifest) },
	}
	examples := 0
	for _, pattern := range []string{"wire.md", "host/*.md"} {
		pages, err := filepath.Glob(filepath.Join(docs, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pages {
			page, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile("(?s)```json ([A-Za-z]+)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
				examples++
				make, ok := types[m[1]]
				if !ok {
					t.Errorf("%s: there is no type %s", p, m[1])
					continue
				}
				d := json.NewDecoder(bytes.NewReader([]byte(m[2])))
				d.DisallowUnknownFields()
				if err := d.Decode(make()); err != nil {
					t.Errorf("%s: %v in\n%s", p, err, m[2])
				}
				if m[1] == "Answer" {
					if _, err := DecodeAnswer([]byte(m[2])); err != nil {
						t.Errorf("%s: %v in\n%s", p, err, m[2])
					}
				}
				if m[1] == "Manifest" {
					if _, err := ParseManifest([]byte(m[2])); err != nil {
						t.Errorf("%s: %v", p, err)
					}
				}
			}
		}
	}
	if examples < 10 {
		t.Errorf("%d examples were found", examples)
	}
}
