package forms

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// message says for people what a value must be. It uses what the schema wants and
// never what the value is: that may be a secret, or long.
func message(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "must be " + alternatives(k.Want)
	case *kind.Enum:
		return "must be one of " + values(k.Want)
	case *kind.Const:
		return "must be " + values([]any{k.Want})
	case *kind.Format:
		return "must be a valid " + k.Want
	case *kind.Pattern:
		return "must match " + k.Want
	case *kind.FalseSchema:
		return "is not allowed here"
	case *kind.Not:
		return "is a value that is not allowed"
	case *kind.UniqueItems:
		return fmt.Sprintf("items %d and %d are the same", k.Duplicates[0], k.Duplicates[1])
	case *kind.Contains, *kind.MinContains, *kind.MaxContains:
		return "holds the wrong number of required items"
	case *kind.PropertyNames:
		return "has a field whose name is not allowed"
	default:
		if s := sizeMessage(k); s != "" {
			return s
		}
		return "is not valid: " + keyword(k)
	}
}

// want is the part of a message that comes from the schema.
func want(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return strings.Join(k.Want, "/")
	case *kind.Enum:
		return values(k.Want)
	case *kind.Const:
		return values([]any{k.Want})
	case *kind.Format:
		return k.Want
	case *kind.Pattern:
		return k.Want
	case *kind.Minimum:
		return number(k.Want)
	case *kind.Maximum:
		return number(k.Want)
	case *kind.ExclusiveMinimum:
		return number(k.Want)
	case *kind.ExclusiveMaximum:
		return number(k.Want)
	case *kind.MultipleOf:
		return number(k.Want)
	default:
		return count(k)
	}
}

// count is how many of something a schema wants.
func count(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.MinLength:
		return strconv.Itoa(k.Want)
	case *kind.MaxLength:
		return strconv.Itoa(k.Want)
	case *kind.MinItems:
		return strconv.Itoa(k.Want)
	case *kind.MaxItems:
		return strconv.Itoa(k.Want)
	case *kind.MinProperties:
		return strconv.Itoa(k.Want)
	case *kind.MaxProperties:
		return strconv.Itoa(k.Want)
	default:
		return ""
	}
}

func sizeMessage(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("must be at least %d characters long", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must be at most %d characters long", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d items", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d items", k.Want)
	case *kind.MinProperties:
		return fmt.Sprintf("must have at least %d fields", k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("must have at most %d fields", k.Want)
	case *kind.Minimum:
		return "must be at least " + number(k.Want)
	case *kind.Maximum:
		return "must be at most " + number(k.Want)
	case *kind.ExclusiveMinimum:
		return "must be more than " + number(k.Want)
	case *kind.ExclusiveMaximum:
		return "must be less than " + number(k.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(k.Want)
	default:
		return ""
	}
}

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

// unescapeURL undoes the percent encoding of a fragment.
func unescapeURL(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
