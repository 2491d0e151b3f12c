package systems

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// Success says which answers mean that a call did its work. The zero value stands for the
// status 200 to 299.
//
// Many systems answer 200 and say in the body that they refused ("envelopes"). Rule is how
// the gateway finds that out.
type Success struct {
	// Status are the HTTP statuses of success; empty means 200 to 299. An answer with
	// another one is handed on as it is.
	Status []int `json:"status,omitempty"`
	// Rule is a condition in CEL over status, headers (names in lower case), body (null
	// when it is not JSON) and text; "body.code == 0". An answer with a status of success
	// that does not fulfil it is a failure of the system, also when the rule cannot be
	// evaluated on it.
	Rule string `json:"rule,omitempty"`
	// Message gives the text of that failure, in CEL over the same names:
	// "body.message". Empty gives one that names the rule.
	Message string `json:"message,omitempty"`
}

// maxRuleBytes bounds an expression of a Success.
const maxRuleBytes = 4096

// IsZero reports whether s says nothing.
func (s Success) IsZero() bool { return len(s.Status) == 0 && s.Rule == "" && s.Message == "" }

// Holds reports whether status means success.
func (s Success) Holds(status int) bool {
	if len(s.Status) == 0 {
		return status >= 200 && status < 300
	}
	for _, want := range s.Status {
		if want == status {
			return true
		}
	}
	return false
}

func (s Success) validate(c check) {
	for i, code := range s.Status {
		c.index("status", i).that(code >= 200 && code <= 599, CodeRangeStatus, "must be between 200 and 599")
	}
	c.in("message").that(s.Message == "" || s.Rule != "", CodeOnlyRule, "is only for a rule")
	for field, src := range map[string]string{"rule": s.Rule, "message": s.Message} {
		c.in(field).that(len(src) <= maxRuleBytes, CodeTooLong, "must be at most %d bytes", maxRuleBytes)
	}
	if _, err := s.compile(); err != nil {
		var wrong *ruleError
		if errors.As(err, &wrong) {
			c.in(wrong.field).broken(wrong.err)
			return
		}
		c.in("rule").broken(err)
	}
}

// Judge is a compiled Success. It is immutable and safe for concurrent use.
type Judge struct {
	rule, message *expr.Program
	text          string
	status        Success
}

// Answer is what a Judge judges.
type Answer struct {
	Status  int
	Headers map[string]string
	// Body is nil where the answer was not JSON; Text is it then.
	Body json.RawMessage
	Text string
}

// ruleError is an expression that cannot be compiled.
type ruleError struct {
	field string
	err   error
}

// Error is that of the expression.
func (e *ruleError) Error() string { return e.field + ": " + e.err.Error() }

// compile returns nil where there is no rule.
func (s Success) compile() (*Judge, error) {
	if s.Rule == "" || len(s.Rule) > maxRuleBytes || len(s.Message) > maxRuleBytes {
		return nil, nil //nolint:nilnil // nothing to judge
	}
	env, err := answerEnv()
	if err != nil {
		return nil, err
	}
	j := &Judge{text: s.Rule, status: s}
	if j.rule, err = env.CompileBool(s.Rule); err != nil {
		return nil, &ruleError{"rule", err}
	}
	if s.Message != "" {
		if j.message, err = env.Compile(s.Message); err != nil {
			return nil, &ruleError{"message", err}
		}
	}
	env.Seal()
	return j, nil
}

// answerEnv declares the names that a rule may use.
func answerEnv() (*expr.Env, error) {
	var c expr.Config
	for _, d := range [][2]string{
		{"status", `{"type":"integer"}`},
		{"headers", `{"type":"object","additionalProperties":{"type":"string"}}`},
		{"body", `{}`},
		{"text", `{"type":"string"}`},
	} {
		s, err := expr.ParseSchema(json.RawMessage(d[1]))
		if err != nil {
			return nil, fmt.Errorf("systems: %w", err)
		}
		c.Variables = append(c.Variables, expr.Decl{Name: d[0], Schema: s})
	}
	env, err := expr.NewEnv(c)
	if err != nil {
		return nil, fmt.Errorf("systems: %w", err)
	}
	return env, nil
}

// refusalMax bounds the text that a system may give as its reason.
const refusalMax = 1000

// Refusal says why an answer is not a success: the text of Success.Message, or which rule it
// breaks. It is "" for an answer that fulfils the rule, and for one whose status already
// says that it is no success. A nil Judge refuses nothing.
func (j *Judge) Refusal(a Answer) string {
	if j == nil || !j.status.Holds(a.Status) {
		return ""
	}
	sc := a.scope()
	holds, err := j.rule.EvalBool(sc)
	if err == nil && holds {
		return ""
	}
	if j.message != nil {
		if raw, err := j.message.Eval(sc); err == nil {
			if text := sentence(raw); text != "" {
				return text
			}
		}
	}
	if err != nil {
		return fmt.Sprintf("the answer with status %d cannot be judged by the rule %s of the system", a.Status, j.text)
	}
	return fmt.Sprintf("the answer with status %d does not fulfil the rule %s of the system", a.Status, j.text)
}

// sentence makes a bounded line of what a message expression gave.
func sentence(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		text = strings.TrimSpace(string(raw))
		if text == "null" {
			return ""
		}
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > refusalMax {
		text = strings.ToValidUTF8(text[:refusalMax], "") + "…"
	}
	return text
}

// answerScope gives a rule its names.
type answerScope map[string]json.RawMessage

func (a Answer) scope() answerScope {
	headers := a.Headers
	if headers == nil {
		headers = map[string]string{}
	}
	h, _ := json.Marshal(headers) // texts only
	t, _ := json.Marshal(a.Text)
	body := a.Body
	if body == nil {
		body = json.RawMessage("null")
	}
	return answerScope{"status": json.RawMessage(strconv.Itoa(a.Status)), "headers": h, "body": body, "text": t}
}

// Variable implements expr.Scope.
func (s answerScope) Variable(name string) json.RawMessage { return s[name] }

// Outputs implements expr.Scope: there are no nodes.
func (answerScope) Outputs(string) json.RawMessage { return nil }

// Iterations implements expr.Scope: there are no nodes.
func (answerScope) Iterations(string) int { return 0 }

// Environment implements expr.Scope: there is none.
func (answerScope) Environment() map[string]json.RawMessage { return nil }

// Run implements expr.Scope: a rule knows no run.
func (answerScope) Run() expr.Run { return expr.Run{} }

// SuccessOf returns the rule of success that holds for an operation: its own, or that of the
// system.
func (c *Compiled) SuccessOf(o *CompiledOperation) Success {
	if o.Success.IsZero() {
		return c.System.Success
	}
	return o.Success
}
