package main

import (
	"strings"
	"time"

	"github.com/culmhq/culm/pdk"
)

// Matcher is a condition on one label of an alert.
type Matcher struct {
	// The name of the label.
	Name string `json:"name" title:"Label" jsonschema:"minLength=1,maxLength=1024"`
	// How the label is compared.
	Operator string `json:"operator,omitempty" choices:"=:equals|!=:does not equal|=~:matches|!~:does not match"`
	// The value to compare with; for a match a regular expression over the whole value.
	Value string `json:"value,omitempty" jsonschema:"maxLength=65536"`
	// Several values instead of one: the label is one of them, or none of them.
	Values []string `json:"values,omitempty" jsonschema:"maxItems=1000" ui:"widget=tags"`
}

// matcher is how Alertmanager writes a Matcher.
type matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	// IsEqual is absent in answers of Alertmanager before 0.22, which knew no
	// negative matchers: absent is true.
	IsEqual *bool `json:"isEqual,omitempty"`
}

// silence is how Alertmanager writes a silence.
type silence struct {
	ID        string    `json:"id,omitempty"`
	Matchers  []matcher `json:"matchers"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
	Status    *struct {
		State string `json:"state"`
	} `json:"status,omitempty"`
}

// state returns active, pending or expired. Expired silences stay in Alertmanager's
// lists for days.
func (s silence) state() string {
	if s.Status == nil {
		return ""
	}
	return s.Status.State
}

// wire translates a matcher. Several values become one regular expression of quoted
// alternatives, because all matchers of a silence must hold.
func (m Matcher) wire(field string) (matcher, error) {
	negative := strings.HasPrefix(m.Operator, "!")
	equal := !negative
	w := matcher{Name: m.Name, Value: m.Value, IsRegex: strings.HasSuffix(m.Operator, "~"), IsEqual: &equal}
	switch {
	case len(m.Values) == 0 && m.Value == "" && !negative && !w.IsRegex:
		return w, pdk.InvalidInput(field, "give value or values: an alert without the label %s would match", m.Name)
	case len(m.Values) == 0:
		return w, nil
	case m.Value != "":
		return w, pdk.InvalidInput(field, "give value or values, not both")
	case w.IsRegex:
		return w, pdk.InvalidInput(field, "values are compared as they are; use the operator = or !=")
	}
	quoted := make([]string, len(m.Values))
	for i, v := range m.Values {
		quoted[i] = quote(v)
	}
	w.Value, w.IsRegex = strings.Join(quoted, "|"), true
	return w, nil
}

// quote is regexp.QuoteMeta, without linking package regexp into the module.
func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (m matcher) text() string {
	operator := "="
	switch negative := m.IsEqual != nil && !*m.IsEqual; {
	case negative && m.IsRegex:
		operator = "!~"
	case negative:
		operator = "!="
	case m.IsRegex:
		operator = "=~"
	}
	return m.Name + operator + `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(m.Value) + `"`
}
