package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
)

const publicCases = "../testdata/conformance"

// The variable names a directory with more cases of the same format.
const moreCases = "CULM_CONFORMANCE_DIR"

func TestConformance(t *testing.T) {
	t.Parallel()
	deviations := readDeviations(t, "../DEVIATIONS.md")
	dirs := []string{publicCases}
	if more := os.Getenv(moreCases); more != "" {
		dirs = append(dirs, more)
	}
	for _, dir := range dirs {
		runAll(t, load(t, dir), deviations, dir == publicCases)
	}
}

// runAll runs the cases of a directory and reports them by kind.
func runAll(t *testing.T, cases []*testCase, deviations *deviations, public bool) {
	t.Helper()
	passed, failed := map[string]int{}, map[string][]string{}
	for _, c := range cases {
		found, err := run(c)
		if err != nil {
			found = append(found, err.Error())
		}
		complaints := deviations.judge(c, found, public)
		if len(complaints) == 0 {
			passed[c.kind]++
			continue
		}
		failed[c.kind] = append(failed[c.kind], c.file)
		t.Errorf("%s:\n\t%s", c.file, strings.Join(complaints, "\n\t"))
	}
	if !public {
		fmt.Fprintln(os.Stdout, "cases in "+os.Getenv(moreCases))
	}
	for _, k := range kinds() {
		if passed[k]+len(failed[k]) == 0 {
			continue
		}
		line := fmt.Sprintf("%s: %d passed, %d failed", k, passed[k], len(failed[k]))
		if len(failed[k]) > 0 {
			line += ": " + strings.Join(failed[k], " ")
		}
		fmt.Fprintln(os.Stdout, line)
	}
	if public {
		deviations.unused(t)
	}
}

// run runs a case and says what differs.
func run(c *testCase) ([]string, error) {
	switch c.kind {
	case "run", "derived":
		return runCase(c)
	case "token":
		return tokenCase(c)
	case "rollback":
		return rollbackCase(c)
	}
	return graphCase(c)
}

// compiled translates and compiles a case.
func compiled(c *testCase) (*translated, *engine.Graph, []engine.Problem, error) {
	t, err := translate(c)
	if err != nil {
		return nil, nil, nil, err
	}
	g, problems := engine.Compile(t.flow, catalogue{})
	return t, g, problems, nil
}

func mustCompile(c *testCase) (*translated, *engine.Graph, error) {
	t, g, problems, err := compiled(c)
	if err != nil {
		return nil, nil, err
	}
	if g == nil {
		b, _ := json.Marshal(problems)
		return nil, nil, fmt.Errorf("does not compile: %s", b)
	}
	if g.Cyclic() && !c.RunOptions.CycleTolerate {
		return nil, nil, errors.New("the flow has a loop, and the case does not expect one")
	}
	return t, g, nil
}

// runCase runs a tree with operations. A case with storage faults runs once for every
// commit, with a crash before it and one behind it: every fault that it can mean is one
// of these.
func runCase(c *testCase) ([]string, error) {
	t, g, err := mustCompile(c)
	if err != nil {
		return nil, err
	}
	w := newWorld(t, g)
	found, err := w.play(c)
	if err != nil || len(c.Faults) == 0 {
		return found, err
	}
	for crash := 1; crash <= w.commits; crash++ {
		for _, after := range []bool{false, true} {
			again := newWorld(t, g)
			again.crash, again.after = crash, after
			more, err := again.play(c)
			if err != nil {
				return nil, err
			}
			for _, m := range more {
				found = append(found, fmt.Sprintf("crash at commit %d (after: %v): %s", crash, after, m))
			}
		}
	}
	return found, nil
}

// A crash at any commit changes nothing, in any case.
func TestCasesSurviveACrashAtEveryCommit(t *testing.T) {
	t.Parallel()
	deviations := readDeviations(t, "../DEVIATIONS.md")
	for _, c := range load(t, publicCases) {
		if _, listed := deviations.exact[c.file]; c.kind != "run" && c.kind != "derived" || listed {
			continue
		}
		c.Faults = []json.RawMessage{nil}
		found, err := runCase(c)
		if err != nil || len(found) > 0 {
			t.Errorf("%s: %v\n\t%s", c.file, err, strings.Join(found, "\n\t"))
		}
	}
}

// play runs a case once, and judges the run also by the core's own rules.
func (w *world) play(c *testCase) ([]string, error) {
	var want expectation
	if err := json.Unmarshal(c.Expected, &want); err != nil {
		return nil, err
	}
	if err := w.start(w.t.path[c.RunOptions.StartNodeID]); err != nil {
		return nil, err
	}
	results, err := w.operate(c.Operations)
	if err != nil {
		return nil, err
	}
	if err := engine.CheckHistory(w.g, w.records); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	s, err := engine.Replay(w.g, w.records)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	if a, b := short(s.View()), short(w.s.View()); a != b {
		return nil, fmt.Errorf("the replayed state differs:\n%s\n%s", a, b)
	}
	return w.compare(&want, c.Operations, results), nil
}
