package simulate

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/pdk/contract"
)

// scripted answers calls as a script says. What a call has still to do is in the state
// that the engine keeps for the plugin, as it would be with a real one.
type scripted struct {
	script  *Script
	outputs *outputs
	// results are those of the script by their pointer, used counts how many attempts
	// took them.
	results map[string]*Result
	used    map[string]int
}

// builtin stands for the result of a node of which the script says nothing.
const builtin = ""

func newScripted(s *Script, c engine.Catalogue) *scripted {
	p := &scripted{
		script: s, outputs: newOutputs(c), results: map[string]*Result{builtin: {}}, used: map[string]int{},
	}
	for node, rs := range s.Nodes {
		for i := range rs {
			p.results[nodePointer(node, i)] = &rs[i]
		}
	}
	for key, r := range s.Defaults {
		p.results["/defaults/"+escape(key)] = &r
	}
	return p
}

func nodePointer(node string, i int) string { return "/nodes/" + escape(node) + "/" + strconv.Itoa(i) }

// escape makes a name part of a JSON Pointer (RFC 6901).
func escape(s string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(s) }

// position is how far an attempt is, as the plugin's state holds it.
type position struct {
	Result string `json:"result"`
	// Wait is the ordinal of the wait, Polls those that were made in it.
	Wait  int `json:"wait"`
	Polls int `json:"polls,omitempty"`
}

// Call implements Plugins.
func (p *scripted) Call(c Call) Reply {
	var at position
	switch c.Reason {
	case contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback:
		if json.Unmarshal(c.PluginState, &at) != nil {
			return Reply{Answer: failedAnswer(&contract.Failure{Code: "SCRIPT_STATE", Message: "the state is not that of the script", Origin: contract.OriginHost})}
		}
		return p.resumed(c, at)
	case contract.ReasonExecute, contract.ReasonRollback, contract.ReasonCancel, contract.ReasonOptions:
	}
	on := OnExecute
	if c.Reason == contract.ReasonRollback {
		on = OnRollback
	}
	key, r := p.choose(c.Path, c.Plugin, c.Action, on, c.Iteration, c.Attempt)
	at.Result = key
	reply := p.at(c, r, at)
	reply.After, reply.Notes, reply.Late = r.After.or(DefaultAfter), notes(r), r.Late
	return reply
}

// choose finds the result of an attempt: its node's own, or the default.
func (p *scripted) choose(path, plugin, action string, on On, iteration, attempt int) (string, *Result) {
	if key, r := p.own(path, on, iteration, attempt); r != nil {
		return key, r
	}
	if on == OnExecute {
		for _, name := range []string{plugin + "/" + action, plugin, "*"} {
			key := "/defaults/" + escape(name)
			if r, ok := p.results[key]; ok {
				p.used[key]++
				return key, r
			}
		}
	}
	return builtin, p.results[builtin]
}

// own takes the first result of a node that is left for an attempt and fits it, or nil.
func (p *scripted) own(path string, on On, iteration, attempt int) (string, *Result) {
	rs := p.script.Nodes[path]
	for i := range rs {
		key, r := nodePointer(path, i), &rs[i]
		if r.On == on && (r.Iteration == nil || *r.Iteration == iteration) && (r.Attempt == 0 || r.Attempt == attempt) &&
			(r.Always || p.used[key] < max(r.Times, 1)) {
			p.used[key]++
			return key, r
		}
	}
	return "", nil
}

// resumed answers a call that goes on from a wait.
func (p *scripted) resumed(c Call, at position) Reply {
	r, ok := p.results[at.Result]
	if !ok || at.Wait >= len(r.Waits) {
		return Reply{Answer: failedAnswer(&contract.Failure{Code: "SCRIPT_STATE", Message: "the script has no such wait", Origin: contract.OriginHost})}
	}
	w := &r.Waits[at.Wait]
	at.Polls++
	switch {
	case w.Kind == contract.WaitPoll && at.Polls < max(w.Times, 1):
	case c.Reason == contract.ReasonTimer && w.Expire != nil:
		return Reply{Answer: failedAnswer(filled(w.Expire)), Late: r.Late}
	default:
		at.Wait, at.Polls = at.Wait+1, 0
	}
	reply := p.at(c, r, at)
	reply.Late = r.Late
	return reply
}

