package strict

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

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
	if err := known("", top, reflect.TypeFor[contract.Answer]()); err != nil {
		return err
	}
	for name, t := range map[string]reflect.Type{
		"failure": reflect.TypeFor[contract.Failure](),
		"wait":    reflect.TypeFor[contract.Wait](),
	} {
		var part map[string]json.RawMessage
		if raw, ok := top[name]; ok {
			if err := json.Unmarshal(raw, &part); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrAnswer, name, err)
			}
		}
		if err := known(name+".", part, t); err != nil {
			return err
		}
	}
	return nil
}

// known refuses members that are no fields of a struct.
func known(at string, members map[string]json.RawMessage, of reflect.Type) error {
	left := len(members)
	for i := 0; left > 0 && i < of.NumField(); i++ {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		if _, ok := members[name]; ok {
			left--
		}
	}
	if left > 0 {
		return fmt.Errorf("%w: %sunknown member", ErrAnswer, at)
	}
	return nil
}
