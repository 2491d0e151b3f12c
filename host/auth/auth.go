// Package auth decides what an actor may do on this server. There is one actor until there
// is a login, and the configuration says which rights it does not have; roles of people in
// projects are to come into the same Policy. Who asks it is host/api, in one place: where
// the table of routes is served. Values are immutable and safe for concurrent use.
package auth

import (
	"fmt"
	"slices"

	"github.com/culmhq/culm/host/fault"
)

// Local is the actor of every request until there is a login, and of the program itself.
const Local = "local"

// Right names what somebody may do, as it is written in the configuration and shown to
// people. Names are stable.
type Right string

// The rights.
const (
	// PluginPublish is to bring a version of a plugin into the installation: to upload it,
	// to have it pulled from a registry, and to add signatures to it.
	PluginPublish Right = "plugin:publish"
	// PluginApprove is to decide what the installed plugins may do: to approve, activate,
	// withdraw and block versions, to end the trust in a key, to grant operations, and to
	// switch a plugin on or off in a project.
	PluginApprove Right = "plugin:approve"
)

// Rights returns all rights, in the order in which they are listed.
func Rights() []Right { return []Right{PluginPublish, PluginApprove} }

// Names returns the names of all rights, as the configuration takes them.
func Names() []string {
	names := make([]string, len(Rights()))
	for i, r := range Rights() {
		names[i] = string(r)
	}
	return names
}

// Policy says who has which rights. The zero Policy gives nobody any.
type Policy struct {
	held map[string][]Right // by actor
}

// NewPolicy gives Local all rights but those that are named, and nobody else any. A name
// that is no right is an error: what should have been denied would be allowed.
func NewPolicy(denied []string) (Policy, error) {
	held := Rights()
	for _, name := range denied {
		if !slices.Contains(Names(), name) {
			return Policy{}, fmt.Errorf("auth: %q is no right", name)
		}
		held = slices.DeleteFunc(held, func(r Right) bool { return string(r) == name })
	}
	return Policy{held: map[string][]Right{Local: held}}, nil
}

// Held returns the rights that an actor has, in the order of Rights. Without any it is
// empty, never nil.
func (p Policy) Held(actor string) []Right { return append([]Right{}, p.held[actor]...) }

// Check lets an actor do what needs a right, or returns a fault.Forbidden that names both.
// What nobody was given, is no right, or is no actor, is refused.
func (p Policy) Check(actor string, right Right) error {
	if slices.Contains(p.held[actor], right) {
		return nil
	}
	return fault.New(fault.Forbidden, "this needs the right %s, which %s does not have on this server", right, actor).Because("RIGHT")
}
