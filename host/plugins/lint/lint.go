// Package lint finds what is allowed in a manifest and yet not good: texts that people
// miss, forms that take anything, grants that are wider than they need be.
package lint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// Level says how bad a finding is.
type Level string

// The levels.
const (
	Warning Level = "warning" // an operator or an administrator will mind
	Info    Level = "info"    // it could be better
)

// Rule names what a finding is about. Names are stable.
type Rule string

// The rules.
const (
	TextMissing    Rule = "text/missing"      // a text that people look for is not there
	TextUntold     Rule = "text/untranslated" // a text is there in one language only
	SchemaTitle    Rule = "schema/title"
	SchemaHelp     Rule = "schema/description"
	SchemaOpen     Rule = "schema/open"
	SchemaBounds   Rule = "schema/bounds"
	SchemaOutputs  Rule = "schema/outputs"
	SchemaSecret   Rule = "schema/secret"
	NeedsAnySystem Rule = "needs/any-system"
	NeedsAny       Rule = "needs/any-operation"
	NeedsTwice     Rule = "needs/twice"
	NeedsMany      Rule = "needs/many"
	LimitTooHigh   Rule = "limits/above-host"
	WaitsNoCancel  Rule = "waits/no-cancel"
)

// Finding is one thing that could be better.
type Finding struct {
	Level Level `json:"level"`
	Rule  Rule  `json:"rule"`
	// Field is the JSON Pointer of it in the manifest.
	Field string `json:"field"`
	// Args fill in the text of the rule.
	Args []string `json:"args,omitempty"`
}

// Limits are those of the host that the plugin is meant for. A zero one is not compared.
type Limits struct {
	MemoryBytes, OutputBytes, LogBytes int64
	HostCalls                          int
	TimeoutMS                          int64
}

// Manifest returns what could be better in a manifest, in the order of its fields. The
// manifest is valid.
func Manifest(m *contract.Manifest, host Limits) []Finding {
	l := &linter{}
	l.text("/title", m.Title, Warning)
	l.text("/doc", m.Doc, Info)
	for i := range m.Actions {
		l.action(fmt.Sprintf("/actions/%d", i), &m.Actions[i], host)
	}
	l.needs(m.Needs)
	l.limits(m.Limits, host)
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return cmp.Compare(a.Level.rank(), b.Level.rank()) })
	return l.findings
}

func (l Level) rank() int {
	if l == Warning {
		return 0
	}
	return 1
}

type linter struct{ findings []Finding }

func (l *linter) add(level Level, rule Rule, field string, args ...string) {
	l.findings = append(l.findings, Finding{Level: level, Rule: rule, Field: field, Args: args})
}

func (l *linter) text(at string, t contract.Text, missing Level) {
	switch {
	case t.IsZero():
		l.add(missing, TextMissing, at)
	case t.En == "":
		l.add(Warning, TextUntold, at, "en")
	case t.Zh == "":
		l.add(Warning, TextUntold, at, "zh")
	}
}

func (l *linter) action(at string, a *contract.Action, host Limits) {
	l.text(at+"/title", a.Title, Warning)
	l.text(at+"/doc", a.Doc, Info)
	if host.TimeoutMS > 0 && a.TimeoutMS > host.TimeoutMS {
		l.add(Warning, LimitTooHigh, at+"/timeout_ms", fmt.Sprint(a.TimeoutMS), fmt.Sprint(host.TimeoutMS))
	}
	outlasts := slices.ContainsFunc(a.Waits, func(k contract.WaitKind) bool { return k == contract.WaitPoll || k == contract.WaitCallback })
	if outlasts && !a.Cancel {
		l.add(Info, WaitsNoCancel, at+"/cancel")
	}
	var in, out map[string]any
	if json.Unmarshal(a.Inputs, &in) == nil {
		l.object(at+"/inputs", in, true)
	}
	if json.Unmarshal(a.Outputs, &out) == nil {
		if properties, ok := out["properties"].(map[string]any); !ok || len(properties) == 0 {
			l.add(Info, SchemaOutputs, at+"/outputs")
		}
		l.object(at+"/outputs", out, false)
	}
}

