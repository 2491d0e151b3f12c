// Package page holds what every list of the host takes and answers: a limit and an
// opaque cursor that names the last item of the page before.
package page

import (
	"encoding/base64"
	"encoding/json"

	"github.com/culmhq/culm/host/fault"
)

// The bounds of a page.
const (
	DefaultLimit = 50
	LimitMax     = 200
)

// Query asks for one page. The zero value asks for the first page of DefaultLimit.
type Query struct {
	// Limit is from 1 to LimitMax; zero takes DefaultLimit.
	Limit int
	// Cursor is the Next of the page before; empty for the first page.
	Cursor string
}

// Of is one page of a list.
type Of[T any] struct {
	Items []T `json:"items"`
	// Next asks for the page after this one; empty on the last.
	Next string `json:"next,omitempty"`
}

// Size returns the limit to use, or an error that names the field.
func (q Query) Size() (int, error) {
	switch {
	case q.Limit == 0:
		return DefaultLimit, nil
	case q.Limit < 0 || q.Limit > LimitMax:
		return 0, fault.At("/limit", "limit must be from 1 to %d", LimitMax).Because("LIMIT")
	default:
		return q.Limit, nil
	}
}

// After decodes the cursor into key, the place after which the page starts. It
// reports false, and leaves key alone, when the query asks for the first page.
func (q Query) After(key any) (bool, error) {
	if q.Cursor == "" {
		return false, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(q.Cursor)
	if err == nil {
		err = json.Unmarshal(b, key)
	}
	if err != nil {
		e := fault.At("/cursor", "cursor is not one that this list answered").Because("CURSOR")
		e.Cause = err
		return false, e
	}
	return true, nil
}

// Cursor encodes the place of a page's last item; After decodes it.
func Cursor(key any) (string, error) {
	b, err := json.Marshal(key)
	if err != nil {
		return "", fault.Wrap("encode cursor", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Cut makes a page of items that were asked for with one more than limit: the extra
// one says that there is a next page, whose cursor is made from the last item kept.
func Cut[T any](items []T, limit int, key func(T) any) (Of[T], error) {
	if len(items) <= limit {
		if items == nil {
			items = []T{}
		}
		return Of[T]{Items: items}, nil
	}
	items = items[:limit]
	next, err := Cursor(key(items[limit-1]))
	if err != nil {
		return Of[T]{}, err
	}
	return Of[T]{Items: items, Next: next}, nil
}
