package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/culmhq/culm/host/audit"
)

// perform calls the route's use case. What is no GET has an entry in the audit, unless
// the table says why not: a route that somebody adds is audited from its first day.
func (s *Server) perform(ctx context.Context, r route, req *request) (answer, error) {
	if r.method == http.MethodGet || r.quiet != "" {
		return r.handle(s, ctx, req)
	}
	var a answer
	e := entryOf(r, req)
	e.Detail = detailOf(r, req)
	err := s.o.Audit.Act(ctx, e, func(ctx context.Context) (err error) {
		a, err = r.handle(s, ctx, req)
		return err
	})
	return a, err
}

// entryOf is the entry of a request, without its detail.
func entryOf(r route, req *request) audit.Entry {
	who := actor()
	return audit.Entry{
		Actor: who.ID, OnBehalfOf: who.OnBehalfOf, Project: req.params["project"], System: req.params["system"], Operation: req.params["operation"],
		Plugin: req.params["plugin"], Digest: req.params["digest"], Action: actionOf(r), Subject: subjectOf(req),
	}
}

// actionOf names what a route does by its path and method: PUT
// /projects/{project}/systems/{system}/credential is "systems.credential.put".
func actionOf(r route) string {
	var words []string
	for part := range strings.SplitSeq(strings.Trim(r.path, "/"), "/") {
		if part != "projects" && !strings.HasPrefix(part, "{") {
			words = append(words, part)
		}
	}
	return strings.Join(append(words, strings.ToLower(r.method)), ".")
}

// subjectOf returns the names in the path that have no field of their own.
func subjectOf(req *request) map[string]string {
	out := map[string]string{}
	for name, value := range req.params {
		switch name {
		case "project", "system", "operation", "plugin", "digest":
		default:
			out[name] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// toldBytesMax bounds what an entry shows of a body.
const toldBytesMax = 8 << 10

// detailOf returns what the table lets the entry show of a body. A body that is no object
// shows nothing: it is refused.
func detailOf(r route, req *request) json.RawMessage {
	out := map[string]any{}
	if r.digest {
		sum := sha256.Sum256(req.body)
		out["body_sha256"] = hex.EncodeToString(sum[:])
	}
	body := map[string]json.RawMessage{}
	if len(r.told) > 0 && json.Unmarshal(req.body, &body) == nil {
		for _, name := range r.told {
			if v, ok := body[name]; ok && len(v) <= toldBytesMax {
				out[name] = v
			} else if ok {
				out[name] = map[string]int{"$omitted": len(v)}
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	js, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return js
}
