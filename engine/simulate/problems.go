package simulate

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/expr"
	"github.com/culmhq/culm/pdk/contract"
)

// The codes of problems that Script.Problems reports. Field is a JSON Pointer into the
// script.
const (
	ProblemFormat    = "SCRIPT_FORMAT_UNSUPPORTED"
	ProblemValue     = "SCRIPT_VALUE_INVALID" // Args: detail
	ProblemNode      = "SCRIPT_NODE_UNKNOWN"  // Args: node
	ProblemMisplaced = "SCRIPT_FIELD_MISPLACED"
	ProblemOutputs   = "SCRIPT_OUTPUTS_INVALID" // Args: detail
	ProblemWait      = "SCRIPT_WAIT_UNDECLARED" // the action never waits for that; Args: kind
)

// Problems holds a script against the flow that it is for, and returns everything that
// is wrong with it, in order of its fields.
func (s *Script) Problems(f *engine.Flow, c engine.Catalogue) []engine.Problem {
	k := &checker{s: s, paths: newPaths(f), outputs: newOutputs(c)}
	if s.Format != ScriptFormat {
		k.report(ProblemFormat, "/format", fmt.Sprintf("format %q is not supported, only %q", s.Format, ScriptFormat))
		return k.problems
	}
	if s.Begin != "" {
		if _, err := time.Parse(time.RFC3339, s.Begin); err != nil {
			k.value("/begin", "must be an instant such as %s", DefaultBegin)
		}
	}
	k.start()
	for _, node := range slices.Sorted(maps.Keys(s.Nodes)) {
		at, ok := k.node("/nodes/"+escape(node), node)
		for i := range s.Nodes[node] {
			if ok {
				k.result(nodePointer(node, i), at.node, &s.Nodes[node][i])
			}
		}
	}
	k.defaults()
	for i := range s.Actions {
		k.action("/actions/"+strconv.Itoa(i), &s.Actions[i])
	}
	k.expect()
	if l := s.Limits; l != nil {
		k.duration("/limits/virtual_time", l.VirtualTime)
		if l.Steps < 0 {
			k.value("/limits/steps", "must not be negative")
		}
	}
	return k.problems
}

// checker is one run of Problems.
type checker struct {
	s        *Script
	paths    *paths
	outputs  *outputs
	problems []engine.Problem
}

func (k *checker) report(code, field, message string, args ...string) {
	p := engine.Problem{Code: code, Message: message, Level: engine.SeverityError, Field: field}
	for i := 0; i+1 < len(args); i += 2 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[args[i]] = args[i+1]
	}
	k.problems = append(k.problems, p)
}

func (k *checker) value(field, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	k.report(ProblemValue, field, message, "detail", message)
}

// misplaced reports a field that is given where it means nothing.
func (k *checker) misplaced(field string, given bool, why string) {
	if given {
		k.report(ProblemMisplaced, field, why)
	}
}

func (k *checker) duration(field string, d Duration) time.Duration {
	if d == "" {
		return 0
	}
	out, err := time.ParseDuration(string(d))
	if err != nil || out < 0 {
		k.value(field, "must be a duration such as 90s or 1h30m")
		return 0
	}
	return out
}

func (k *checker) node(field, path string) (place, bool) {
	at, ok := k.paths.find(path)
	if !ok {
		k.report(ProblemNode, field, fmt.Sprintf("the flow has no node %q", path), "node", path)
	}
	return at, ok
}

func (k *checker) start() {
	if k.s.Start == nil {
		return
	}
	if at := k.s.Start.At; at != "" {
		k.node("/start/at", at)
	}
	for i, id := range k.s.Start.Without {
		k.node("/start/without/"+strconv.Itoa(i), id)
	}
}

// result checks one result of a node; n is nil for a default.
func (k *checker) result(at string, n *engine.Node, r *Result) {
	child := n != nil && independent(n)
	if n != nil && n.Type != engine.TypeTask && !child {
		k.report(ProblemMisplaced, at, "only tasks and independent subflows have results")
		return
	}
	if r.On != OnExecute && r.On != OnRollback {
		k.value(at+"/on", "unknown kind of call %q", r.On)
	}
	if r.Attempt < 0 || r.Times < 0 || r.Iteration != nil && *r.Iteration < 0 {
		k.value(at, "attempt, iteration and times must not be negative")
	}
	k.ends(at, r)
	took := DefaultAfter
	if r.After != "" {
		took = k.duration(at+"/after", r.After)
	}
	k.said(at, r, took)
	for i := range r.Waits {
		k.wait(at+"/waits/"+strconv.Itoa(i), &r.Waits[i])
	}
	if child {
		k.child(at, r)
		return
	}
	k.misplaced(at+"/revoked", r.Revoked, "only the run of an independent subflow can be revoked")
	if n != nil {
		k.fits(at, n.Plugin, n.Action, r)
	}
}

// independent reports whether a node has a run of its own.
func independent(n *engine.Node) bool {
	return n.Type == engine.TypeSubflow && n.Mode == engine.SubflowIndependent
}

// child checks the result of an independent subflow: how its run ends, and no more.
func (k *checker) child(at string, r *Result) {
	for _, f := range []struct {
		name  string
		given bool
	}{
		{"on", r.On != OnExecute},
		{"log", len(r.Log) > 0},
		{"progress", len(r.Progress) > 0},
		{"waits", len(r.Waits) > 0},
		{"outputs", r.Outputs != nil},
		{"unknown", r.Unknown != nil},
		{"late", r.Late},
	} {
		k.misplaced(at+"/"+f.name, f.given, "the run of an independent subflow has no "+f.name)
	}
	k.object(at+"/succeed", r.Succeed)
}

