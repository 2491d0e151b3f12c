package build

import (
	"bytes"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/foreign"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/pdk/contract"
)

// maxManifestBytes bounds a manifest.
const maxManifestBytes = 1 << 20

// ParseManifest decodes a manifest strictly, from JSON or YAML, and checks it. Every
// problem is there at once, a *FieldError with its place in raw.
func ParseManifest(raw []byte) (contract.Manifest, error) {
	var m contract.Manifest
	if len(raw) > maxManifestBytes {
		return m, &FieldError{Problem: document.Coded("MANIFEST_TOO_LARGE",
			"the manifest has %d bytes, at most %d are allowed", len(raw), maxManifestBytes)}
	}
	src, err := document.Decode(raw, &m)
	if json.Valid(raw) && (err == nil || !placed(err)) {
		// JSON is taken as it stands. It may also hold what YAML does not read, such as
		// escaped surrogates; then nothing is known of places.
		m = contract.Manifest{}
		err = decodeJSON(raw, &m)
	}
	if err != nil {
		return m, asFields(err)
	}
	return m, at(src, CheckManifest(m))
}

// placed reports whether an error names a field.
func placed(err error) bool {
	all := FieldErrors(asFields(err))
	return len(all) > 0 && all[0].Field != ""
}

func decodeJSON(raw []byte, m *contract.Manifest) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return &FieldError{Problem: document.Coded("MANIFEST_UNREADABLE", "the manifest: %s", err)}
	}
	return nil
}

// CheckManifest returns everything that is wrong with a manifest, joined; each error is
// a *FieldError.
func CheckManifest(m contract.Manifest) error {
	profile, err := forms.NewProfile()
	if err != nil {
		return err
	}
	c := &checker{profile: profile}
	if m.Format != contract.ManifestFormat {
		c.add("/format", "MANIFEST_FORMAT", "is %q, this version reads %q", m.Format, contract.ManifestFormat)
	}
	c.match("/id", m.ID, `^[a-z][a-z0-9-]{0,63}$`, "MANIFEST_ID", "a lower-case letter, then up to 63 of a-z, 0-9 and -")
	c.match("/version", m.Version, semver, "MANIFEST_VERSION", "a semantic version such as 1.2.0, without v")
	if m.Title.IsZero() {
		c.add("/title", "MANIFEST_REQUIRED", "is required")
	}
	c.icon("/icon", m.Icon)
	if len(m.Actions) == 0 {
		c.add("/actions", "MANIFEST_EMPTY", "must not be empty")
	}
	seen := map[string]bool{}
	for i, a := range m.Actions {
		at := "/actions/" + strconv.Itoa(i)
		if seen[a.ID] {
			c.add(at+"/id", "MANIFEST_TWICE", "%q is there twice", a.ID)
		}
		seen[a.ID] = true
		c.action(at, a)
	}
	for i, n := range m.Needs {
		c.need("/needs/"+strconv.Itoa(i), n)
	}
	c.limits(m.Limits)
	return errors.Join(c.problems...)
}

// checkExports compares what a manifest promises with what its module exports.
func checkExports(module []byte, m contract.Manifest) error {
	names, err := Exports(module)
	if err != nil {
		return err
	}
	c := &checker{}
	for i, a := range m.Actions {
		at := "/actions/" + strconv.Itoa(i)
		for _, promise := range []struct {
			made          bool
			field, export string
		}{
			{a.Foreign == nil, at, contract.ExportExecute},
			{a.Foreign != nil, at + "/foreign/export", exportOf(a.Foreign)},
			{len(a.Waits) > 0, at + "/waits", contract.ExportResume},
			{a.Cancel, at + "/cancel", contract.ExportCancel},
			{a.Rollback, at + "/rollback", contract.ExportRollback},
			{a.Options, at + "/options", contract.ExportOptions},
		} {
			if promise.made && !slices.Contains(names, promise.export) {
				c.add(promise.field, "MANIFEST_NO_EXPORT", "the module does not export %s", promise.export)
			}
		}
	}
	http, err := importsHTTP(module)
	if err != nil {
		return err
	}
	if http && len(m.Needs) == 0 {
		c.add("/needs", "MANIFEST_HTTP", "the module imports http_request: name the operations of systems that its requests are")
	}
	return errors.Join(c.problems...)
}

