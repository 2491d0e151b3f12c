package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
)

const noted = `"notes":[{"id":"n1","text":"ask 运维 first\\nthen run","x":-16,"y":8.5,"w":208,"h":120,"colour":"pink"},{"id":"n2","x":0,"y":0,"w":80,"h":40}]`

// TestNotes: notes come back from the document as they went in, a flow runs the same with
// and without them, and one that is left out of nothing keeps them.
func TestNotes(t *testing.T) {
	t.Parallel()
	f, err := engine.ParseFlow([]byte(strings.TrimSuffix(smallFlow, "}") + "," + noted + "}"))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(engine.Canonical(f)); !strings.Contains(got, noted) {
		t.Errorf("the notes are not in the canonical form as they were written:\n%s", got)
	}
	if _, problems := engine.Compile(f, catalogue{}); len(problems) > 0 {
		t.Errorf("a flow with notes: %v", problems)
	}
	f.Nodes[1].Optional = true
	f.Nodes = append(f.Nodes, engine.Node{ID: "b", Type: engine.TypeTask, Plugin: "test", Action: "any"})
	f.Edges = []engine.Edge{{ID: "e1", From: "start", To: "a"}, {ID: "e2", From: "a", To: "b"}, {ID: "e3", From: "b", To: "end"}}
	reduced, problems := engine.Reduce(f, []string{"a"})
	if len(problems) > 0 || !slices.Equal(reduced.Notes, f.Notes) {
		t.Errorf("without a node: %v, notes %v", problems, reduced)
	}
	f.Notes[0].Text = strings.Repeat("字", engine.MaxNoteRunes+1)
	_, problems = engine.Compile(f, catalogue{})
	if !slices.ContainsFunc(problems, func(p engine.Problem) bool {
		return p.Code == engine.ProblemNoteText && p.Field == "/notes/0/text" && p.Args["max"] == fmt.Sprint(engine.MaxNoteRunes)
	}) {
		t.Errorf("a long text: %v", problems)
	}
	f.Notes = make([]engine.StickyNote, engine.MaxNotes+1)
	_, problems = engine.Compile(f, catalogue{})
	if !slices.ContainsFunc(problems, func(p engine.Problem) bool { return p.Code == engine.ProblemFlowTooLarge && p.Field == "/notes" }) {
		t.Errorf("too many notes: %v", problems)
	}
}
