package conformance

import (
	"encoding/json"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
)

// deviations are the differences that are meant, as engine/DEVIATIONS.md lists them: a
// line "- `case`: (tag) reason" each, where case may hold a * for cases that are not
// public.
type deviations struct {
	exact    map[string]deviation
	patterns []deviation
	used     map[string]bool
}

type deviation struct{ name, tag, reason string }

// deviationsMax is how many of the public cases may differ.
const deviationsMax = 15

var deviationLine = regexp.MustCompile("^- `([^`]+)`: \\(([a-z-]+)\\) (.+)$")

func readDeviations(t *testing.T, file string) *deviations {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := &deviations{exact: map[string]deviation{}, used: map[string]bool{}}
	for line := range strings.Lines(string(raw)) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "- ") {
			continue
		}
		m := deviationLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("%s: not a deviation: %s", file, line)
			continue
		}
		v := deviation{m[1], m[2], m[3]}
		if strings.Contains(v.name, "*") {
			d.patterns = append(d.patterns, v)
		} else {
			d.exact[v.name] = v
		}
	}
	if len(d.exact) > deviationsMax {
		t.Errorf("%s lists %d cases, at most %d", file, len(d.exact), deviationsMax)
	}
	return d
}

// judge says what is wrong with a case that differs in these ways: nothing when it is
// listed and differs only where the listed reason says so.
func (d *deviations) judge(c *testCase, found []string, public bool) []string {
	v, listed := d.exact[c.file]
	switch {
	case listed:
		d.used[c.file] = true
		if len(found) == 0 {
			return []string{"is listed as a deviation, but does not differ"}
		}
	case public || len(found) == 0:
		return found
	default:
		if v, listed = d.pattern(c); !listed {
			return found
		}
	}
	if v.tag == "early-callback" && !slices.ContainsFunc(found, early) {
		return found
	}
	if v.tag == "hooks" {
		again, err := run(withoutHooks(c))
		if err != nil {
			again = append(again, err.Error())
		}
		found = again
	}
	return slices.DeleteFunc(found, func(f string) bool { return covered(v.tag, f) })
}

// early reports whether a callback was taken that the original refused.
func early(difference string) bool {
	return strings.Contains(difference, "(callback ") && strings.Contains(difference, "<nil>, want error")
}

// pattern finds the line for a case that is not public.
func (d *deviations) pattern(c *testCase) (deviation, bool) {
	bare := strings.TrimLeft(c.file, "0123456789-")
	for _, p := range d.patterns {
		if ok, err := path.Match(p.name, bare); err == nil && ok {
			return p, true
		}
	}
	return deviation{}, false
}

// covered reports whether a difference is one that the reason behind a tag makes. What
// hooks add is taken out of the case before.
func covered(tag, difference string) bool {
	switch tag {
	case "revoke": // what ran is cancelled at once, and the run takes no more commands
		for _, part := range []string{"node_states.", "schedules.", "operation_results", "histories.", "execution_data."} {
			if strings.HasPrefix(difference, part) {
				return true
			}
		}
	case "dead-end": // a flow needs a path to its end
		return strings.HasPrefix(difference, "cycle_tolerate=") && strings.Contains(difference, engine.ProblemNoPathToEnd)
	case "rollback": // not while a node of the same token runs
		return strings.HasPrefix(difference, "the rollback: ") && (strings.Contains(difference, "running") || strings.Contains(difference, "waiting"))
	case "early-callback": // kept, not refused; the node goes on with it
		return true
	}
	return false
}

var hookPattern = regexp.MustCompile(`^(hook_call_order|node_enter|execute|schedule|node_finish|(pre|post)_[a-z_]+|node_(execute|schedule)_(fail|exception))$`)

// withoutHooks is a case without what the plugin's hooks add to its outputs.
func withoutHooks(c *testCase) *testCase {
	var v any
	if err := json.Unmarshal(c.Expected, &v); err != nil {
		panic(err)
	}
	dropHooks(v, false)
	out := *c
	out.Expected = mustJSON(v)
	return &out
}

func dropHooks(v any, outputs bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if outputs && hookPattern.MatchString(key) {
				delete(v, key)
				continue
			}
			dropHooks(inner, key == "outputs")
		}
	case []any:
		for _, inner := range v {
			dropHooks(inner, false)
		}
	}
}

// unused complains about lines that are about no case.
func (d *deviations) unused(t *testing.T) {
	t.Helper()
	for name := range d.exact {
		if !d.used[name] {
			t.Errorf("DEVIATIONS.md lists %s, which is not a case", name)
		}
	}
}
