package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
)

func systemsPath(project string, more ...string) string {
	path := "/projects/" + url.PathEscape(project) + "/systems"
	for _, m := range more {
		path += "/" + url.PathEscape(m)
	}
	return path
}

// Systems returns a page of a project's systems.
func (c *Client) Systems(ctx context.Context, project string, q page.Query) (page.Of[registry.View], error) {
	var out page.Of[registry.View]
	err := c.call(ctx, http.MethodGet, systemsPath(project)+"?"+paging(q).Encode(), nil, nil, &out)
	return out, err
}

func paging(q page.Query) url.Values {
	v := url.Values{}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	if q.Cursor != "" {
		v.Set("cursor", q.Cursor)
	}
	return v
}

// SystemDocument returns the document of a system.
func (c *Client) SystemDocument(ctx context.Context, project, id string) (*systems.System, error) {
	var out systems.System
	err := c.call(ctx, http.MethodGet, systemsPath(project, id, "document"), nil, nil, &out)
	return &out, err
}

// PutSystem creates or replaces a system.
func (c *Client) PutSystem(ctx context.Context, project string, s *systems.System) (registry.View, error) {
	var out registry.View
	err := c.put(ctx, systemsPath(project, s.ID), s, &out)
	return out, err
}

func (c *Client) put(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	return c.call(ctx, http.MethodPut, path, http.Header{"Content-Type": {"application/json"}}, body, out)
}

// DiffSystem says what PutSystem would change.
func (c *Client) DiffSystem(ctx context.Context, project string, s *systems.System) (registry.Difference, error) {
	var out registry.Difference
	err := c.send(ctx, systemsPath(project, s.ID, "diff"), s, &out)
	return out, err
}

// ImportSystem imports a system, or says what an import would change.
func (c *Client) ImportSystem(ctx context.Context, r registry.ImportRequest) (registry.ImportResult, error) {
	var out registry.ImportResult
	err := c.send(ctx, "/projects/"+url.PathEscape(r.Project)+"/system-imports", r, &out)
	return out, err
}

// DeleteSystem deletes a system; with revoke also one that plugins were granted.
func (c *Client) DeleteSystem(ctx context.Context, project, id string, revoke bool) error {
	var none []byte
	return c.call(ctx, http.MethodDelete, systemsPath(project, id)+"?revoke="+strconv.FormatBool(revoke), nil, nil, &none)
}

// Operations returns a page of a system's operations.
func (c *Client) Operations(ctx context.Context, q registry.OperationQuery) (page.Of[registry.OperationView], error) {
	v := paging(q.Page)
	if q.Search != "" {
		v.Set("q", q.Search)
	}
	if q.Group != nil {
		v.Set("group", *q.Group)
	}
	if q.State != "" {
		v.Set("state", q.State)
	}
	var out page.Of[registry.OperationView]
	err := c.call(ctx, http.MethodGet, systemsPath(q.Project, q.System, "operations")+"?"+v.Encode(), nil, nil, &out)
	return out, err
}

// EnableOperations switches operations of a system on or off.
func (c *Client) EnableOperations(ctx context.Context, r registry.EnableRequest) (registry.View, error) {
	var out registry.View
	in := map[string]any{"operations": r.Operations, "enabled": r.Enabled}
	if r.Group != nil {
		in["group"] = *r.Group
	}
	err := c.put(ctx, systemsPath(r.Project, r.System, "operations-enabled"), in, &out)
	return out, err
}

// SystemVersions returns a page of a system's history.
func (c *Client) SystemVersions(ctx context.Context, project, id string, q page.Query) (page.Of[registry.Entry], error) {
	var out page.Of[registry.Entry]
	err := c.call(ctx, http.MethodGet, systemsPath(project, id, "versions")+"?"+paging(q).Encode(), nil, nil, &out)
	return out, err
}
