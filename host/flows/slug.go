package flows

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/culmhq/culm/pdk/contract"
)

const (
	idMax = 64
	// suffixMax bounds how many flows of one name get an id made from it.
	suffixMax = 1000
	noteMax   = 4096
)

var idPattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

// slug makes an id of a name: its ASCII letters and digits, with - between the words.
// A name without any gives "flow".
func slug(name contract.Text) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name.In("en")) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9' && b.Len() > 0:
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() == idMax {
			break
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s
	}
	return "flow"
}

// numbered gives the n-th id for a base; the first is the base itself.
func numbered(base string, n int) string {
	if n == 1 {
		return base
	}
	suffix := "-" + strconv.Itoa(n)
	if len(base)+len(suffix) > idMax {
		base = strings.TrimRight(base[:idMax-len(suffix)], "-")
	}
	return base + suffix
}
