package python

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

func stringMethod(name string) bool {
	switch name {
	case "upper", "lower", "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "join", "replace", "startswith",
		"endswith", "find", "rfind", "index", "count", "title", "capitalize", "swapcase", "zfill", "ljust", "rjust",
		"isdigit", "isalpha", "isalnum", "isupper", "islower", "isspace", "isnumeric":
		return true
	}
	return false
}

func otherMethod(name string) bool {
	switch name {
	case "get", "keys", "values", "items", "index", "count", "copy":
		return true
	}
	return false
}

func callMethod(name string, args []any) (any, error) {
	if len(args) == 0 {
		return nil, errArguments
	}
	switch on := args[0].(type) {
	case string:
		return onString(name, on, args[1:])
	case []any:
		return onList(name, on, args[1:])
	case map[string]any:
		return onDict(name, on, args[1:])
	}
	return nil, fmt.Errorf("a %s has no method %s", typeName(args[0]), name)
}

func onList(name string, on, args []any) (any, error) {
	if name == "copy" && len(args) == 0 {
		return on, nil
	}
	if len(args) != 1 || name != "index" && name != "count" {
		return nil, fmt.Errorf("a list has no such method %s", name)
	}
	n, first := int64(0), int64(-1)
	for i, v := range on {
		if Equal(v, args[0]) {
			if n++; first < 0 {
				first = int64(i)
			}
		}
	}
	switch {
	case name == "count":
		return n, nil
	case first < 0:
		return nil, fmt.Errorf("not in the list")
	}
	return first, nil
}

func onDict(name string, on map[string]any, args []any) (any, error) {
	if name == "get" {
		return get(on, args)
	}
	if len(args) != 0 {
		return nil, errArguments
	}
	out := []any{}
	for _, key := range sortedKeys(on) {
		switch name {
		case "keys":
			out = append(out, key)
		case "values":
			out = append(out, on[key])
		case "items":
			out = append(out, []any{key, on[key]})
		default:
			return nil, fmt.Errorf("a dict has no method %s", name)
		}
	}
	return out, nil
}

func get(on map[string]any, args []any) (any, error) {
	if len(args) == 0 || len(args) > 2 {
		return nil, errArguments
	}
	if key, ok := args[0].(string); ok {
		if v, ok := on[key]; ok {
			return v, nil
		}
	}
	if len(args) == 2 {
		return args[1], nil
	}
	return nil, nil //nolint:nilnil // None is a value
}

// texts takes the arguments as strings, at most a number of them.
func texts(args []any, least, most int) ([]string, error) {
	if len(args) < least || len(args) > most {
		return nil, errArguments
	}
	out := make([]string, len(args))
	for i, a := range args {
		s, ok := a.(string)
		if !ok {
			return nil, errArguments
		}
		out[i] = s
	}
	return out, nil
}

func onString(name, s string, args []any) (any, error) {
	switch name {
	case "split", "rsplit":
		return split(name, s, args)
	case "join":
		return join(s, args)
	case "replace":
		return replace(s, args)
	case "zfill", "ljust", "rjust":
		return justify(name, s, args)
	case "startswith", "endswith":
		return affix(name, s, args)
	case "strip", "lstrip", "rstrip":
		return strip(name, s, args)
	case "find", "rfind", "index", "count":
		return find(name, s, args)
	}
	if len(args) > 0 {
		return nil, errArguments
	}
	switch name {
	case "splitlines":
		return splitLines(s), nil
	case "upper":
		return strings.ToUpper(s), nil
	case "lower":
		return strings.ToLower(s), nil
	case "title", "capitalize", "swapcase":
		return recase(name, s), nil
	}
	return classify(name, s)
}

func strip(name, s string, args []any) (any, error) {
	chars, err := texts(args, 0, 1)
	if err != nil {
		return nil, err
	}
	cut := isSpace
	if len(chars) == 1 {
		cut = func(r rune) bool { return strings.ContainsRune(chars[0], r) }
	}
	if name != "rstrip" {
		s = strings.TrimLeftFunc(s, cut)
	}
	if name != "lstrip" {
		s = strings.TrimRightFunc(s, cut)
	}
	return s, nil
}

func split(name, s string, args []any) (any, error) {
	most := int64(-1)
	if len(args) == 2 {
		n, ok := asInt(args[1])
		if !ok {
			return nil, errArguments
		}
		most, args = n, args[:1]
	}
	if len(args) == 1 && args[0] == nil {
		args = nil
	}
	sep, err := texts(args, 0, 1)
	if err != nil {
		return nil, err
	}
	var parts []string
	switch {
	case len(sep) == 0 && most < 0:
		parts = strings.Fields(s)
	case len(sep) == 0:
		return nil, fmt.Errorf("a limit without a separator is not supported")
	case sep[0] == "":
		return nil, fmt.Errorf("the separator is empty")
	case most < 0 || most >= int64(len(s)):
		parts = strings.Split(s, sep[0])
	case name == "split":
		parts = strings.SplitN(s, sep[0], int(most)+1)
	default:
		parts = rsplit(s, sep[0], int(most))
	}
	if len(parts) > ResultMaxItems {
		return nil, errTooLarge
	}
	return anyList(parts), nil
}

