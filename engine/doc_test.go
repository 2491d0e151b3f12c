package engine

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestStateTables holds the tables in doc.go against the transitions. The
// flag -update writes them.
func TestStateTables(t *testing.T) {
	t.Parallel()
	old, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	head, _, ok := strings.Cut(string(old), "// Nodes:\n")
	if !ok {
		t.Fatal("doc.go has no tables")
	}
	want := head + stateTables() + "package engine\n"
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile("doc.go", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(old) != want {
		t.Error("the tables in doc.go are old: go test ./engine -run StateTables -update")
	}
}

func stateTables() string {
	var b strings.Builder
	row := func(from, on, to string) { fmt.Fprintf(&b, "//\t%-16s %-14s %s\n", from, on, to) }
	b.WriteString("// Nodes:\n//\n")
	row("state", "on", "to")
	called := func(s NodeState) string {
		if s == NodeIdle {
			return "(not reached)"
		}
		return string(s)
	}
	for _, from := range nodeStates {
		name := called(from)
		for _, on := range nodeTriggers() {
			if to, ok := nodeTarget(on, from); ok {
				row(name, string(on), called(to))
				name = ""
			}
		}
		if name != "" {
			row(name, "", "(nothing)")
		}
	}
	b.WriteString("//\n// Runs:\n//\n")
	row("state", "on", "to")
	for _, from := range runStates {
		name := string(from)
		for _, tr := range runTransitions {
			if to, ok := runTarget(tr.On, from); ok {
				row(name, string(tr.On), string(to))
				name = ""
			}
		}
		if name != "" {
			row(name, "", "(the end)")
		}
	}
	return b.String()
}
