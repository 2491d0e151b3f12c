package client

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/culmhq/culm/host/tryout"
)

// CallRequest is one call of an operation of a system.
type CallRequest struct {
	Project   string                     `json:"-"`
	System    string                     `json:"-"`
	Operation string                     `json:"-"`
	Params    map[string]json.RawMessage `json:"params,omitempty"`
	Body      json.RawMessage            `json:"body,omitempty"`
	Confirm   bool                       `json:"confirm,omitempty"`
}

// Call calls an operation of a system.
func (c *Client) Call(ctx context.Context, r CallRequest) (tryout.Answer, error) {
	var a tryout.Answer
	path := "/projects/" + url.PathEscape(r.Project) + "/systems/" + url.PathEscape(r.System) + "/operations/" + url.PathEscape(r.Operation) + "/call"
	err := c.send(ctx, path, r, &a)
	return a, err
}
