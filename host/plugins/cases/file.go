// Package cases tests a plugin by a file: inputs, what the systems answer, and what the
// plugin is expected to do. The module is reached through a port, so that the package
// knows no runtime.
package cases

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/pdk/contract"
)

// Format is the format of the files that this package reads.
const Format = "culm.cases/v1"

// FileName is the name that a file of cases usually has, beside the source.
const FileName = "cases.yaml"

// File is a file of cases.
type File struct {
	Format string `json:"format"`
	// Now is the instant at which the plugin's clock starts; absent means the real time.
	Now   *time.Time `json:"now,omitempty"`
	Cases []Case     `json:"cases"`

	source document.Source
}

// Case is one attempt of one action, from its first call to its last.
type Case struct {
	Name   string          `json:"name"`
	Action string          `json:"action"`
	Inputs json.RawMessage `json:"inputs,omitempty"`
	// Context is what the plugin is told about the run; absent members have values of
	// their own.
	Context *contract.Context `json:"context,omitempty"`
	// Vars are the variables that the flow maps to the node.
	Vars map[string]json.RawMessage `json:"vars,omitempty"`
	// Step is the first call.
	Step
	// Then are the calls after it: each gets the state that the one before left.
	Then []Step `json:"then,omitempty"`
}

// Step is one call.
type Step struct {
	// Reason is why the plugin is called: execute when empty. Of the later calls it is
	// what the wait before was for, when empty.
	Reason contract.Reason `json:"reason,omitempty"`
	// State and Outputs are what earlier calls left; absent takes what they really left.
	State   json.RawMessage `json:"state,omitempty"`
	Outputs json.RawMessage `json:"outputs,omitempty"`
	// Callback is what came in, for the reason callback.
	Callback json.RawMessage `json:"callback,omitempty"`
	// Polls counts the polls before; zero counts those of the case.
	Polls int `json:"polls,omitempty"`
	// Field and Form are those of the reason options.
	Field string          `json:"field,omitempty"`
	Form  json.RawMessage `json:"form,omitempty"`
	// Gateway are the calls that the plugin makes, in order, with what they are answered.
	Gateway []Exchange `json:"gateway,omitempty"`
	// Expect is what the call must do; absent expects only that it does not break.
	Expect *Expect `json:"expect,omitempty"`
}

// Exchange is one call of the gateway and its answer.
type Exchange struct {
	System    string `json:"system"`
	Operation string `json:"operation"`
	// Params and Body are compared with the plugin's where they are given.
	Params map[string]json.RawMessage `json:"params,omitempty"`
	Body   json.RawMessage            `json:"body,omitempty"`
	// Answer is what the plugin gets.
	Answer contract.GatewayResponse `json:"answer"`
}

// Expect is what a call must do. What is absent is not compared.
type Expect struct {
	Status contract.Status `json:"status,omitempty"`
	// Outputs, State and Vars are compared as a whole; of Failure and Wait only the
	// members that are given.
	Outputs json.RawMessage            `json:"outputs,omitempty"`
	Failure json.RawMessage            `json:"failure,omitempty"`
	Wait    json.RawMessage            `json:"wait,omitempty"`
	State   json.RawMessage            `json:"state,omitempty"`
	Vars    map[string]json.RawMessage `json:"vars,omitempty"`
	// Log are the texts of the log, all of them and in order.
	Log []string `json:"log,omitempty"`
}

// Parse reads a file of cases in YAML or JSON. The error is of type document.Problems.
func Parse(content []byte) (*File, error) {
	var f File
	src, err := document.Decode(content, &f)
	if err != nil {
		return nil, err
	}
	f.source = src
	if ps := f.problems(); len(ps) > 0 {
		return nil, src.Locate(ps)
	}
	return &f, nil
}

// problems finds what the types do not say.
func (f *File) problems() document.Problems {
	var ps document.Problems
	add := func(field, code, format string, args ...any) {
		p := document.Coded(code, format, args...)
		p.Field = field
		ps = append(ps, p)
	}
	if f.Format != Format {
		add("/format", "CASE_FORMAT", "must be %s", Format)
	}
	if len(f.Cases) == 0 {
		add("/cases", "CASE_NONE", "there are no cases")
	}
	seen := map[string]bool{}
	for i := range f.Cases {
		c, at := &f.Cases[i], "/cases/"+strconv.Itoa(i)
		switch {
		case c.Name == "":
			add(at+"/name", "CASE_MISSING", "is missing")
		case seen[c.Name]:
			add(at+"/name", "CASE_TWICE", "there is another case %q", c.Name)
		}
		seen[c.Name] = true
		if c.Action == "" {
			add(at+"/action", "CASE_MISSING", "is missing")
		}
		c.check(at, add)
		for j := range c.Then {
			c.Then[j].check(at+"/then/"+strconv.Itoa(j), add)
		}
	}
	return ps
}

func (s *Step) check(at string, add func(field, code, format string, args ...any)) {
	if s.Reason != "" && !slices.Contains(reasons(), s.Reason) {
		add(at+"/reason", "CASE_ONE_OF", "%q is none of %s", s.Reason, reasonList())
	}
	for i, x := range s.Gateway {
		at := at + "/gateway/" + strconv.Itoa(i)
		if x.System == "" || x.Operation == "" {
			add(at, "CASE_NAMELESS", "needs system and operation")
		}
		if x.Answer.Failure == nil && x.Answer.Status == 0 {
			add(at+"/answer", "CASE_EMPTY_ANSWER", "needs status or failure")
		}
	}
	if e := s.Expect; e != nil && e.Status != "" &&
		!slices.Contains([]contract.Status{contract.StatusSucceeded, contract.StatusFailed, contract.StatusWaiting}, e.Status) {
		add(at+"/expect/status", "CASE_ONE_OF", "%q is none of %s", e.Status, "succeeded, failed, waiting")
	}
}

func reasons() []contract.Reason {
	return []contract.Reason{
		contract.ReasonExecute, contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback,
		contract.ReasonCancel, contract.ReasonRollback, contract.ReasonOptions,
	}
}

func reasonList() string {
	var names []string
	for _, r := range reasons() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// steps are all calls of a case, in order.
func (c *Case) steps() []*Step {
	all := []*Step{&c.Step}
	for i := range c.Then {
		all = append(all, &c.Then[i])
	}
	return all
}
