package effort

import (
	"net/url"
	"strconv"
	"strings"
)

// Find returns what is at a JSON Pointer in the form of a URL's fragment.
func Find(doc any, fragment string) (any, bool) {
	at := doc
	for _, token := range strings.Split(fragment, "/")[1:] {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(unescapeURL(token))
		switch v := at.(type) {
		case map[string]any:
			next, ok := v[token]
			if !ok {
				return nil, false
			}
			at = next
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			at = v[i]
		default:
			return nil, false
		}
	}
	return at, true
}

// unescapeURL undoes the percent encoding of a fragment.
func unescapeURL(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
