package systems_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

func TestNarrowsIsTrueOnlyWhereItCanBeShown(t *testing.T) {
	t.Parallel()
	defs := func(def string) string { return `{"$ref":"#/$defs/N","$defs":{"N":` + def + `}}` }
	for name, c := range map[string]struct {
		before, after string
		want          bool
	}{
		"the same":                      {`{"type":"string"}`, `{"type":"string"}`, true},
		"another description":           {`{"type":"string"}`, `{"type":"string","description":"x"}`, true},
		"a lower maximum":               {`{"type":"string","maxLength":9}`, `{"type":"string","maxLength":5}`, true},
		"a higher maximum":              {`{"type":"string","maxLength":5}`, `{"type":"string","maxLength":9}`, false},
		"no maximum":                    {`{"type":"string","maxLength":5}`, `{"type":"string"}`, false},
		"a higher minimum":              {`{"minimum":1}`, `{"minimum":2}`, true},
		"an integer for a number":       {`{"type":"number"}`, `{"type":"integer"}`, true},
		"a number for an integer":       {`{"type":"integer"}`, `{"type":"number"}`, false},
		"null too":                      {`{"type":"string"}`, `{"type":["string","null"]}`, false},
		"fewer values":                  {`{"enum":["a","b"]}`, `{"enum":["a"]}`, true},
		"one of the values":             {`{"enum":["a","b"]}`, `{"const":"b"}`, true},
		"more values":                   {`{"enum":["a"]}`, `{"enum":["a","b"]}`, false},
		"required now":                  {`{"required":["a"]}`, `{"required":["a","b"]}`, true},
		"not required any more":         {`{"required":["a"]}`, `{}`, false},
		"a property of a closed object": {`{"properties":{},"additionalProperties":false}`, `{"properties":{"force":{}},"additionalProperties":false}`, false},
		"a property of an open object":  {`{"properties":{}}`, `{"properties":{"force":{"type":"boolean"}}}`, true},
		"a property is gone":            {`{"properties":{"a":{}},"additionalProperties":false}`, `{"properties":{},"additionalProperties":false}`, true},
		"a property is free now":        {`{"properties":{"a":{"maxLength":3}}}`, `{"properties":{}}`, false},
		"open now":                      {`{"additionalProperties":false}`, `{}`, false},
		"items are free":                {`{"items":{"type":"string"}}`, `{"type":"array"}`, false},
		"a pattern around":              {`{"properties":{"a":{"maxLength":3}},"additionalProperties":false}`, `{"patternProperties":{"a":{}},"additionalProperties":false}`, false},
		"another pattern":               {`{"pattern":"^a"}`, `{"pattern":"^b"}`, false},
		"a secret may stand there":      {`{"properties":{"p":{"type":"string"}}}`, `{"properties":{"p":{"type":"string","x-secret":true}}}`, false},
		"a new secret":                  {`{}`, `{"properties":{"p":{"type":"string","x-secret":true}}}`, false},
		"one alternative is wider":      {`{"anyOf":[{"const":1},{"const":2}]}`, `{"anyOf":[{"const":1},{}]}`, false},
		"oneOf is not reasoned about":   {`{"oneOf":[{"type":"string"}]}`, `{"oneOf":[{"type":"integer"}]}`, false},
		"a schema that holds itself":    {defs(`{"properties":{"n":{"$ref":"#/$defs/N"}}}`), defs(`{"properties":{"n":{"$ref":"#/$defs/N"}},"required":["n"]}`), true},
		"wider inside itself":           {defs(`{"properties":{"n":{"$ref":"#/$defs/N"},"a":{"type":"string"}}}`), defs(`{"properties":{"n":{"$ref":"#/$defs/N"},"a":{}}}`), false},
		"nothing is allowed":            {`{"type":"string"}`, `false`, true},
		"not JSON":                      {`{`, `{}`, false},
	} {
		if got := systems.Narrows(json.RawMessage(c.before), json.RawMessage(c.after)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func one(tweak func(*systems.Operation)) *systems.System {
	o := systems.Operation{
		ID: "get", Title: contract.T("Get"), Method: "GET", Path: "/a/{x}", Retry: systems.RetrySafe, Risk: systems.RiskRead,
		Parameters: []systems.Parameter{{Name: "x", In: systems.InPath, Required: true}},
	}
	if tweak != nil {
		tweak(&o)
	}
	return &systems.System{Format: systems.Format, ID: "s", Title: contract.T("S"), BaseURL: "https://s.example", Operations: []systems.Operation{o}}
}

func TestMergeNeverWidensAGrant(t *testing.T) {
	t.Parallel()
	granted := map[string][]string{"get": {"p"}}
	for name, c := range map[string]struct {
		tweak func(*systems.Operation)
		wider bool
	}{
		"another title":  {func(o *systems.Operation) { o.Title = contract.T("Other") }, false},
		"another path":   {func(o *systems.Operation) { o.Path = "/b/{x}" }, true},
		"another method": {func(o *systems.Operation) { o.Method = "DELETE" }, true},
		"another risk":   {func(o *systems.Operation) { o.Risk = systems.RiskDestructive }, true},
		"repeated more":  {func(o *systems.Operation) { o.Retry = systems.RetryNever }, false},
		"one more parameter": {func(o *systems.Operation) {
			o.Parameters = append(o.Parameters, systems.Parameter{Name: "f", In: systems.InQuery})
		}, true},
		"a looser parameter": {func(o *systems.Operation) { o.Parameters[0].Schema = json.RawMessage(`{}`) }, true},
		"a tighter parameter": {func(o *systems.Operation) {
			o.Parameters[0].Schema = json.RawMessage(`{"type":"string","maxLength":3}`)
		}, false},
		"a body":         {func(o *systems.Operation) { o.Method, o.Body = "GET", json.RawMessage(`{}`) }, true},
		"another header": {func(o *systems.Operation) { o.ResponseHeaders = []string{"Link"} }, true},
		"another rule":   {func(o *systems.Operation) { o.Success.Rule = "true" }, false},
	} {
		for _, strict := range []bool{false, true} {
			next := one(c.tweak)
			changes := systems.Merge(one(nil), next, granted, strict)
			if len(changes) != 1 || changes[0].Wider != c.wider || changes[0].Enabled == c.wider || next.Operations[0].Disabled != c.wider {
				t.Errorf("%s: %+v", name, changes)
			}
			// Without a grant, only what comes from outside is switched off.
			next = one(c.tweak)
			systems.Merge(one(nil), next, nil, strict)
			if next.Operations[0].Disabled != (c.wider && strict) {
				t.Errorf("%s, not granted, strict %v: disabled %v", name, strict, next.Operations[0].Disabled)
			}
		}
	}
}

func TestMergeKeepsWhatIsOffOff(t *testing.T) {
	t.Parallel()
	off := one(func(o *systems.Operation) { o.Disabled, o.DisabledBy = true, systems.DisabledByChange })
	next := one(nil)
	if changes := systems.Merge(off, next, nil, false); len(changes) != 0 || !next.Operations[0].Disabled || next.Operations[0].DisabledBy != systems.DisabledByChange {
		t.Errorf("a document switched it on: %+v", changes)
	}
	// An operation that comes anew meets the grants of an earlier life.
	next = one(nil)
	changes := systems.Merge(nil, next, map[string][]string{"get": {"p"}}, false)
	if !next.Operations[0].Disabled || changes[0].Enabled || changes[0].Plugins[0] != "p" {
		t.Errorf("got %+v", changes)
	}
	gone := one(nil)
	gone.Operations = nil
	if changes := systems.Merge(one(nil), gone, nil, true); len(changes) != 1 || changes[0].Kind != systems.Removed || !changes[0].WasEnabled {
		t.Errorf("got %+v", changes)
	}
}

func TestSharedSchemaThatBecomesLooserSwitchesItsOperationsOff(t *testing.T) {
	t.Parallel()
	with := func(def string) *systems.System {
		s := one(func(o *systems.Operation) { o.Method, o.Body = "POST", json.RawMessage(`{"$ref":"#/$defs/Issue"}`) })
		s.Schemas = map[string]json.RawMessage{"Issue": json.RawMessage(def)}
		return s
	}
	next := with(`{"type":"object"}`)
	changes := systems.Merge(with(`{"type":"object","required":["title"]}`), next, nil, true)
	if len(changes) != 1 || changes[0].Fields[0].Field != "body" || !next.Operations[0].Disabled {
		t.Errorf("got %+v", changes)
	}
}

func TestRuleOfSuccess(t *testing.T) {
	t.Parallel()
	s := one(nil)
	s.Success = systems.Success{Rule: "body.result == true", Message: "body.message"}
	c, err := systems.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	o, _ := c.Operation("get")
	for name, a := range map[string]struct {
		answer systems.Answer
		want   string
	}{
		"yes":                  {systems.Answer{Status: 200, Body: json.RawMessage(`{"result":true}`)}, ""},
		"no, with a reason":    {systems.Answer{Status: 200, Body: json.RawMessage(`{"result":false,"message":"no such\n biz"}`)}, "no such biz"},
		"no, without a reason": {systems.Answer{Status: 200, Body: json.RawMessage(`{"result":false}`)}, "does not fulfil the rule body.result == true"},
		"no field":             {systems.Answer{Status: 200, Body: json.RawMessage(`{}`)}, "cannot be judged"},
		"no JSON":              {systems.Answer{Status: 200, Text: "<html>"}, "cannot be judged"},
		"a bad status":         {systems.Answer{Status: 502, Text: "bad gateway"}, ""},
	} {
		got := o.Judge.Refusal(a.answer)
		if (a.want == "") != (got == "") || !strings.Contains(got, a.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	for field, bad := range map[string]systems.Success{
		"/success/rule":     {Rule: "body.result =="},
		"/success/message":  {Rule: "true", Message: "nobody.message"},
		"/success/status/0": {Status: []int{99}},
	} {
		s := one(nil)
		s.Success = bad
		if ps := s.Validate(); len(ps) != 1 || ps[0].Field != field {
			t.Errorf("%+v: %v", bad, ps)
		}
	}
}