// exportOf is the export that a foreign action names.
func exportOf(f *contract.Foreign) string {
	if f == nil {
		return ""
	}
	return f.Export
}

const semver = `^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)` +
	`(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?` +
	`(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$`

// checker collects problems.
type checker struct {
	problems []error
	profile  *forms.Profile
}

// add notes a problem; args are those of the message and, named a, b and so on, of the code.
func (c *checker) add(field, code, format string, args ...any) {
	c.put(field, document.Coded(code, format, args...))
}

func (c *checker) put(field string, p document.Problem) {
	p.Field = field
	c.problems = append(c.problems, &FieldError{Problem: p})
}

// match wants a value of a form, which is said by a code of its own.
func (c *checker) match(field, value, pattern, code, meaning string) {
	const says = "%q is not %s"
	if !regexp.MustCompile(pattern).MatchString(value) {
		c.add(field, code, says, value, meaning)
	}
}

// schema checks the schema of an action against the profile of forms.
func (c *checker) schema(at string, raw json.RawMessage) {
	for _, p := range c.profile.Check(raw) {
		c.put(at+p.Field, p)
	}
}

func (c *checker) icon(field, icon string) {
	if icon != "" {
		c.match(field, icon, `^[a-z][a-z0-9-]{0,63}$`, "MANIFEST_ICON", "the name of an icon")
	}
}

func (c *checker) action(at string, a contract.Action) {
	c.match(at+"/id", a.ID, `^[a-z][a-z0-9_]{0,63}$`, "MANIFEST_ACTION_ID", "a lower-case letter, then up to 63 of a-z, 0-9 and _")
	if a.Title.IsZero() {
		c.add(at+"/title", "MANIFEST_REQUIRED", "is required")
	}
	c.icon(at+"/icon", a.Icon)
	c.schema(at+"/inputs", a.Inputs)
	c.schema(at+"/outputs", a.Outputs)
	for _, source := range forms.Sources(a.Inputs) {
		if !a.Options {
			c.add(at+"/inputs"+source.Field+"/x-source", "MANIFEST_NO_OPTIONS", "the action offers no choices: options is not set")
		}
	}
	kinds := []string{string(contract.WaitPoll), string(contract.WaitTimer), string(contract.WaitCallback), string(contract.WaitHuman)}
	for i, w := range a.Waits {
		field := at + "/waits/" + strconv.Itoa(i)
		if !slices.Contains(kinds, string(w)) {
			c.add(field, "MANIFEST_WAIT", "%q is none of %s", w, strings.Join(kinds, ", "))
		}
		if slices.Contains(a.Waits[:i], w) {
			c.add(field, "MANIFEST_TWICE", "%q is there twice", w)
		}
	}
	if a.TimeoutMS < 0 {
		c.add(at+"/timeout_ms", "MANIFEST_NEGATIVE", "must not be negative")
	}
	for _, p := range foreign.Check(&a) {
		c.add(at+p.Field, p.Code, p.Format, p.Args...)
	}
}

func (c *checker) need(at string, n contract.Need) {
	name := `^(\*|[a-z][a-z0-9_-]{0,63})$`
	c.match(at+"/system", n.System, name, "MANIFEST_SYSTEM", "the id of a system, or *")
	c.match(at+"/operation", n.Operation, name, "MANIFEST_OPERATION", "the id of an operation, or *")
}

func (c *checker) limits(l *contract.Limits) {
	if l == nil {
		return
	}
	for _, v := range []struct {
		field string
		value int64
	}{
		{"memory_bytes", l.MemoryBytes},
		{"output_bytes", l.OutputBytes},
		{"log_bytes", l.LogBytes},
		{"host_calls", int64(l.HostCalls)},
		{"timeout_ms", l.TimeoutMS},
	} {
		if v.value < 0 {
			c.add("/limits/"+v.field, "MANIFEST_NEGATIVE", "must not be negative")
		}
	}
}
