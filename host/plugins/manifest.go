package plugins

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"golang.org/x/mod/semver"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/foreign"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/pdk/contract"
)

// Plugins are named as systems are, and actions as operations.
var (
	pluginPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)
	actionPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// wildcard in a need stands for any system or any operation.
const wildcard = "*"

// actionsMax bounds the actions of one plugin.
const actionsMax = 200

// check refuses a manifest that this host cannot offer, with the field that is wrong.
func check(m *contract.Manifest) error {
	switch {
	case m == nil:
		return fault.At("/manifest", "is missing").Because("MISSING")
	case m.Format != contract.ManifestFormat:
		return fault.At("/manifest/format", "must be %s", contract.ManifestFormat).Because("MUST_BE")
	case !pluginPattern.MatchString(m.ID):
		return fault.At("/manifest/id", "an id is a lower-case letter, then up to 63 of [a-z0-9-]").Because("ID")
	case !semver.IsValid("v" + m.Version):
		return fault.At("/manifest/version", "must be a semantic version such as 1.2.0").Because("SEMVER")
	case m.Title.IsZero():
		return fault.At("/manifest/title", "is missing").Because("MISSING")
	case len(m.Actions) == 0 || len(m.Actions) > actionsMax:
		return fault.At("/manifest/actions", "a plugin has from 1 to %d actions", actionsMax).Because("ACTIONS")
	}
	if err := checkActions(m); err != nil {
		return err
	}
	return checkNeeds(m.Needs)
}

func checkActions(m *contract.Manifest) error {
	seen := map[string]bool{}
	for i := range m.Actions {
		at := fmt.Sprintf("/manifest/actions/%d", i)
		if seen[m.Actions[i].ID] {
			return fault.At(at+"/id", "is given twice").Because("TWICE")
		}
		seen[m.Actions[i].ID] = true
		if err := checkAction(at, &m.Actions[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkNeeds(needs []contract.Need) error {
	for i, n := range needs {
		at := fmt.Sprintf("/manifest/needs/%d", i)
		if n.System != wildcard && !pluginPattern.MatchString(n.System) {
			return fault.At(at+"/system", "must name a system, or be *").Because("NEED_SYSTEM")
		}
		if n.Operation != wildcard && !actionPattern.MatchString(n.Operation) {
			return fault.At(at+"/operation", "must name an operation, or be *").Because("NEED_OPERATION")
		}
	}
	return nil
}

func checkAction(at string, a *contract.Action) error {
	if !actionPattern.MatchString(a.ID) {
		return fault.At(at+"/id", "an id is a lower-case letter, then up to 63 of [a-z0-9_]").Because("ACTION_ID")
	}
	if a.TimeoutMS < 0 {
		return fault.At(at+"/timeout_ms", "must not be negative").Because("NEGATIVE")
	}
	if err := checkSchema(at+"/inputs", a.Inputs); err != nil {
		return err
	}
	if err := checkSchema(at+"/outputs", a.Outputs); err != nil {
		return err
	}
	if ps := foreign.Check(a); len(ps) > 0 {
		return fault.At(at+ps[0].Field, "%s", ps[0].Message())
	}
	for i, w := range a.Waits {
		switch w {
		case contract.WaitPoll, contract.WaitTimer, contract.WaitCallback, contract.WaitHuman:
		default:
			return fault.At(fmt.Sprintf("%s/waits/%d", at, i), "must be poll, timer, callback or human").Because("CHOICE")
		}
	}
	return nil
}

// checkSchema refuses what is no JSON Schema of an object, also where the type is
// behind a reference.
func checkSchema(at string, schema json.RawMessage) error {
	if len(schema) == 0 {
		return fault.At(at, "is missing: an action without any has {\"type\":\"object\"}").Because("SCHEMA_MISSING")
	}
	f, err := forms.Parse(schema)
	if err != nil {
		return fault.At(at, "%s", err)
	}
	if len(f.Check(json.RawMessage(`[]`))) == 0 {
		return fault.At(at, "must be of type object").Because("OBJECT")
	}
	if _, err := forms.ParseRelaxed(schema); err != nil {
		return fault.At(at, "%s", err)
	}
	return nil
}

// Covers reports whether a need, which may name any system or operation with "*", is met by a
// grant.
func Covers(n contract.Need, g Grant) bool {
	return (n.System == wildcard || n.System == g.System) && (n.Operation == wildcard || n.Operation == g.Operation)
}

// grantable refuses a grant that the manifest does not ask for, or that names no
// single operation.
func grantable(m *contract.Manifest, i int, g Grant) error {
	at := fmt.Sprintf("/grants/%d", i)
	if !pluginPattern.MatchString(g.System) {
		return fault.At(at+"/system", "must name a system").Because("GRANT_SYSTEM")
	}
	if !actionPattern.MatchString(g.Operation) {
		return fault.At(at+"/operation", "must name an operation: what is granted is granted by name").Because("GRANT_OPERATION")
	}
	if slices.ContainsFunc(m.Needs, func(n contract.Need) bool { return Covers(n, g) }) {
		return nil
	}
	return fault.At(at, "plugin %s does not ask for %s/%s", m.ID, g.System, g.Operation).Because("GRANT_NOT_ASKED")
}

// refused makes a fault.Invalid of an inspector's refusal.
func refused(err error) error {
	var f *contract.Failure
	if errors.As(err, &f) {
		e := fault.At("/module", "%s (%s)", f.Message, f.Code).Because("MODULE_REFUSED")
		e.Cause = err
		return e
	}
	var e *fault.Error
	if errors.As(err, &e) {
		return err
	}
	return fault.Wrap("inspect module", err)
}
