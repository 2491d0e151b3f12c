// Package openapi reads the operations of a system from an OpenAPI 3.0 or 3.1 document.
//
// The document is data from outside: it is bounded in size, depth and number of
// operations, refers to nothing but itself, and grants nothing. What an operation of the
// document needs that a call cannot carry is left out and named.
package openapi

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/systems"
)

// The limits of a document.
const (
	// MaxBytes is the size of the largest document; YAML has the limit of
	// document.MaxBytes.
	MaxBytes = 32 << 20
	// OperationsMax is how many operations a document may have.
	OperationsMax = 5000
	depthMax      = 100
	refsMax       = 32
)

// Document is what was read. Operations are by path and method, and neither disabled nor
// checked by systems.Compile.
type Document struct {
	// OpenAPI is the version of the format, Title and Version are the document's own.
	OpenAPI, Title, Version string
	// Digest is "sha256:" and the hash of the bytes in hex.
	Digest string
	// Servers are the addresses that it names, with the defaults of their variables.
	Servers []string
	// Auth is the way to authenticate that most operations name and that the gateway knows.
	Auth       systems.Auth
	Operations []systems.Operation
	Schemas    map[string]json.RawMessage
	// Skipped are the operations that cannot be called.
	Skipped []Skipped
}

// Skipped is an operation that was left out, or a part of one.
type Skipped struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	// Part names what was left out of an operation that can be called; empty for the whole.
	Part string `json:"part,omitempty"`
	// In and Of say the same apart: "body", or the place of a parameter, and its name. Of names
	// the parameter too where it keeps the whole operation out.
	In string `json:"in,omitempty"`
	Of string `json:"of,omitempty"`
	// Reason is for people, in English; clients translate by Code, with Args. Both are empty
	// where another reader found it.
	Reason string            `json:"reason"`
	Code   string            `json:"code,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
}

// Read reads a document in JSON or YAML. The error says what is wrong with it; one about
// YAML is of type document.Problems.
func Read(data []byte) (*Document, error) {
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	r := &reader{root: root, schemas: map[string]json.RawMessage{}}
	version := text(root["openapi"])
	switch {
	case strings.HasPrefix(version, "3.0."):
	case strings.HasPrefix(version, "3.1."):
		r.v31 = true
	case text(root["swagger"]) != "":
		return nil, flawed(CodeDocumentSwagger, "is Swagger 2: convert it to OpenAPI 3 first")
	case version == "":
		return nil, flawed(CodeDocumentOther, "is not an OpenAPI document: it has no field openapi")
	default:
		return nil, flawed(CodeDocumentVersion, "is OpenAPI %s: 3.0 and 3.1 are read", clip(version, 20))
	}
	info := object(root["info"])
	sum := sha256.Sum256(data)
	out := &Document{
		OpenAPI: version, Title: clip(text(info["title"]), titleMax), Version: clip(text(info["version"]), titleMax),
		Digest: "sha256:" + hex.EncodeToString(sum[:]), Servers: servers(root["servers"]),
	}
	if err := r.operations(out); err != nil {
		return nil, err
	}
	out.Auth = r.auth()
	out.Schemas = r.schemas
	return out, nil
}

func parse(data []byte) (map[string]any, error) {
	if len(data) > MaxBytes {
		return nil, flawed(CodeDocumentLarge, "is larger than %d bytes", MaxBytes)
	}
	raw := json.RawMessage(bytes.TrimSpace(data))
	if len(raw) == 0 {
		return nil, flawed(CodeDocumentEmpty, "is empty")
	}
	if raw[0] != '{' {
		if len(data) > document.MaxBytes {
			return nil, flawed(CodeDocumentYAML, "is larger than %d bytes, which is the limit of YAML: use its JSON form", document.MaxBytes)
		}
		if _, err := document.Decode(data, &raw); err != nil {
			return nil, err
		}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var root map[string]any
	if err := d.Decode(&root); err != nil || d.More() {
		return nil, flawed(CodeDocumentForm, "is not one object in JSON or YAML")
	}
	if !shallow(root, 0) {
		return nil, flawed(CodeDocumentDeep, "is nested more than %d deep", depthMax)
	}
	return root, nil
}

// shallow reports whether a value can be walked by recursion.
func shallow(v any, depth int) bool {
	if depth > depthMax {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			if !shallow(x, depth+1) {
				return false
			}
		}
	case []any:
		for _, x := range v {
			if !shallow(x, depth+1) {
				return false
			}
		}
	}
	return true
}

// reader is the reading of one document.
type reader struct {
	root    map[string]any
	v31     bool
	schemas map[string]json.RawMessage
	// schemes counts how many operations name each security scheme.
	schemes map[string]int
}

// resolve follows references to where the value is. It is the document's own values only.
func (r *reader) resolve(v any) (map[string]any, error) {
	for range refsMax {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, flawed(CodeReferenceObject, "is not an object")
		}
		ref, ok := m["$ref"].(string)
		if !ok {
			return m, nil
		}
		var err error
		if v, err = r.at(ref); err != nil {
			return nil, err
		}
	}
	return nil, flawed(CodeReferenceLoop, "refers to itself")
}

// at returns what a reference points to.
func (r *reader) at(ref string) (any, error) {
	pointer, ok := strings.CutPrefix(ref, "#/")
	if !ok {
		return nil, flawed(CodeReferenceOutside, "refers to another document, which is not read")
	}
	var v any = r.root
	for token := range strings.SplitSeq(pointer, "/") {
		token = unescape(token)
		switch x := v.(type) {
		case map[string]any:
			v, ok = x[token]
		case []any:
			v, ok = item(x, token)
		default:
			ok = false
		}
		if !ok {
			return nil, flawed(CodeReferenceMissing, "refers to %s, which is not there", clip(ref, 100))
		}
	}
	return v, nil
}

func servers(v any) []string {
	var out []string
	for _, s := range list(v) {
		m := object(s)
		url := text(m["url"])
		for name, variable := range object(m["variables"]) {
			url = strings.ReplaceAll(url, "{"+name+"}", text(object(variable)["default"]))
		}
		url = strings.TrimRight(url, "/")
		if _, err := systems.ParseBaseURL(url); err == nil && !slices.Contains(out, url) {
			out = append(out, url)
		}
	}
	return out
}
