package systems

import (
	"encoding/json"
	"slices"
	"strings"
)

// Function is a computation with a secret that the gateway does: a plugin never has the
// secret to do it with.
type Function string

// The functions.
const (
	// HMACSHA256Hex and HMACSHA256Base64 are the HMAC-SHA256 of a text under the secret,
	// in lower-case hex or standard base64.
	HMACSHA256Hex    Function = "hmac_sha256_hex"
	HMACSHA256Base64 Function = "hmac_sha256_base64"
	// BasicAuth is "Basic " and the base64 of the text, a colon and the secret.
	BasicAuth Function = "basic_auth"
)

// OfBody stands for the body as it is sent, in Compute.Of.
const OfBody = "@body"

// Compute says what is sent in place of a secret.
type Compute struct {
	Function Function `json:"function"`
	// Of names the parameter whose value is the text, or is OfBody.
	Of string `json:"of"`
	// Prefix stands before the value ("sha256=").
	Prefix string `json:"prefix,omitempty"`
}

// validateSecret checks what a parameter says of secrets.
func (o *Operation) validateSecret(p *Parameter, c check) {
	if p.Compute == nil && !p.Secret {
		return
	}
	c.in("secret").that(p.Secret, CodeSecretComputed, "must be set where something is computed with a secret")
	c.in("secret").that(p.In == InQuery || p.In == InHeader, CodeSecretPlace, "only a query or header parameter can be a secret")
	if len(p.Schema) > 0 {
		var head struct {
			Type json.RawMessage `json:"type"`
		}
		err := json.Unmarshal(p.Schema, &head)
		c.in("schema").that(err == nil && string(head.Type) == `"string"`, CodeSecretText, "the schema of a secret is that of a text")
	}
	if p.Compute == nil {
		return
	}
	c, f := c.in("compute"), p.Compute.Function
	c.in("function").that(slices.Contains([]Function{HMACSHA256Hex, HMACSHA256Base64, BasicAuth}, f),
		CodeOneOf, "must be %s", "hmac_sha256_hex, hmac_sha256_base64 or basic_auth")
	c.in("prefix").that(headerText(p.Compute.Prefix), CodePrintable, "must be printable ASCII")
	if p.Compute.Of == OfBody {
		c.in("of").that(len(o.Body) > 0 && f != BasicAuth, CodeOfBody, "@body is for an HMAC in an operation with a body")
		return
	}
	ok := slices.ContainsFunc(o.Parameters, func(q Parameter) bool { return q.Name == p.Compute.Of && !q.Secret })
	c.in("of").that(ok, CodeOfOther, "must be @body or the name of another parameter, which is no secret")
}

func headerText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// validateSecretHeaders refuses a secret in the header that the system's own credential
// goes into.
func (s *System) validateSecretHeaders(c check) {
	own := s.Auth.Headers()
	for i := range s.Operations {
		for k := range s.Operations[i].Parameters {
			p := &s.Operations[i].Parameters[k]
			at := c.index("operations", i).index("parameters", k).in("name")
			taken := p.Secret && p.In == InHeader && slices.ContainsFunc(own, func(h string) bool { return strings.EqualFold(h, p.WireName()) }) ||
				p.In == InQuery && s.Auth.Query != "" && p.WireName() == s.Auth.Query
			at.that(!taken, CodeHeaderCredential, "%s carries the credential of the system", p.WireName())
		}
	}
}

// secretDepthMax bounds the walk through a body's schema.
const secretDepthMax = 64

// BodySecret reports whether a place of the body, a JSON Pointer, is marked as one for a
// secret.
//
// What the schema refers to in System.Schemas is not seen here: CompiledOperation sees it.
func (o *Operation) BodySecret(pointer string) bool { return bodySecret(o.Body, pointer) }

func bodySecret(body json.RawMessage, pointer string) bool {
	if len(body) == 0 || pointer == "" {
		return false
	}
	var tokens []string
	for token := range strings.SplitSeq(pointer[1:], "/") {
		tokens = append(tokens, strings.NewReplacer("~1", "/", "~0", "~").Replace(token))
	}
	var root any
	if err := json.Unmarshal(body, &root); err != nil {
		return false
	}
	m := marking{root: root, left: markingSteps}
	return m.marked(root, tokens, 0)
}

// markingSteps bounds how many schemas are looked at for one place; one that is not found
// among them is not marked.
const markingSteps = 20_000

// marking looks for the mark of a place in a schema.
type marking struct {
	root any
	left int
}

// marked follows a place through a schema: properties, items, references and
// alternatives, one of which is enough.
func (m *marking) marked(schema any, tokens []string, depth int) bool {
	m.left--
	s, ok := schema.(map[string]any)
	if !ok || depth > secretDepthMax || m.left < 0 {
		return false
	}
	if len(tokens) == 0 && s["x-secret"] == true {
		return true
	}
	ref, _ := s["$ref"].(string)
	if name, ok := strings.CutPrefix(ref, sharedRef); ok {
		defs, _ := schemaMap(m.root)["$defs"].(map[string]any)
		if m.marked(defs[name], tokens, depth+1) {
			return true
		}
	}
	for _, word := range []string{"allOf", "anyOf", "oneOf"} {
		subs, _ := s[word].([]any)
		if slices.ContainsFunc(subs, func(sub any) bool { return m.marked(sub, tokens, depth+1) }) {
			return true
		}
	}
	if len(tokens) == 0 {
		return false
	}
	return m.marked(part(s, tokens[0]), tokens[1:], depth+1)
}

// part is the schema of a property or an item of what a schema describes.
func part(s map[string]any, token string) any {
	if properties, ok := s["properties"].(map[string]any); ok && properties[token] != nil {
		return properties[token]
	}
	if s["items"] == nil {
		return s["additionalProperties"]
	}
	return s["items"]
}
