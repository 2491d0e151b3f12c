package forms

import (
	"strings"

	"github.com/culmhq/culm/host/document"
)

// weightMax bounds how many steps one value may take: sub-schemas, values of an enum,
// instructions of patterns. Schemas come with plugins, and a few hundred bytes of
// references that double each other would keep the server busy for ever.
const weightMax = 50_000

// dialect is the only version of JSON Schema there is.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// weigh refuses a schema whose check could take more than a time linear in the value:
// one with more steps than weightMax behind its references, or one that comes back to
// itself on a path where it may come back twice for the same value. The error is a
// document.Problem with the code of a reason.
//
// It returns the weight: no part of a value meets more steps than that.
func weigh(doc any, p patterns) (int, error) {
	w := &weigher{doc: doc, patterns: p, nodes: map[string]*weighed{}}
	if _, err := w.visit("#"); err != nil {
		return 0, err
	}
	weight := w.nodes["#"].weight
	if weight > weightMax {
		return 0, document.Coded("SCHEMA_STEPS", "schema needs more than %d steps", weightMax)
	}
	return weight, nil
}

// weigher walks the graph whose nodes are the root and the targets of references, and
// finds its strongly connected components (Tarjan), the inner ones first.
type weigher struct {
	doc      any
	patterns patterns
	nodes    map[string]*weighed
	stack    []*weighed
	count    int
}

// weighed is a node of the graph.
type weighed struct {
	patterns   patterns
	index, low int
	open       bool // on the stack: its component is not complete
	component  int
	edges      []edge
	own        int // steps of the sub-schemas that are written here
	weight     int // and those behind references
}

// edge is a reference. It is shared when something else may be held against the same
// value beside it.
type edge struct {
	to     string
	shared bool
}

func (w *weigher) visit(ref string) (*weighed, error) {
	if n, ok := w.nodes[ref]; ok {
		return n, nil
	}
	schema, err := w.resolve(ref)
	if err != nil {
		return nil, err
	}
	w.count++
	n := &weighed{patterns: w.patterns, index: w.count, low: w.count, open: true}
	w.nodes[ref] = n
	w.stack = append(w.stack, n)
	if err := n.walk(schema, false); err != nil {
		return nil, err
	}
	for _, e := range n.edges {
		to, err := w.visit(e.to)
		if err != nil {
			return nil, err
		}
		if to.open {
			n.low = min(n.low, to.low)
		}
	}
	if n.low == n.index {
		return n, w.complete(n)
	}
	return n, nil
}

// complete ends the component whose first node is n: its nodes are those above n.
func (w *weigher) complete(n *weighed) error {
	at := len(w.stack) - 1
	for w.stack[at] != n {
		at--
	}
	members := w.stack[at:]
	w.stack = w.stack[:at]
	for _, m := range members {
		m.open, m.component = false, n.index
	}
	total := 0
	for _, m := range members {
		total += m.own
		for _, e := range m.edges {
			to := w.nodes[e.to]
			switch {
			case to.component != n.index:
				total += to.weight
			case e.shared:
				return document.Coded("SCHEMA_LOOP", "reference %s comes back to itself beside other rules for the same value", e.to)
			}
			if total > weightMax {
				return document.Coded("SCHEMA_STEPS", "schema needs more than %d steps", weightMax)
			}
		}
	}
	for _, m := range members {
		m.weight = total
	}
	return nil
}

// walk gathers what a schema says itself and the references in it.
func (n *weighed) walk(schema any, shared bool) error {
	s, ok := schema.(map[string]any)
	if !ok {
		return nil
	}
	n.own += n.patterns.own(s)
	for _, k := range []string{"$id", "$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "unevaluatedProperties", "unevaluatedItems"} {
		if _, ok := s[k]; ok { // $id above all: references behind it mean something else
			return document.Coded("SCHEMA_UNSUPPORTED", "%s is not supported", k)
		}
	}
	if d, ok := s["$schema"]; ok && d != dialect { // others have keywords that are not counted here
		return document.Coded("SCHEMA_UNSUPPORTED", "%s is not supported", "$schema ≠ "+dialect)
	}
	if ref, ok := s["$ref"].(string); ok {
		if !strings.HasPrefix(ref, "#") {
			return document.Coded("SCHEMA_ELSEWHERE", "a reference must begin with #: a schema refers to itself only")
		}
		n.edges = append(n.edges, edge{ref, shared || hasOtherRules(s)})
	}
	if first, ok := wrapped(s); ok {
		return n.walk(first, shared)
	}
	for k, v := range s {
		if err := n.keyword(k, v, shared); err != nil {
			return err
		}
	}
	return nil
}

// keyword walks the schemas of one keyword. Those of properties, items and the like
// never meet at one value; the others may.
func (n *weighed) keyword(k string, v any, shared bool) error {
	switch k {
	case "items", "additionalProperties":
		return n.walk(v, shared)
	case "contains", "propertyNames", "not", "if", "then", "else":
		return n.walk(v, true)
	case "properties":
		return n.walkMap(v, shared)
	case "patternProperties", "dependentSchemas", "dependencies":
		return n.walkMap(v, true)
	case "prefixItems":
		return n.walkList(v, shared)
	case "allOf", "anyOf", "oneOf":
		return n.walkList(v, true)
	default:
		return nil // no schema, or definitions, which count where they are used
	}
}

func (n *weighed) walkMap(v any, shared bool) error {
	m, _ := v.(map[string]any)
	for _, k := range sortedKeys(m) {
		if err := n.walk(m[k], shared); err != nil {
			return err
		}
	}
	return nil
}

func (n *weighed) walkList(v any, shared bool) error {
	list, _ := v.([]any)
	for _, x := range list {
		if err := n.walk(x, shared); err != nil {
			return err
		}
	}
	return nil
}

// wrapped returns the author's schema of an anyOf that Relax added, whose other branch
// holds no schemas. That it is marked is not believed: a plugin's author may mark too.
func wrapped(s map[string]any) (any, bool) {
	list, _ := s["anyOf"].([]any)
	if s[relaxedKeyword] != true || len(list) != 2 {
		return nil, false
	}
	other, ok := list[1].(map[string]any)
	if !ok || other["$ref"] != nil || hasOtherRules(other) {
		return nil, false
	}
	for k := range s {
		if k != relaxedKeyword && k != "anyOf" && k != "$defs" && k != "definitions" {
			return nil, false
		}
	}
	return list[0], true
}

// hasOtherRules reports whether a schema has sub-schemas beside its reference.
func hasOtherRules(s map[string]any) bool {
	for k := range s {
		switch k {
		case "items", "additionalProperties", "contains", "not", "if", "properties", "patternProperties", "propertyNames",
			"dependentSchemas", "dependencies", "prefixItems", "allOf", "anyOf", "oneOf":
			return true
		}
	}
	return false
}

// resolve finds the schema that a reference names.
func (w *weigher) resolve(ref string) (any, error) {
	at, ok := find(w.doc, strings.TrimPrefix(ref, "#"))
	if !ok {
		return nil, document.Coded("SCHEMA_REFERENCE", "reference %s leads nowhere", ref)
	}
	return at, nil
}
