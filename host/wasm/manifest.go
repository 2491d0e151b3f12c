package wasm

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/culmhq/culm/host/foreign"
	"github.com/culmhq/culm/host/strict"
	"github.com/culmhq/culm/pdk/contract"
)

// Forms of the names in a manifest.
var (
	pluginIDForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	actionIDForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	versionForm  = regexp.MustCompile(`^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
	needForm     = regexp.MustCompile(`^(\*|[A-Za-z][A-Za-z0-9_.-]{0,127})$`)
)

// Bounds of a manifest.
const (
	actionsMax     = 200
	needsMax       = 500
	schemaBytesMax = 256 << 10
)

// ParseManifest decodes and checks a manifest. The error joins every problem, each
// with the field it is about; unknown fields are refused.
func ParseManifest(raw []byte) (*contract.Manifest, error) {
	var m contract.Manifest
	if err := strict.Decode(raw, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	c := manifestChecker{}
	c.check(m.Format == contract.ManifestFormat, "format", "must be %q", contract.ManifestFormat)
	c.check(pluginIDForm.MatchString(m.ID), "id", "must be a lower-case letter and up to 63 of a-z, 0-9 and -")
	c.check(versionForm.MatchString(m.Version) && len(m.Version) <= 64, "version", "must be a semantic version")
	c.check(!m.Title.IsZero(), "title", "is missing")
	c.check(len(m.Actions) > 0 && len(m.Actions) <= actionsMax, "actions", "must have 1 to %d entries", actionsMax)
	seen := map[string]bool{}
	for i := range m.Actions {
		c.action(fmt.Sprintf("actions[%d]", i), &m.Actions[i], seen)
	}
	c.check(len(m.Needs) <= needsMax, "needs", "must have at most %d entries", needsMax)
	for i, n := range m.Needs {
		at := fmt.Sprintf("needs[%d]", i)
		c.check(needForm.MatchString(n.System), at+".system", "must name a system or be *")
		c.check(needForm.MatchString(n.Operation), at+".operation", "must name an operation or be *")
	}
	if l := m.Limits; l != nil {
		c.check(l.MemoryBytes >= 0 && l.OutputBytes >= 0 && l.LogBytes >= 0 && l.HostCalls >= 0 && l.TimeoutMS >= 0,
			"limits", "must not be negative")
	}
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	return &m, nil
}

// errManifest is the sentinel of every problem of a manifest.
var errManifest = errors.New("manifest")

// manifestChecker gathers problems.
type manifestChecker struct{ problems []error }

func (c *manifestChecker) check(ok bool, field, format string, args ...any) {
	if !ok {
		c.problems = append(c.problems, fmt.Errorf("%w: %s %s", errManifest, field, fmt.Sprintf(format, args...)))
	}
}

// action checks one action.
func (c *manifestChecker) action(at string, a *contract.Action, seen map[string]bool) {
	c.check(actionIDForm.MatchString(a.ID), at+".id", "must be a lower-case letter and up to 63 of a-z, 0-9 and _")
	c.check(!seen[a.ID], at+".id", "%q occurs twice", clean(a.ID, 64))
	seen[a.ID] = true
	c.check(!a.Title.IsZero(), at+".title", "is missing")
	c.check(a.TimeoutMS >= 0, at+".timeout_ms", "must not be negative")
	for j, w := range a.Waits {
		c.check(knownWait(w), fmt.Sprintf("%s.waits[%d]", at, j), "must be poll, timer, callback or human")
	}
	for _, p := range foreign.Check(a) {
		c.check(false, at+strings.ReplaceAll(p.Field, "/", "."), "%s", p.Message())
	}
	c.schema(at+".inputs", a.Inputs)
	c.schema(at+".outputs", a.Outputs)
}

func knownWait(w contract.WaitKind) bool {
	switch w {
	case contract.WaitPoll, contract.WaitTimer, contract.WaitCallback, contract.WaitHuman:
		return true
	case contract.WaitRun: // the host's own
	}
	return false
}

// schema checks that a schema is an object schema that refers to nothing outside
// itself: a reference to a file or an address must never be followed.
func (c *manifestChecker) schema(at string, raw json.RawMessage) {
	if len(raw) > schemaBytesMax {
		c.check(false, at, "is %d bytes, at most %d are allowed", len(raw), schemaBytesMax)
		return
	}
	var s any
	if err := json.Unmarshal(raw, &s); err != nil {
		c.check(false, at, "is missing")
		return
	}
	o, ok := s.(map[string]any)
	c.check(ok && o["type"] == "object", at, `must be a JSON Schema with "type": "object"`)
	c.references(at, s)
}

// references looks for references to elsewhere, however deep.
func (c *manifestChecker) references(at string, s any) {
	switch s := s.(type) {
	case []any:
		for _, e := range s {
			c.references(at, e)
		}
	case map[string]any:
		for k, e := range s {
			ref, isText := e.(string)
			if isText && (k == "$ref" || k == "$dynamicRef" || k == "$recursiveRef") {
				c.check(strings.HasPrefix(ref, "#"), at, "refers to %q: only references within the schema are allowed", clean(ref, 80))
			}
			c.references(at, e)
		}
	}
}
