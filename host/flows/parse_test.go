package flows_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
)

const faulty = `format: culm.flow/v1
name: Faulty
nodes:
  - id: start
    type: start
  - id: add
    type: task
    plugin: toy
    action: add
    inputs:
      a: 1
      note: much too long a note
  - {id: end, type: end}
edges:
  - {id: e1, from: start, to: add}
  - id: e2
    from: add
    to: nowhere
`

func TestProblemsAreToldWithTheirPlace(t *testing.T) {
	t.Parallel()
	p := hosttest.Open(t)
	s, err := flows.ParseYAML([]byte(faulty), "deploy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range s.Locate(flows.NewChecker(p.Plugins).Problems(s.Flow)) {
		lines = append(lines, l.String())
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		"deploy.yaml:12:13: node add: /inputs/note: must have at most 10 characters [INPUT_INVALID]",
		"deploy.yaml:18:9: edge e2: /to: ",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestTextsThatAreNoFlows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"syntax":        {"format: [", "f.yaml"},
		"unknown field": {"format: culm.flow/v1\nname: x\nnodes: []\nedges: []\ncolour: red\n", "f.yaml:5:1: /colour: unknown field"},
		"wrong type":    {"format: culm.flow/v1\nname: x\nnodes:\n  - {id: start, type: [start]}\nedges: []\n", "f.yaml:4:23: /nodes/0/type: must be a text"},
		"twice":         {"format: culm.flow/v1\nname: x\nname: y\nnodes: []\nedges: []\n", "f.yaml:3:1: /name: given twice"},
		"an anchor":     {"format: culm.flow/v1\nname: &n x\nnodes: []\nedges: []\n", "f.yaml:2:7: /name: anchors"},
		"empty":         {"", "f.yaml: the document is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := flows.ParseYAML([]byte(c.text), "f.yaml")
			var bad *flows.SyntaxError
			if !errors.As(err, &bad) || !strings.Contains(bad.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestEveryProblemOfATextIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := flows.ParseYAML([]byte("format: 1\nname: x\nnodes: {}\ncolour: red\nedges: []\n"), "f.yaml")
	var bad *flows.SyntaxError
	if !errors.As(err, &bad) || len(bad.Problems) != 3 {
		t.Errorf("error %v, want three problems", err)
	}
}

func TestYAMLRoundTrip(t *testing.T) {
	t.Parallel()
	f := hosttest.Flow(t, hosttest.AddFlow)
	f.Nodes[1].Inputs["note"] = json.RawMessage(`"line 1\nline 2: # no comment\n"`)
	f.Nodes[1].Inputs["b"] = json.RawMessage(`12345678901234567890`)
	f.Variables[0].Value = json.RawMessage(`{"yes":"yes","no":"2026-01-02","null":"null","n":"1e3","t":"~","empty":"","list":[true,null,1.5,"é 中 😀"],"x":"<&>"}`)
	text, err := flows.YAML(f)
	if err != nil {
		t.Fatal(err)
	}
	back, err := flows.ParseYAML(text, "f.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if got, want := engine.Canonical(back.Flow), engine.Canonical(f); string(got) != string(want) {
		t.Errorf("read back\n%s\nwant\n%s\nYAML\n%s", got, want, text)
	}
	if !strings.Contains(string(text), "position: {x: 10, y: 20}") || strings.Contains(string(text), `"format"`) {
		t.Errorf("the YAML is not what people write:\n%s", text)
	}
}

func TestDecodeIsStrict(t *testing.T) {
	t.Parallel()
	f := hosttest.Flow(t, hosttest.AddFlow)
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	back, err := flows.Decode(b)
	if err != nil || !reflect.DeepEqual(engine.Canonical(back), engine.Canonical(f)) {
		t.Errorf("read back %+v, %v", back, err)
	}
	_, err = flows.Decode([]byte(`{"format":"culm.flow/v1","nodes":[{"id":"a","typ":"task"}]}`))
	wantFault(t, err, fault.Invalid, "/document/nodes/0/typ")
	_, err = flows.Decode([]byte(strings.Repeat(" ", flows.DocumentBytesMax+1)))
	wantFault(t, err, fault.TooLarge, "/document")
}

func FuzzParseYAML(f *testing.F) {
	f.Add([]byte(hosttest.AddFlow))
	f.Add([]byte(faulty))
	f.Add([]byte(`{"format":"culm.flow/v1","name":"x","nodes":[],"edges":[]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := flows.ParseYAML(text, "f.yaml")
		if err != nil {
			var bad *flows.SyntaxError
			if !errors.As(err, &bad) || len(bad.Problems) == 0 {
				t.Fatalf("an error without a problem: %v", err)
			}
			return
		}
		out, err := flows.YAML(s.Flow)
		if err != nil {
			t.Fatal(err)
		}
		back, err := flows.ParseYAML(out, "f.yaml")
		if err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		if string(engine.Canonical(back.Flow)) != string(engine.Canonical(s.Flow)) {
			t.Fatalf("another flow was read back from\n%s", out)
		}
	})
}
