package openapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/systems"
)

// security counts the security schemes that an operation names, or that the document names
// for all.
func (r *reader) security(op map[string]any) {
	wanted, own := op["security"]
	if !own {
		wanted = r.root["security"]
	}
	for _, alternative := range list(wanted) {
		for name := range object(alternative) {
			r.schemes[name]++
		}
	}
}

// auth is the way to authenticate that most operations name, among those that the gateway
// knows; the zero value where there is none.
func (r *reader) auth() systems.Auth {
	schemes := object(object(r.root["components"])["securitySchemes"])
	names := slices.Sorted(maps.Keys(schemes))
	slices.SortStableFunc(names, func(a, b string) int { return r.schemes[b] - r.schemes[a] })
	for _, name := range names {
		s, err := r.resolve(schemes[name])
		if err != nil || r.schemes[name] == 0 {
			continue
		}
		if a := authOf(s); a.Type != "" {
			return a
		}
	}
	return systems.Auth{}
}

func authOf(s map[string]any) systems.Auth {
	switch text(s["type"]) {
	case "http":
		switch strings.ToLower(text(s["scheme"])) {
		case "basic":
			return systems.Auth{Type: systems.AuthBasic}
		case "bearer":
			return systems.Auth{Type: systems.AuthBearer}
		}
	case "apiKey":
		return keyOf(text(s["in"]), text(s["name"]))
	case "oauth2":
		flow := object(object(s["flows"])["clientCredentials"])
		if url := text(flow["tokenUrl"]); strings.HasPrefix(url, "https://") { // a relative one is relative to a server nobody named
			return systems.Auth{Type: systems.AuthOAuth2, TokenURL: url}
		}
	}
	return systems.Auth{}
}

// appCode is the code under which BlueKing knows Culm unless an administrator writes
// another one into the system.
const appCode = "culm"

// keyOf is the way of a key that travels in a header or in the query.
func keyOf(in, name string) systems.Auth {
	switch {
	case in == "header" && strings.EqualFold(name, systems.BlueKingHeader):
		return systems.Auth{Type: systems.AuthBlueKing, AppCode: appCode}
	case in == "header":
		return systems.Auth{Type: systems.AuthAPIKey, Header: name}
	case in == "query":
		return systems.Auth{Type: systems.AuthAPIKey, Query: name}
	}
	return systems.Auth{}
}