func rsplit(s, sep string, most int) []string {
	parts := strings.Split(s, sep)
	if keep := len(parts) - most; keep > 1 {
		return append([]string{strings.Join(parts[:keep], sep)}, parts[keep:]...)
	}
	return parts
}

func anyList(parts []string) []any {
	out := make([]any, len(parts))
	for i, p := range parts {
		out[i] = p
	}
	return out
}

func splitLines(s string) []any {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	s = strings.TrimSuffix(s, "\n")
	if s == "" {
		return []any{}
	}
	return anyList(strings.Split(s, "\n"))
}

func join(sep string, args []any) (any, error) {
	if len(args) != 1 {
		return nil, errArguments
	}
	items, err := Items(args[0])
	if err != nil {
		return nil, err
	}
	parts, err := texts(items, 0, len(items))
	if err != nil {
		return nil, fmt.Errorf("the items are not all strings")
	}
	total := len(sep) * max(0, len(parts)-1)
	for _, p := range parts {
		total += len(p)
	}
	if total > ResultMaxBytes {
		return nil, errTooLarge
	}
	return strings.Join(parts, sep), nil
}

func replace(s string, args []any) (any, error) {
	most := int64(-1)
	if len(args) == 3 {
		n, ok := asInt(args[2])
		if !ok {
			return nil, errArguments
		}
		most, args = n, args[:2]
	}
	a, err := texts(args, 2, 2)
	if err != nil {
		return nil, err
	}
	n := int64(strings.Count(s, a[0]))
	if most < 0 || most > n {
		most = n
	}
	if int64(len(s))+most*int64(max(0, len(a[1])-len(a[0]))) > ResultMaxBytes {
		return nil, errTooLarge
	}
	return strings.Replace(s, a[0], a[1], int(most)), nil
}

func affix(name, s string, args []any) (any, error) {
	if len(args) == 1 {
		if list, ok := args[0].([]any); ok {
			args = list
		}
	}
	fixes, err := texts(args, 0, len(args))
	if err != nil {
		return nil, err
	}
	for _, f := range fixes {
		if name == "startswith" && strings.HasPrefix(s, f) || name == "endswith" && strings.HasSuffix(s, f) {
			return true, nil
		}
	}
	return false, nil
}

func find(name, s string, args []any) (any, error) {
	a, err := texts(args, 1, 1)
	if err != nil {
		return nil, err
	}
	if name == "count" {
		return int64(strings.Count(s, a[0])), nil
	}
	at := strings.Index(s, a[0])
	if name == "rfind" {
		at = strings.LastIndex(s, a[0])
	}
	if at < 0 {
		if name == "index" {
			return nil, fmt.Errorf("not in the string")
		}
		return int64(-1), nil
	}
	return int64(utf8.RuneCountInString(s[:at])), nil
}

func justify(name, s string, args []any) (any, error) {
	fill := " "
	if len(args) == 2 && name != "zfill" {
		f, ok := args[1].(string)
		if !ok || utf8.RuneCountInString(f) != 1 {
			return nil, errArguments
		}
		fill, args = f, args[:1]
	}
	if len(args) != 1 {
		return nil, errArguments
	}
	width, ok := asInt(args[0])
	if !ok {
		return nil, errArguments
	}
	missing := width - int64(utf8.RuneCountInString(s))
	if missing <= 0 {
		return s, nil
	}
	if missing > ResultMaxBytes/4 {
		return nil, errTooLarge
	}
	switch name {
	case "ljust":
		return s + strings.Repeat(fill, int(missing)), nil
	case "rjust":
		return strings.Repeat(fill, int(missing)) + s, nil
	}
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	return sign + strings.Repeat("0", int(missing)) + s, nil
}

func recase(name, s string) string {
	inside := false // of a word
	return strings.Map(func(r rune) rune {
		first := !inside
		switch name {
		case "capitalize":
			inside = true
		case "title":
			inside = unicode.IsLetter(r)
		default: // swapcase
			first = unicode.IsLower(r)
		}
		if first {
			return unicode.ToUpper(r)
		}
		return unicode.ToLower(r)
	}, s)
}

func classify(name, s string) (any, error) {
	var is func(rune) bool
	switch name {
	case "isdigit", "isnumeric":
		is = unicode.IsDigit
	case "isalpha":
		is = unicode.IsLetter
	case "isalnum":
		is = func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	case "isspace":
		is = isSpace
	case "isupper":
		return strings.ToUpper(s) == s && strings.ToLower(s) != s, nil
	case "islower":
		return strings.ToLower(s) == s && strings.ToUpper(s) != s, nil
	default:
		return nil, fmt.Errorf("a str has no method %s", name)
	}
	for _, r := range s {
		if !is(r) {
			return false, nil
		}
	}
	return s != "", nil
}
