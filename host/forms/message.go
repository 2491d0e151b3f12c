package forms

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// message says for people what a value must be, and what of that comes from the schema. It
// uses what the schema wants and never what the value is: that may be a secret, or long.
func message(k jsonschema.ErrorKind) (text, want string) {
	switch k := k.(type) {
	case *kind.Type:
		return "must be " + alternatives(k.Want), strings.Join(k.Want, "/")
	case *kind.Enum:
		return saying("must be one of %s", values(k.Want))
	case *kind.Const:
		return saying("must be %s", values([]any{k.Want}))
	case *kind.Format:
		return saying("must be a valid %s", k.Want)
	case *kind.Pattern:
		return saying("must match %s", k.Want)
	case *kind.FalseSchema:
		return "is not allowed here", ""
	case *kind.Not:
		return "is a value that is not allowed", ""
	case *kind.UniqueItems:
		return fmt.Sprintf("items %d and %d are the same", k.Duplicates[0], k.Duplicates[1]), ""
	case *kind.Contains, *kind.MinContains, *kind.MaxContains:
		return "holds the wrong number of required items", ""
	case *kind.PropertyNames:
		return "has a field whose name is not allowed", ""
	default:
		if text, want = size(k); text != "" {
			return text, want
		}
		return "is not valid: " + keyword(k), ""
	}
}

// size is message for what is too much or too little.
func size(k jsonschema.ErrorKind) (text, want string) {
	switch k := k.(type) {
	case *kind.MinLength:
		return saying("must be at least %s characters long", strconv.Itoa(k.Want))
	case *kind.MaxLength:
		return saying("must be at most %s characters long", strconv.Itoa(k.Want))
	case *kind.MinItems:
		return saying("must have at least %s items", strconv.Itoa(k.Want))
	case *kind.MaxItems:
		return saying("must have at most %s items", strconv.Itoa(k.Want))
	case *kind.MinProperties:
		return saying("must have at least %s fields", strconv.Itoa(k.Want))
	case *kind.MaxProperties:
		return saying("must have at most %s fields", strconv.Itoa(k.Want))
	case *kind.Minimum:
		return saying("must be at least %s", number(k.Want))
	case *kind.Maximum:
		return saying("must be at most %s", number(k.Want))
	case *kind.ExclusiveMinimum:
		return saying("must be more than %s", number(k.Want))
	case *kind.ExclusiveMaximum:
		return saying("must be less than %s", number(k.Want))
	case *kind.MultipleOf:
		return saying("must be a multiple of %s", number(k.Want))
	default:
		return "", ""
	}
}

// saying fills into a message what the schema wants, and returns both.
func saying(format, want string) (string, string) { return fmt.Sprintf(format, want), want }

func alternatives(types []string) string {
	names := make([]string, len(types))
	for i, t := range types {
		switch t {
		case "integer":
			names[i] = "a whole number"
		case "object":
			names[i] = "an object"
		case "array":
			names[i] = "a list"
		case "boolean":
			names[i] = "true or false"
		case "string":
			names[i] = "a text"
		case "null":
			names[i] = "null"
		default:
			names[i] = "a " + t
		}
	}
	return strings.Join(names, " or ")
}

// shownMax bounds how many choices a message lists.
const shownMax = 20

func values(want []any) string {
	var parts []string
	for i, v := range want {
		if i == shownMax {
			parts = append(parts, "...")
			break
		}
		b, err := json.Marshal(v)
		if err != nil {
			continue
		}
		parts = append(parts, string(b))
	}
	return strings.Join(parts, ", ")
}

func number(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return fmt.Sprint(f)
}
