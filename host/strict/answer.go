package strict

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/culmhq/culm/pdk/contract"
)

// ErrAnswer is what an error of Answer wraps where the JSON is sound.
var ErrAnswer = errors.New("not an answer")

// Answer decodes the output of a call. It refuses what Check refuses, and unknown
// members; whether the members go together is for the caller.
func Answer(output []byte) (contract.Answer, error) {
	var a contract.Answer
	if err := Decode(output, &a); err != nil {
		return a, err
	}
	return a, exactMembers(output)
}

// exactMembers refuses members whose names differ from the contract's in case
// only: the decoder would take them for the real ones, and the last one wins.
func exactMembers(output []byte) error {
	var top map[string]json.RawMessage
	if err := json.Unmarshal(output, &top); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if top == nil {
		return fmt.Errorf("%w: it is null", ErrAnswer)
	}
	if err := known("", top, "status", "outputs", "failure", "wait", "state"); err != nil {
		return err
	}
	for name, members := range map[string][]string{
		"failure": {"code", "message", "origin", "retryable", "system", "operation", "http_status", "detail"},
		"wait":    {"kind", "after_ms", "at", "prompt", "schema"},
	} {
		var part map[string]json.RawMessage
		if raw, ok := top[name]; ok {
			if err := json.Unmarshal(raw, &part); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrAnswer, name, err)
			}
		}
		if err := known(name+".", part, members...); err != nil {
			return err
		}
	}
	return nil
}

// known refuses members other than names.
func known(at string, members map[string]json.RawMessage, names ...string) error {
	left := len(members)
	for _, n := range names {
		if _, ok := members[n]; ok {
			left--
		}
	}
	if left > 0 {
		return fmt.Errorf("%w: %sunknown member", ErrAnswer, at)
	}
	return nil
}