// ends checks that a result ends in one way.
func (k *checker) ends(at string, r *Result) {
	n := 0
	for _, given := range []bool{r.Succeed != nil, r.Fail != nil, r.Unknown != nil, r.Revoked} {
		if given {
			n++
		}
	}
	if n > 1 {
		k.value(at, "ends in one way only: succeed, fail, unknown or revoked")
	}
	k.misplaced(at+"/outputs", r.Outputs != nil && r.Fail == nil, "outputs go with fail; those of success are in succeed")
}

// said checks what a call says while it runs.
func (k *checker) said(at string, r *Result, took time.Duration) {
	for i, l := range r.Log {
		field := at + "/log/" + strconv.Itoa(i)
		if k.duration(field+"/after", l.After) > took {
			k.value(field+"/after", "the call has ended by then")
		}
		switch l.Level {
		case "", contract.LevelDebug, contract.LevelInfo, contract.LevelWarn, contract.LevelError:
		default:
			k.value(field+"/level", "unknown level %q", l.Level)
		}
	}
	for i, p := range r.Progress {
		field := at + "/progress/" + strconv.Itoa(i)
		if k.duration(field+"/after", p.After) > took {
			k.value(field+"/after", "the call has ended by then")
		}
		if p.Percent < 0 || p.Percent > 100 {
			k.value(field+"/percent", "must be 0 to 100")
		}
	}
}

func (k *checker) wait(at string, w *Wait) {
	every, after := k.duration(at+"/every", w.Every), k.duration(at+"/after", w.After)
	if every > 0 && every < time.Millisecond || after > 0 && after < time.Millisecond {
		k.value(at, "a wait takes at least a millisecond")
	}
	switch w.Kind {
	case contract.WaitPoll:
		k.misplaced(at+"/after", w.After != "", "polls have every and times")
	case contract.WaitCallback, contract.WaitHuman:
	case contract.WaitTimer:
		if w.After == "" {
			k.value(at+"/after", "a timer needs a time")
		}
	case contract.WaitRun:
		k.value(at+"/kind", "only an independent subflow waits for a run")
	default:
		k.value(at+"/kind", "unknown kind of wait %q", w.Kind)
	}
	if w.Kind != contract.WaitPoll {
		k.misplaced(at+"/every", w.Every != "", "only polls have an interval")
		k.misplaced(at+"/times", w.Times != 0, "only polls have a number")
	}
	if w.Times < 0 {
		k.value(at+"/times", "must not be negative")
	}
	k.answer(at, w)
}

// answer checks what belongs to waits that somebody answers.
func (k *checker) answer(at string, w *Wait) {
	asks := w.Kind == contract.WaitCallback || w.Kind == contract.WaitHuman
	k.misplaced(at+"/expire", w.Expire != nil && (!asks || w.After == ""), "only a wait for a callback or a person with a time ends by itself")
	k.misplaced(at+"/schema", len(w.Schema) > 0 && !asks, "only a wait for a callback or a person has an answer")
	if _, err := expr.ParseSchema(w.Schema); err != nil {
		k.value(at+"/schema", "%v", err)
	}
}

// fits holds outputs and waits against what the action declares.
func (k *checker) fits(at, plugin, action string, r *Result) {
	a, ok := k.outputs.catalogue.Action(plugin, action)
	if !ok {
		return // the flow has a problem there
	}
	for i := range r.Waits {
		if kind := r.Waits[i].Kind; !slices.Contains(a.Waits, kind) {
			k.report(ProblemWait, at+"/waits/"+strconv.Itoa(i)+"/kind", fmt.Sprintf("the action %s/%s never waits for a %s", plugin, action, kind), "kind", string(kind))
		}
	}
	if r.On == OnRollback {
		k.object(at+"/succeed", r.Succeed)
		return
	}
	declared := k.outputs.of(plugin, action)
	check := func(field string, given, complete json.RawMessage) {
		if given == nil || !k.object(field, given) {
			return
		}
		for _, v := range declared.schema.Validate(complete) {
			k.report(ProblemOutputs, field+v.Pointer, fmt.Sprintf("the outputs do not fit %s/%s: %s", plugin, action, v.Message), "detail", v.Message)
		}
	}
	check(at+"/succeed", r.Succeed, declared.complete(r.Succeed))
	check(at+"/outputs", r.Outputs, r.Outputs)
}

// object checks that a value, if there is one, is an object.
func (k *checker) object(field string, raw json.RawMessage) bool {
	if raw != nil && !strings.HasPrefix(strings.TrimSpace(string(raw)), "{") {
		k.value(field, "must be an object")
		return false
	}
	return true
}

func (k *checker) defaults() {
	for _, name := range slices.Sorted(maps.Keys(k.s.Defaults)) {
		r, at := k.s.Defaults[name], "/defaults/"+escape(name)
		k.result(at, nil, &r)
		k.misplaced(at, r.On != OnExecute || r.Times != 0 || r.Always || r.Attempt != 0 || r.Iteration != nil,
			"a default is for all calls that run a node: it has no on, times, always, attempt and iteration")
		plugin, action, ok := strings.Cut(name, "/")
		if !ok {
			continue
		}
		if _, known := k.outputs.catalogue.Action(plugin, action); !known {
			k.value(at, "there is no action %q", name)
			continue
		}
		k.fits(at, plugin, action, &r)
	}
}
