package main

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/culmhq/culm/pdk"
)

// SetVariablesIn sets values that later nodes use. Each value becomes an output of its
// name, which the flow maps to a variable.
type SetVariablesIn struct {
	// The values by name. A name begins with a lower-case letter and goes on with
	// lower-case letters, digits and underscores.
	Values map[string]json.RawMessage `json:"values" ui:"widget=keyvalue"`
}

// SetVariablesOut holds the values by name.
type SetVariablesOut map[string]json.RawMessage

func setVariables(_ *pdk.Ctx, in SetVariablesIn) (SetVariablesOut, error) {
	for _, n := range slices.Sorted(maps.Keys(in.Values)) {
		if !isName(n) {
			return nil, pdk.InvalidInput("values", "%q is not a name: a lower-case letter, then up to 63 of a-z, 0-9 and _", n)
		}
	}
	return in.Values, nil
}

// isName is a loop because package regexp would add half a megabyte to the module.
func isName(s string) bool {
	for i, r := range s {
		letter, other := r >= 'a' && r <= 'z', r >= '0' && r <= '9' || r == '_'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

// AssertIn fails unless a condition holds.
type AssertIn struct {
	// What must hold, as an expression.
	Condition bool `json:"condition" x:"expression=required"`
	// What the failure says.
	Message string `json:"message,omitempty" jsonschema:"maxLength=2000"`
}

// AssertOut is empty.
type AssertOut struct{}

func assert(_ *pdk.Ctx, in AssertIn) (AssertOut, error) {
	switch {
	case in.Condition:
		return AssertOut{}, nil
	case in.Message == "":
		return AssertOut{}, pdk.Fail("ASSERTION_FAILED", "the condition does not hold")
	default:
		return AssertOut{}, pdk.Fail("ASSERTION_FAILED", "%s", in.Message)
	}
}