// object looks at a schema of an object and at those of its members. Inputs come from
// people and expressions, and need more care than outputs.
func (l *linter) object(at string, s map[string]any, input bool) {
	properties, ok := s["properties"].(map[string]any)
	if closed, told := s["additionalProperties"]; input && ok && (!told || closed == true) {
		l.add(Warning, SchemaOpen, at+"/additionalProperties")
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if p, ok := properties[name].(map[string]any); ok {
			l.property(at+"/properties/"+escape(name), name, p, input)
		}
	}
}

// secretive is what the names of secrets look like.
func secretive(name string) bool {
	return regexp.MustCompile(`(?i)(^|_)(password|passwd|secret|token|api_?key|private_?key)$`).MatchString(name)
}

func (l *linter) property(at, name string, p map[string]any, input bool) {
	if has(p, "title") {
		l.translated(at, p, "title")
	} else {
		l.add(Warning, SchemaTitle, at)
	}
	switch {
	case has(p, "description"):
		l.translated(at, p, "description")
	case input:
		l.add(Info, SchemaHelp, at)
	}
	if input && secretive(name) && p["x-secret"] != true && !has(p, "x-credential") {
		l.add(Warning, SchemaSecret, at)
	}
	if input {
		l.bounds(at, p)
	}
	l.object(at, p, input)
	if items, ok := p["items"].(map[string]any); ok {
		if input {
			l.bounds(at+"/items", items)
		}
		l.object(at+"/items", items, input)
	}
}

// bounds asks for an end of what a person can put in.
func (l *linter) bounds(at string, p map[string]any) {
	switch p["type"] {
	case "string":
		if !has(p, "maxLength") && !has(p, "enum") && !has(p, "const") && !has(p, "oneOf") && !has(p, "format") && !has(p, "pattern") {
			l.add(Warning, SchemaBounds, at, "maxLength")
		}
	case "array":
		if !has(p, "maxItems") {
			l.add(Warning, SchemaBounds, at, "maxItems")
		}
	}
}

// translated asks for the Chinese of a text in a schema.
func (l *linter) translated(at string, p map[string]any, keyword string) {
	languages, _ := p["ui:i18n"].(map[string]any)
	zh, _ := languages["zh"].(map[string]any)
	if !has(zh, keyword) {
		l.add(Warning, TextUntold, at+"/"+keyword, "zh")
	}
}

func has(m map[string]any, key string) bool {
	v, ok := m[key]
	return ok && v != ""
}

// needsMany is how many operations an administrator looks at with care.
const needsMany = 20

func (l *linter) needs(needs []contract.Need) {
	for i, n := range needs {
		at := fmt.Sprintf("/needs/%d", i)
		switch {
		case n.System == "*":
			l.add(Warning, NeedsAnySystem, at+"/system", n.Operation)
		case n.Operation == "*":
			l.add(Warning, NeedsAny, at+"/operation", n.System)
		case slices.ContainsFunc(needs, func(o contract.Need) bool { return o != n && o.System == n.System && o.Operation == "*" }),
			slices.Index(needs, n) < i:
			l.add(Warning, NeedsTwice, at, n.System+"/"+n.Operation)
		}
	}
	if len(needs) > needsMany {
		l.add(Info, NeedsMany, "/needs", fmt.Sprint(len(needs)))
	}
}

func (l *linter) limits(own *contract.Limits, host Limits) {
	if own == nil {
		return
	}
	for _, v := range []struct {
		field     string
		own, host int64
	}{
		{"memory_bytes", own.MemoryBytes, host.MemoryBytes},
		{"output_bytes", own.OutputBytes, host.OutputBytes},
		{"log_bytes", own.LogBytes, host.LogBytes},
		{"host_calls", int64(own.HostCalls), int64(host.HostCalls)},
		{"timeout_ms", own.TimeoutMS, host.TimeoutMS},
	} {
		if v.host > 0 && v.own > v.host {
			l.add(Warning, LimitTooHigh, "/limits/"+v.field, fmt.Sprint(v.own), fmt.Sprint(v.host))
		}
	}
}

// escape makes a name part of a JSON Pointer.
func escape(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
