package systems

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

// FieldChange is one difference between two versions of an operation.
type FieldChange struct {
	// Field names what differs: "path", "parameters/owner", "body".
	Field string `json:"field"`
	// From and To are the values where they are short; empty for schemas and for what is
	// absent.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
	// Wider says that the operation reaches or takes more than before, or that this cannot be
	// ruled out: what was granted is not what would be called.
	Wider bool `json:"wider"`
}

// Version is an operation with the shared schemas that its own refer to.
type Version struct {
	*Operation
	Shared map[string]json.RawMessage
}

// Compare lists the differences between two versions of an operation, in the order of the
// fields. Whether it is disabled is not one of them.
func Compare(before, after Version) []FieldChange {
	d := difference{before: before, after: after}
	d.texts("method", before.Method, after.Method, true)
	d.texts("path", before.Path, after.Path, true)
	d.parameters()
	d.body()
	d.texts("retry", string(before.Retry), string(after.Retry), patience(after.Retry) > patience(before.Retry))
	d.texts("risk", string(before.Risk), string(after.Risk), true)
	d.texts("key_header", before.KeyHeader, after.KeyHeader, false)
	d.responseHeaders()
	d.texts("success", fmt.Sprint(before.Success), fmt.Sprint(after.Success), false)
	if !d.same(before.Response, after.Response) {
		d.add(FieldChange{Field: "response"})
	}
	d.words("title", before.Title, after.Title)
	d.words("doc", before.Doc, after.Doc)
	d.texts("group", before.Group, after.Group, false)
	return d.out
}

// Widens reports whether one of the changes is wider.
func Widens(changes []FieldChange) bool {
	return slices.ContainsFunc(changes, func(c FieldChange) bool { return c.Wider })
}

// patience says how often a class lets a call be made.
func patience(r Retry) int { return slices.Index([]Retry{RetryNever, RetryKeyed, RetrySafe}, r) }

type difference struct {
	before, after Version
	out           []FieldChange
}

func (d *difference) add(c FieldChange) { d.out = append(d.out, c) }

func (d *difference) texts(field, from, to string, wider bool) {
	const most = 200
	if from != to {
		d.add(FieldChange{Field: field, From: cut(from, most), To: cut(to, most), Wider: wider})
	}
}

// words compares a text in every language.
func (d *difference) words(field string, from, to contract.Text) {
	f, t := Words(from, to)
	d.texts(field, f, t, false)
}

// Words returns two texts in the first language that they differ in, and equal ones where they
// differ in none.
func Words(from, to contract.Text) (string, string) {
	if from.En != to.En {
		return from.En, to.En
	}
	return from.Zh, to.Zh
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

func (d *difference) parameters() {
	before, after := byName(d.before.Parameters), byName(d.after.Parameters)
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		field := "parameters/" + name
		b, a := before[name], after[name]
		switch {
		case b == nil:
			d.add(FieldChange{Field: field, To: string(a.In), Wider: true})
		case a == nil:
			d.add(FieldChange{Field: field, From: string(b.In)})
		default:
			d.parameter(field, b, a)
		}
	}
}

func (d *difference) parameter(field string, b, a *Parameter) {
	compute := func(p *Parameter) string {
		if p.Compute == nil {
			return ""
		}
		return fmt.Sprintf("%s of %s, %s", p.Compute.Function, p.Compute.Of, p.Compute.Prefix)
	}
	d.texts(field+"/in", string(b.In), string(a.In), true)
	d.texts(field+"/wire", b.WireName(), a.WireName(), true)
	d.texts(field+"/required", fmt.Sprint(b.Required), fmt.Sprint(a.Required), !a.Required)
	d.texts(field+"/array_style", string(b.ArrayStyle), string(a.ArrayStyle), false)
	d.texts(field+"/secret", fmt.Sprint(b.Secret), fmt.Sprint(a.Secret), a.Secret)
	d.texts(field+"/compute", compute(b), compute(a), true)
	d.words(field+"/doc", b.Doc, a.Doc)
	d.schema(field+"/schema", textSchema(b.Schema), textSchema(a.Schema))
}

func textSchema(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage(`{"type":"string"}`)
	}
	return raw
}

func (d *difference) body() {
	b, a := d.before.Body, d.after.Body
	switch {
	case len(b) == 0 && len(a) == 0:
		return
	case len(b) == 0:
		d.add(FieldChange{Field: "body", To: "JSON", Wider: true})
		return
	case len(a) == 0:
		d.add(FieldChange{Field: "body", From: "JSON"})
		return
	}
	d.schema("body", b, a)
	d.texts("body_required", fmt.Sprint(d.before.BodyRequired), fmt.Sprint(d.after.BodyRequired), !d.after.BodyRequired)
}

// schema compares two schemas: what the new one allows beyond the old one is wider.
func (d *difference) schema(field string, b, a json.RawMessage) {
	if d.same(b, a) {
		return
	}
	whole, err := WithShared(b, d.before.Shared)
	next, err2 := WithShared(a, d.after.Shared)
	d.add(FieldChange{Field: field, Wider: err != nil || err2 != nil || !Narrows(whole, next)})
}

// same reports whether two schemas are, with everything that they refer to.
func (d *difference) same(b, a json.RawMessage) bool {
	if !bytes.Equal(b, a) {
		return false
	}
	if !bytes.Contains(b, []byte(sharedRef)) {
		return true
	}
	whole, err := WithShared(b, d.before.Shared)
	next, err2 := WithShared(a, d.after.Shared)
	return err == nil && err2 == nil && bytes.Equal(whole, next)
}

func (d *difference) responseHeaders() {
	lower := func(l []string) []string {
		out := make([]string, len(l))
		for i, s := range l {
			out[i] = strings.ToLower(s)
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	b, a := lower(d.before.ResponseHeaders), lower(d.after.ResponseHeaders)
	more := slices.ContainsFunc(a, func(s string) bool { return !slices.Contains(b, s) })
	d.texts("response_headers", strings.Join(b, ", "), strings.Join(a, ", "), more)
}

func byName(ps []Parameter) map[string]*Parameter {
	out := make(map[string]*Parameter, len(ps))
	for i := range ps {
		out[ps[i].Name] = &ps[i]
	}
	return out
}
