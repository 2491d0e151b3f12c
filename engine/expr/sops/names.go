package sops

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"github.com/culmhq/culm/engine/expr"
)

// nameMax is the length of a variable's name.
const nameMax = 64

// Rename gives each key of a flow, with or without ${ and }, a name that a Culm variable
// may have: a lower-case letter, then lower-case letters, digits and _. The names differ
// from one another, and depend only on the set of the keys: a key that is a name already
// keeps it.
func Rename(keys []string) map[string]string {
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	out := make(map[string]string, len(sorted))
	taken := make(map[string]bool, len(sorted))
	for _, key := range sorted {
		if name := Key(key); !taken[name] && simplify(name) == name {
			out[key], taken[name] = name, true
		}
	}
	for _, key := range sorted {
		if _, done := out[key]; done {
			continue
		}
		name := simplify(Key(key))
		for n := 2; taken[name]; n++ {
			suffix := "_" + strconv.Itoa(n)
			name = simplify(Key(key))
			name = name[:min(len(name), nameMax-len(suffix))] + suffix
		}
		out[key], taken[name] = name, true
	}
	return out
}

// Key is a key without ${ and }.
func Key(key string) string {
	if inner, ok := strings.CutPrefix(key, "${"); ok {
		if inner, ok = strings.CutSuffix(inner, "}"); ok {
			return inner
		}
	}
	return key
}

// simplify makes a name of a key; different keys may give the same.
func simplify(key string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(key) {
		switch {
		case 'a' <= r && r <= 'z', b.Len() > 0 && ('0' <= r && r <= '9' || r == '_'):
			b.WriteRune(r)
		case b.Len() == 0:
			b.WriteString("v_")
			if '0' <= r && r <= '9' {
				b.WriteRune(r)
			}
		default:
			b.WriteByte('_')
		}
	}
	name := b.String()
	switch {
	case name == "":
		name = "v"
	case expr.Reserved(name):
		name += "_"
	}
	if len(name) > nameMax {
		h := fnv.New32a()
		_, _ = h.Write([]byte(key))
		suffix := "_" + strconv.FormatUint(uint64(h.Sum32()), 36)
		name = name[:nameMax-len(suffix)] + suffix
	}
	return name
}

// System are the names that BK-SOPS itself gives to every flow, as Culm has them.
func System() map[string]Name {
	started := `py.call("strftime", [run.started_at, "%Y-%m-%d %H:%M:%S"])`
	return map[string]Name{
		"_system.task_id":         {Expr: "run.id", Type: "string"},
		"_system.task_name":       {Expr: "run.name", Type: "string"},
		"_system.operator":        {Expr: "run.operator", Type: "string"},
		"_system.executor":        {Expr: "run.operator", Type: "string"},
		"_system.task_start_time": {Expr: started},
	}
}
