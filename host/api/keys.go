package api

import (
	"context"
	"net/http"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/secrets"
)

// keyCommand changes the keys that secrets are sealed with.
type keyCommand struct {
	// Command is rotate or retire.
	Command string `json:"command"`
	// Key is the id of the key to retire.
	Key string `json:"key,omitempty"`
}

// keyRoutes are the routes of the keys that secrets are sealed with.
func keyRoutes() []route {
	const all = "/keys"
	return []route{
		{
			method: http.MethodGet, path: all, summary: "Tell of the keys that secrets are sealed with, without the keys.",
			out: secrets.KeyStatus{}, handle: (*Server).getKeys,
		},
		{
			method: http.MethodGet, path: all + "/verify", summary: "Open everything that is sealed, and tell what does not open.",
			out: secrets.Checked{}, timeout: installTimeout, handle: (*Server).verifyKeys,
		},
		{
			method: http.MethodPost, path: all + "/commands", summary: "Make a new key the primary one and seal all data keys with it, or retire a key.",
			in: keyCommand{}, out: secrets.KeyStatus{}, told: []string{"command", "key"}, timeout: installTimeout, handle: (*Server).postKeyCommand,
		},
	}
}

func (s *Server) getKeys(ctx context.Context, _ *request) (answer, error) {
	return ok(s.o.Systems.Keys(ctx))
}

func (s *Server) verifyKeys(ctx context.Context, _ *request) (answer, error) {
	return ok(s.o.Systems.VerifyKeys(ctx))
}

func (s *Server) postKeyCommand(ctx context.Context, r *request) (answer, error) {
	var b keyCommand
	if err := r.decode(&b); err != nil {
		return answer{}, err
	}
	switch b.Command {
	case "rotate":
		if b.Key != "" {
			return answer{}, fault.At("/key", "must be absent: a new key is made").Because("KEY_GIVEN")
		}
		return ok(s.o.Systems.RotateKeys(ctx))
	case "retire":
		return ok(s.o.Systems.RetireKey(ctx, b.Key))
	default:
		return answer{}, fault.At("/command", "must be rotate or retire").Because("CHOICE")
	}
}
