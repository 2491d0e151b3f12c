package engine

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/expr"
)

// TestDiagrams holds what docs/engine.md draws against the transitions and constants. The
// flag -update writes it.
func TestDiagrams(t *testing.T) {
	t.Parallel()
	const file = "../docs/engine.md"
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(raw)
	for name, text := range map[string]string{
		"run states":      mermaid(runArrows()),
		"entering":        mermaid(nodeArrows(arrow.enters)),
		"working":         mermaid(nodeArrows(func(a arrow) bool { return !a.enters() && !a.rollback() })),
		"rollback states": mermaid(nodeArrows(arrow.rollback)),
		"triggers":        triggerTable(t),
		"limits":          limitTable(),
	} {
		want = between(t, want, name, text)
	}
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(raw) != want {
		t.Error("docs/engine.md is old: go test ./engine -run Diagrams -update")
	}
}

// between replaces what stands between two marks.
func between(t *testing.T, doc, name, text string) string {
	t.Helper()
	head, rest, ok := strings.Cut(doc, "<!-- generated: "+name+" -->\n")
	_, tail, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatalf("no place for %s", name)
	}
	return head + "<!-- generated: " + name + " -->\n" + text + "<!-- end -->" + tail
}

// arrow is one line of a diagram.
type arrow struct{ from, to, on string }

// rollback reports whether an arrow belongs to a rollback.
func (a arrow) rollback() bool {
	undo := func(s string) bool { return undoes(NodeState(s)) }
	return undo(a.from) || undo(a.to) || a.on == string(onForget)
}

// enters reports whether an arrow is about a token that arrives at a node, or is let go.
func (a arrow) enters() bool {
	return slices.Contains([]nodeTrigger{onEnter, onPass, onHold, onStop, onRelease, onBreak}, nodeTrigger(a.on))
}

const notReached = "not_reached"

func nodeArrows(keep func(arrow) bool) []arrow {
	name := func(s NodeState) string {
		if s == NodeIdle {
			return notReached
		}
		return string(s)
	}
	var all []arrow
	for _, from := range nodeStates {
		for _, on := range nodeTriggers() {
			if to, ok := nodeTarget(on, from); ok {
				if a := (arrow{name(from), name(to), string(on)}); keep(a) {
					all = append(all, a)
				}
			}
		}
	}
	return all
}

func runArrows() []arrow {
	var all []arrow
	for _, from := range runStates {
		for _, tr := range runTransitions {
			if to, ok := runTarget(tr.On, from); ok {
				all = append(all, arrow{string(from), string(to), string(tr.On)})
			}
		}
	}
	return all
}

// mermaid draws arrows; those between the same states become one.
func mermaid(arrows []arrow) string {
	var b strings.Builder
	b.WriteString("\n```mermaid\nstateDiagram-v2\n")
	if first := arrows[0].from; first == notReached || first == string(RunCreated) {
		b.WriteString("    [*] --> " + first + "\n")
	}
	var seen []arrow
	for _, a := range arrows {
		pair := arrow{from: a.from, to: a.to}
		if slices.Contains(seen, pair) {
			continue
		}
		seen = append(seen, pair)
		var on []string
		for _, other := range arrows {
			if other.from == a.from && other.to == a.to {
				on = append(on, other.on)
			}
		}
		fmt.Fprintf(&b, "    %s --> %s: %s\n", a.from, a.to, strings.Join(on, ", "))
	}
	b.WriteString("```\n\n")
	return b.String()
}

// triggerTable lists the triggers with their comments.
func triggerTable(t *testing.T) string {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "transition.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("\n| trigger | when |\n|---|---|\n")
	ast.Inspect(file, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || v.Type == nil || fmt.Sprint(v.Type) != "nodeTrigger" {
			return true
		}
		value, _ := v.Values[0].(*ast.BasicLit)
		if v.Comment == nil {
			t.Errorf("%s says nothing", value.Value)
			return true
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.Trim(value.Value, `"`), strings.TrimSpace(v.Comment.Text()))
		return true
	})
	b.WriteString("\n")
	return b.String()
}

func limitTable() string {
	var b strings.Builder
	b.WriteString("\n| limit | value | beyond it |\n|---|---|---|\n")
	bytes := func(n int) string {
		if n >= 1<<20 {
			return fmt.Sprintf("%d MiB", n>>20)
		}
		return fmt.Sprintf("%d KiB", n>>10)
	}
	refused := "the document is refused"
	day := int64(24 * time.Hour / time.Millisecond)
	for _, row := range [][3]string{
		{"nodes of a flow, its inline subflows included", fmt.Sprint(MaxNodes), refused},
		{"edges", fmt.Sprint(MaxEdges), refused},
		{"variables", fmt.Sprint(MaxVariables), refused},
		{"edges into or out of one node", fmt.Sprint(MaxDegree), refused},
		{"different subflows of a document", fmt.Sprint(MaxSubflows), refused},
		{"how deep subflows nest", fmt.Sprint(MaxDepth), refused + "; a run below too many others: `" + FailDepth + "`"},
		{"bytes of a document", bytes(MaxDocumentBytes), refused},
		{"how deep a JSON value nests", fmt.Sprint(jsonDepthMax), "it is refused"},
		{"times that a loop enters a node again", fmt.Sprint(MaxReruns), "the node fails: `" + FailRerunLimit + "`"},
		{"attempts that a run begins", fmt.Sprint(MaxSteps), "the node fails: `" + FailStepLimit + "`"},
		{"value of one variable, as JSON", bytes(MaxValueBytes), "the node fails: `" + FailValueTooLarge + "`"},
		{"values that a run holds", bytes(MaxRunBytes), "the node fails: `" + FailRunTooLarge + "`"},
		{"automatic retries in a row", fmt.Sprint(MaxRetries), refused},
		{"delay of an automatic retry", fmt.Sprintf("%d h", maxDelayMS/day*24), refused},
		{"timeout of an attempt", fmt.Sprintf("%d days", maxNodeTimeout/day), refused},
		{"timeout of a run", fmt.Sprintf("%d days", maxRunTimeoutMS/day), refused},
		{"time for which a plugin waits", fmt.Sprintf("%d days", int64(maxWait/time.Millisecond)/day), "the node fails: `" + FailBadAnswer + "`"},
		{"callbacks that are kept for a node", fmt.Sprint(keptMax), "the callback is refused"},
		{"commands that a run remembers by id", fmt.Sprint(commandsKept), "the oldest is forgotten"},
		{"cost of an expression, in CEL units", fmt.Sprint(expr.CostMax), "the node fails: `" + string(expr.CodeCost) + "`"},
		{"values that an expression reads, or gives", bytes(expr.InputMaxBytes), "the node fails: `" + string(expr.CodeInputLimit) + "`"},
	} {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", row[0], row[1], row[2])
	}
	b.WriteString("\n")
	return b.String()
}
