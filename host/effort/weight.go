// Package effort bounds what a check against a JSON Schema may cost. Schemas and values may
// come from a stranger, and the server checks them itself: whatever the schema says, a check
// takes a time that is linear in the value.
package effort

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/host/document"
)

// weightMax bounds how many steps one value may take: sub-schemas, values of an enum,
// instructions of patterns. Schemas come from strangers, and a few hundred bytes of
// references that double each other would keep the server busy for ever.
const weightMax = 50_000

// dialect is the only version of JSON Schema there is.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// RelaxedKeyword marks an anyOf that allows an expression beside the author's schema, its
// first branch.
const RelaxedKeyword = "x-relaxed"

// Schema is a JSON Schema whose checks are bounded. It is immutable and safe for concurrent
// use; the zero value is not for use.
type Schema struct {
	document any
	patterns patterns
	// weight is how many steps any part of a value meets at most.
	weight int
	// notes says that checks note which parts of a value were evaluated.
	notes bool
}

// Weigh takes the schema of a form. It refuses one whose check could take more than a time
// linear in the value: one with more steps than weightMax behind its references, or one that
// comes back to itself on a path where it may come back twice for the same value; and one
// with keywords that hide what it refers to. The error is a document.Problem with the code of
// a reason. The schema is as jsonschema.UnmarshalJSON makes it, and is not changed.
func Weigh(doc any) (*Schema, error) { return weigh(doc, false) }

// WeighForeign is Weigh for the schema of an outside system, which may say what forms may
// not: what is not evaluated elsewhere, and a schema that comes back to itself however it
// likes. Of that only TooLong bounds the cost.
func WeighForeign(doc any) (*Schema, error) { return weigh(doc, true) }

func weigh(doc any, foreign bool) (*Schema, error) {
	if _, huge := measure(doc); huge {
		return nil, document.Coded("SCHEMA_UNSUPPORTED", "%s is not supported", "10^"+strconv.Itoa(exponentMax+1))
	}
	s := &Schema{document: doc, patterns: patterns{}}
	s.patterns.gather(doc)
	w := &weigher{doc: doc, patterns: s.patterns, foreign: foreign, nodes: map[string]*weighed{}}
	if _, err := w.visit("#"); err != nil {
		return nil, err
	}
	s.weight, s.notes = w.nodes["#"].weight, w.notes
	if s.weight > weightMax && s.weight != unbounded {
		return nil, tooHeavy()
	}
	return s, nil
}

// unbounded is the weight of a schema that comes back to itself for the same value.
const unbounded = math.MaxInt32

func tooHeavy() error {
	return document.Coded("SCHEMA_STEPS", "schema needs more than %d steps", weightMax)
}

// weigher walks the graph whose nodes are the root and the targets of references, and
// finds its strongly connected components (Tarjan), the inner ones first.
type weigher struct {
	doc      any
	patterns patterns
	foreign  bool
	notes    bool // the schema has keywords for what is not evaluated elsewhere
	nodes    map[string]*weighed
	stack    []*weighed
	count    int
}

// weighed is a node of the graph.
type weighed struct {
	by         *weigher
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
	n := &weighed{by: w, index: w.count, low: w.count, open: true}
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
	total, err := w.total(members)
	if err != nil {
		return err
	}
	for _, m := range members {
		m.weight = total
	}
	return nil
}

// total is the weight of each node of a component: what all of them say, and what is behind
// them.
func (w *weigher) total(members []*weighed) (int, error) {
	total, endless := 0, false
	for _, m := range members {
		total += m.own
		for _, e := range m.edges {
			to := w.nodes[e.to]
			switch {
			case to.component == m.component && e.shared && !w.foreign:
				return 0, document.Coded("SCHEMA_LOOP", "reference %s comes back to itself beside other rules for the same value", e.to)
			case to.component == m.component:
				endless = endless || e.shared
			case to.weight == unbounded:
				endless = true
			default:
				total += to.weight
			}
			if total > weightMax {
				return 0, tooHeavy()
			}
		}
	}
	if endless {
		return unbounded, nil
	}
	return total, nil
}

// walk gathers what a schema says itself and the references in it.
func (n *weighed) walk(schema any, shared bool) error {
	s, ok := schema.(map[string]any)
	if !ok {
		return nil
	}
	n.own += n.by.patterns.own(s)
	if k, ok := n.by.unsupported(s); ok {
		return document.Coded("SCHEMA_UNSUPPORTED", "%s is not supported", k)
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
	if first, other, ok := wrapped(s); ok {
		n.own += n.by.patterns.own(other)
		return n.walk(first, shared)
	}
	for k, v := range s {
		if err := n.keyword(k, v, shared); err != nil {
			return err
		}
	}
	return nil
}

// unsupported returns the first keyword that is not counted, or false. References behind an
// $id mean something else.
func (w *weigher) unsupported(s map[string]any) (string, bool) {
	for _, k := range []string{"$id", "$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor"} {
		if _, ok := s[k]; ok {
			return k, true
		}
	}
	for _, k := range []string{"unevaluatedProperties", "unevaluatedItems"} {
		if _, ok := s[k]; ok && !w.foreign {
			return k, true
		} else if ok {
			w.notes = true
		}
	}
	return "", false
}

// keyword walks the schemas of one keyword. Those of properties, items and the like
// never meet at one value; the others may.
func (n *weighed) keyword(k string, v any, shared bool) error {
	switch k {
	case "items", "additionalProperties":
		return n.walk(v, shared)
	case "contains", "propertyNames", "not", "if", "then", "else", "unevaluatedProperties", "unevaluatedItems":
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
	for _, k := range slices.Sorted(maps.Keys(m)) {
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

// wrapped returns the author's schema of an anyOf that a form was relaxed with, and the other
// branch, which holds no schemas. That it is marked is not believed: a plugin's author may mark too.
func wrapped(s map[string]any) (first any, other map[string]any, ok bool) {
	list, _ := s["anyOf"].([]any)
	if s[RelaxedKeyword] != true || len(list) != 2 {
		return nil, nil, false
	}
	other, ok = list[1].(map[string]any)
	if !ok || other["$ref"] != nil || hasOtherRules(other) {
		return nil, nil, false
	}
	for k := range s {
		if k != RelaxedKeyword && k != "anyOf" && k != "$defs" && k != "definitions" {
			return nil, nil, false
		}
	}
	return list[0], other, true
}

// hasOtherRules reports whether a schema has sub-schemas beside its reference.
func hasOtherRules(s map[string]any) bool {
	for k := range s {
		switch k {
		case "items", "additionalProperties", "contains", "not", "if", "properties", "patternProperties", "propertyNames",
			"dependentSchemas", "dependencies", "prefixItems", "allOf", "anyOf", "oneOf", "unevaluatedProperties", "unevaluatedItems":
			return true
		}
	}
	return false
}

// resolve finds the schema that a reference names.
func (w *weigher) resolve(ref string) (any, error) {
	at, ok := Find(w.doc, strings.TrimPrefix(ref, "#"))
	if !ok || ref != "#" && !strings.HasPrefix(ref, "#/") { // of an anchor it is not known here where it is
		return nil, document.Coded("SCHEMA_REFERENCE", "reference %s leads nowhere", ref)
	}
	return at, nil
}
