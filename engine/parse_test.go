package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
)

const smallFlow = `{"format":"culm.flow/v1","id":"small","name":{"en":"Small","zh":"小"},
 "variables":[{"name":"n","source":"constant","schema":{"type":"integer"},"value":3}],
 "nodes":[{"id":"start","type":"start","position":{"x":1.5,"y":-2}},
  {"id":"a","type":"task","plugin":"test","action":"any","inputs":{"v":{"b":1,"a":[1.50,"${n}"]}}},{"id":"end","type":"end"}],
 "edges":[{"id":"e1","from":"start","to":"a"},{"id":"e2","from":"a","to":"end"}]}`

func TestParseFlow(t *testing.T) {
	t.Parallel()
	f, err := engine.ParseFlow([]byte(smallFlow))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"format":"culm.flow/v1","id":"small","name":{"en":"Small","zh":"小"},"variables":[{"name":"n","schema":{"type":"integer"},"source":"constant","value":3}],` +
		`"nodes":[{"id":"start","type":"start","position":{"x":1.5,"y":-2}},{"id":"a","type":"task","plugin":"test","action":"any","inputs":{"v":{"a":[1.50,"${n}"],"b":1}}},{"id":"end","type":"end"}],` +
		`"edges":[{"id":"e1","from":"start","to":"a"},{"id":"e2","from":"a","to":"end"}]}`
	if got := string(engine.Canonical(f)); got != want {
		t.Errorf("canonical form:\n%s\nwant\n%s", got, want)
	}
	moved := strings.Replace(smallFlow, "1.5,", "1.25,", 1)
	g, err := engine.ParseFlow([]byte(moved))
	if err != nil {
		t.Fatal(err)
	}
	if engine.Digest(f) == engine.Digest(g) {
		t.Error("a node was moved, the digest is the same: the stored drawing would be the old one")
	}
	spaced, err := engine.ParseFlow([]byte(strings.ReplaceAll(smallFlow, `,"`, ` , "`)))
	if err != nil || engine.Digest(spaced) != engine.Digest(f) {
		t.Errorf("white space changes the digest: %v", err)
	}
}

func TestParseFlowErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, code, pointer string }{
		{`"type":"end"`, `"type":"end","color":"red"`, engine.ParseUnknown, "/nodes/2/color"},
		{`"from":"start"`, `"From":"start"`, engine.ParseUnknown, "/edges/0/From"},
		{`"zh":"小"`, `"fr":"petit"`, engine.ParseUnknown, "/name/fr"},
		{`"to":"end"`, `"to":"end","to":"a"`, engine.ParseDuplicate, "/edges/1/to"},
		{`{"b":1,`, `{"b":1,"b":2,`, engine.ParseDuplicate, "/nodes/1/inputs/v/b"},
		{`"y":-2`, `"y":"-2"`, engine.ParseType, "/nodes/0/position/y"},
		{`"plugin":"test"`, `"plugin":null`, engine.ParseType, "/nodes/1/plugin"},
		{`"edges":[`, `"edges":{`, engine.ParseType, "/edges"},
		{`{"format"`, `[{"format"`, engine.ParseType, ""},
		{`"to":"end"}]}`, `"to":"end"}]} {}`, engine.ParseSyntax, ""},
		{`"to":"end"}]}`, `"to":"end"}]`, engine.ParseSyntax, ""},
		{`"small"`, "\"sm\xffall\"", engine.ParseSyntax, ""},
		{`[1.50`, `[` + strings.Repeat("[", 300), engine.ParseTooLarge, ""},
		{`"x":1.5`, `"x":1e999`, engine.ParseType, ""},
	} {
		in := strings.Replace(smallFlow, c.from, c.to, 1)
		if in == smallFlow {
			t.Fatalf("%s does not occur", c.from)
		}
		_, err := engine.ParseFlow([]byte(in))
		var pe *engine.ParseError
		if !errors.As(err, &pe) || pe.Code != c.code || (c.pointer != "" && pe.Pointer != c.pointer) {
			t.Errorf("%s: %v, want %s at %s", c.to, err, c.code, c.pointer)
		}
	}
	if _, err := engine.ParseFlow(make([]byte, engine.MaxDocumentBytes+1)); err == nil {
		t.Error("a document that is too large is accepted")
	}
	var nodes strings.Builder
	for i := range engine.MaxNodes + 1 {
		fmt.Fprintf(&nodes, `,{"id":"n%d","type":"task"}`, i)
	}
	_, err := engine.ParseFlow([]byte(`{"format":"culm.flow/v1","name":"x","edges":[],"nodes":[` + nodes.String()[1:] + `]}`))
	var pe *engine.ParseError
	if !errors.As(err, &pe) || pe.Code != engine.ParseTooLarge {
		t.Errorf("%d nodes: %v", engine.MaxNodes+1, err)
	}
}

// FuzzParseFlow: whatever is parsed has one canonical form, which parses to the same,
// and compiling it ends.
func FuzzParseFlow(f *testing.F) {
	f.Add([]byte(smallFlow))
	files, err := filepath.Glob("testdata/flows/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		flow, err := engine.ParseFlow(b)
		if err != nil {
			var pe *engine.ParseError
			if !errors.As(err, &pe) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		again, err := engine.ParseFlow(engine.Canonical(flow))
		if err != nil {
			t.Fatalf("the canonical form is refused: %v\n%s", err, engine.Canonical(flow))
		}
		if engine.Digest(again) != engine.Digest(flow) {
			t.Fatalf("the canonical form has another digest:\n%s\n%s", engine.Canonical(flow), engine.Canonical(again))
		}
		if g, problems := engine.Compile(flow, catalogue{}); g == nil && len(problems) == 0 {
			t.Fatal("refused without a problem")
		}
	})
}
