// Package client calls the HTTP API of a running server, for the command line.
package client

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
)

const (
	prefix = "/api/v1"
	// timeout bounds one call: a module may have to be compiled.
	timeout = 3 * time.Minute
	// answerMaxBytes bounds what is read of an answer: the largest is a recording.
	answerMaxBytes = 128 << 20
)

// Client calls one server. Make one with New; it is safe for concurrent use.
type Client struct {
	base string
	http *http.Client
}

// New makes a client of the server at a URL such as http://127.0.0.1:8080.
func New(server string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.User != nil {
		return nil, fault.New(fault.Invalid, "a server is a URL such as http://127.0.0.1:8080")
	}
	return &Client{
		base: u.Scheme + "://" + u.Host + prefix,
		http: &http.Client{
			Timeout:       timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// URL is the server that the client calls.
func (c *Client) URL() string { return strings.TrimSuffix(c.base, prefix) }

// Install installs a module with its signatures (DSSE envelopes). A refusal is the
// server's *fault.Error.
func (c *Client) Install(ctx context.Context, code []byte, signatures [][]byte, override bool) (plugins.Module, error) {
	header := http.Header{"Content-Type": {"application/wasm"}}
	for _, s := range signatures {
		header.Add("Plugin-Signature", base64.StdEncoding.EncodeToString(s))
	}
	path := "/plugins"
	if override {
		path += "?override=true"
	}
	var m plugins.Module
	err := c.call(ctx, http.MethodPost, path, header, code, &m)
	return m, err
}

// Versions lists the installed versions of a plugin, the highest first.
func (c *Client) Versions(ctx context.Context, plugin string) ([]plugins.Module, error) {
	var list struct {
		Items []plugins.Module `json:"items"`
	}
	err := c.call(ctx, http.MethodGet, "/plugins/"+url.PathEscape(plugin)+"/versions", nil, nil, &list)
	return list.Items, err
}

// Change changes the state of an installed version.
func (c *Client) Change(ctx context.Context, r plugins.ChangeRequest) (plugins.Module, error) {
	var m plugins.Module
	path := "/plugins/" + url.PathEscape(r.Plugin) + "/versions/" + url.PathEscape(r.Digest) + "/commands"
	err := c.send(ctx, path, map[string]any{"command": r.Change, "override": r.Override, "reason": r.Reason}, &m)
	return m, err
}

// Sign adds a signature to an installed version.
func (c *Client) Sign(ctx context.Context, plugin, digest string, envelope []byte) (plugins.Module, error) {
	var m plugins.Module
	path := "/plugins/" + url.PathEscape(plugin) + "/versions/" + url.PathEscape(digest) + "/signatures"
	err := c.send(ctx, path, map[string]string{"envelope": string(envelope)}, &m)
	return m, err
}

// Plugin returns a plugin as a project sees it.
func (c *Client) Plugin(ctx context.Context, project, plugin string) (plugins.Plugin, error) {
	var p plugins.Plugin
	err := c.call(ctx, http.MethodGet, "/projects/"+url.PathEscape(project)+"/plugins/"+url.PathEscape(plugin), nil, nil, &p)
	return p, err
}

// Projects lists the ids of the projects, of the first page.
func (c *Client) Projects(ctx context.Context) ([]string, error) {
	var list page.Of[struct {
		ID string `json:"id"`
	}]
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/projects?limit=%d", page.LimitMax), nil, nil, &list)
	ids := make([]string, 0, len(list.Items))
	for _, p := range list.Items {
		ids = append(ids, p.ID)
	}
	return ids, err
}

// Installed lists a page of everything that is installed, by id.
func (c *Client) Installed(ctx context.Context, q page.Query) (page.Of[plugins.Installed], error) {
	var list page.Of[plugins.Installed]
	err := c.call(ctx, http.MethodGet, fmt.Sprintf("/plugins?limit=%d&cursor=%s", q.Limit, url.QueryEscape(q.Cursor)), nil, nil, &list)
	return list, err
}

// Grant replaces the grants of a plugin in a project.
func (c *Client) Grant(ctx context.Context, project, plugin string, grants []plugins.Grant) (plugins.Plugin, error) {
	var p plugins.Plugin
	path := "/projects/" + url.PathEscape(project) + "/plugins/" + url.PathEscape(plugin) + "/grants"
	body, err := json.Marshal(map[string]any{"grants": grants})
	if err != nil {
		return p, fmt.Errorf("client: %w", err)
	}
	err = c.call(ctx, http.MethodPut, path, http.Header{"Content-Type": {"application/json"}}, body, &p)
	return p, err
}

// EnablePlugin switches a plugin on or off in a project.
func (c *Client) EnablePlugin(ctx context.Context, project, plugin string, on bool) (plugins.Plugin, error) {
	var p plugins.Plugin
	path := "/projects/" + url.PathEscape(project) + "/plugins/" + url.PathEscape(plugin) + "/enabled"
	err := c.put(ctx, path, map[string]bool{"enabled": on}, &p)
	return p, err
}

// History returns the newest events of a plugin.
func (c *Client) History(ctx context.Context, plugin string, limit int) ([]plugins.Event, error) {
	var list page.Of[plugins.Event]
	path := fmt.Sprintf("/plugins/%s/history?limit=%d", url.PathEscape(plugin), limit)
	err := c.call(ctx, http.MethodGet, path, nil, nil, &list)
	return list.Items, err
}

// Trust returns what the server asks of plugins and whom it trusts.
func (c *Client) Trust(ctx context.Context) (plugins.TrustView, error) {
	var t plugins.TrustView
	err := c.call(ctx, http.MethodGet, "/trust", nil, nil, &t)
	return t, err
}

// RevokeKey ends the trust in a key.
func (c *Client) RevokeKey(ctx context.Context, key, reason string) (plugins.TrustView, error) {
	var t plugins.TrustView
	err := c.send(ctx, "/trust/keys/"+url.PathEscape(key)+"/revoke", map[string]string{"reason": reason}, &t)
	return t, err
}

func (c *Client) send(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return c.call(ctx, http.MethodPost, path, http.Header{"Content-Type": {"application/json"}}, body, out)
}

func (c *Client) call(ctx context.Context, method, path string, header http.Header, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	if header != nil {
		req.Header = header
	}
	res, err := c.http.Do(req)
	if err != nil {
		return &fault.Error{Code: fault.Stopping, Message: fmt.Sprintf("no answer from %s (is culm serve running there? --server names another)", c.URL()), Cause: short(err)}
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(res.Body, answerMaxBytes))
	if err != nil {
		return &fault.Error{Code: fault.Stopping, Message: "the answer broke off", Cause: err}
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return problem(res.StatusCode, answer)
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = answer
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &fault.Error{Code: fault.Stopping, Message: "the answer is not Culm's", Cause: err}
	}
	return nil
}

// problem reads a refusal; one that is no problem document is not of Culm.
func problem(status int, answer []byte) error {
	var p struct {
		Code     fault.Code        `json:"code"`
		Detail   string            `json:"detail"`
		Field    string            `json:"field"`
		Node     string            `json:"node"`
		Reason   string            `json:"reason"`
		Args     map[string]string `json:"args"`
		Problems json.RawMessage   `json:"problems"`
	}
	if err := json.Unmarshal(answer, &p); err != nil || p.Code == "" {
		return &fault.Error{
			Code: fault.Stopping, Message: fmt.Sprintf("status %d, and not from Culm", status), Cause: errors.New("no problem document"),
		}
	}
	f := &fault.Error{Code: p.Code, Message: p.Detail, Field: p.Field, Node: p.Node, Reason: p.Reason, Args: p.Args}
	if p.Problems != nil && json.Unmarshal(p.Problems, &f.Problems) != nil {
		f.Problems = nil // the rest of the refusal says enough
	}
	return f
}

// short is what went wrong with a call, without the method and the address, which the
// message has.
func short(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
