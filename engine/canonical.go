package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Canonical returns the one JSON form of a document: fields in the order of the
// types, keys of free objects sorted, no white space, absent and empty lists alike.
// Numbers keep their spelling. Its subflows are written in the same way.
func Canonical(f *Flow) []byte { return mustJSON(canonical(f)) }

func canonical(f *Flow) *Flow {
	c := *f
	if c.Nodes == nil {
		c.Nodes = []Node{}
	}
	if c.Edges == nil {
		c.Edges = []Edge{}
	}
	c.Variables = make([]Variable, len(f.Variables))
	for i, v := range f.Variables {
		v.Schema, v.Value = sorted(v.Schema), sorted(v.Value)
		c.Variables[i] = v
	}
	c.Nodes = make([]Node, len(f.Nodes))
	for i, n := range f.Nodes {
		if len(n.Inputs) > 0 {
			inputs := make(map[string]json.RawMessage, len(n.Inputs))
			for name, raw := range n.Inputs {
				inputs[name] = sorted(raw)
			}
			n.Inputs = inputs
		}
		c.Nodes[i] = n
	}
	if len(f.Subflows) > 0 {
		c.Subflows = make(map[string]*Flow, len(f.Subflows))
		for reference, sub := range f.Subflows {
			if sub != nil {
				sub = canonical(sub)
			}
			c.Subflows[reference] = sub
		}
	}
	return &c
}

// sorted writes free JSON with sorted keys; what is not JSON becomes null, so that a
// document can always be written.
func sorted(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return json.RawMessage("null")
	}
	return mustJSON(v)
}

// Digest returns "sha256:" and the hash of the canonical document. It covers
// everything in it, positions and texts too: a digest names a stored version, and
// whoever asks for it by that name must get the same drawing back.
func Digest(f *Flow) string {
	sum := sha256.Sum256(Canonical(f))
	return "sha256:" + hex.EncodeToString(sum[:])
}