// at answers a call at a position: with the wait that is there, or with the end.
func (p *scripted) at(c Call, r *Result, at position) Reply {
	if at.Wait < len(r.Waits) {
		state, err := json.Marshal(at)
		if err != nil {
			return Reply{Answer: failedAnswer(&contract.Failure{Code: "SCRIPT_STATE", Message: err.Error(), Origin: contract.OriginHost})}
		}
		return Reply{Answer: contract.Answer{Status: contract.StatusWaiting, Wait: r.Waits[at.Wait].wait(), State: state}}
	}
	switch {
	case r.Unknown != nil:
		return Reply{Unknown: filled(r.Unknown)}
	case r.Fail != nil:
		a := failedAnswer(filled(r.Fail))
		a.Outputs = r.Outputs
		return Reply{Answer: a}
	}
	out := r.Succeed
	switch action := p.outputs.of(c.Plugin, c.Action); {
	case c.Reason == contract.ReasonRollback && out == nil:
		out = json.RawMessage("{}")
	case c.Reason == contract.ReasonRollback:
	case out == nil:
		out = action.example
	default:
		out = action.complete(out)
	}
	return Reply{Answer: contract.Answer{Status: contract.StatusSucceeded, Outputs: out}}
}

// wait is what the plugin says it waits for.
func (w *Wait) wait() *contract.Wait {
	out := &contract.Wait{Kind: w.Kind, Prompt: w.Prompt, Schema: w.Schema, AfterMS: w.After.or(0).Milliseconds()}
	if w.Kind == contract.WaitPoll {
		out.AfterMS = w.Every.or(DefaultEvery).Milliseconds()
	}
	return out
}

// Child implements Plugins: the run of a node that has a result left ends as that says.
func (p *scripted) Child(c ChildCall) (ChildReply, bool) {
	_, r := p.own(c.Path, OnExecute, c.Iteration, c.Attempt)
	if r == nil {
		return ChildReply{}, false
	}
	reply := ChildReply{After: r.After.or(DefaultAfter), State: engine.RunSucceeded, Outputs: r.Succeed}
	switch {
	case r.Fail != nil:
		reply.State, reply.Failure = engine.RunFailed, filled(r.Fail)
	case r.Revoked:
		reply.State = engine.RunRevoked
	}
	return reply, true
}

// unused lists the pointers of the results that nobody took.
func (p *scripted) unused() []string {
	var out []string
	for _, node := range slices.Sorted(maps.Keys(p.script.Nodes)) {
		for i := range p.script.Nodes[node] {
			if key := nodePointer(node, i); p.used[key] == 0 {
				out = append(out, key)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.script.Defaults)) {
		if key := "/defaults/" + escape(name); p.used[key] == 0 {
			out = append(out, key)
		}
	}
	return out
}

// notes are what a call says, in order of time.
func notes(r *Result) []Note {
	var out []Note
	for _, l := range r.Log {
		level := l.Level
		if level == "" {
			level = contract.LevelInfo
		}
		out = append(out, Note{After: l.After.or(0), Log: []contract.LogLine{{Level: level, Text: l.Text}}})
	}
	for _, g := range r.Progress {
		out = append(out, Note{After: g.After.or(0), Progress: &engine.Progress{Percent: g.Percent, Message: g.Message}})
	}
	slices.SortStableFunc(out, func(a, b Note) int { return cmp.Compare(a.After, b.After) })
	return out
}

// filled is a failure of the script with what it leaves out.
func filled(f *Failure) *contract.Failure {
	out := &contract.Failure{
		Code: first(f.Code, "SCRIPTED"), Message: first(f.Message, "the script says so"), Origin: f.Origin,
		Retryable: f.Retryable, Detail: f.Detail,
	}
	if out.Origin == "" {
		out.Origin = contract.OriginPlugin
	}
	return out
}

func failedAnswer(f *contract.Failure) contract.Answer {
	return contract.Answer{Status: contract.StatusFailed, Failure: f}
}

// or is the duration, or another one where it is absent. Script.Problems refuses what
// cannot be read.
func (d Duration) or(absent time.Duration) time.Duration {
	if d == "" {
		return absent
	}
	out, err := time.ParseDuration(string(d))
	if err != nil {
		return absent
	}
	return out
}
