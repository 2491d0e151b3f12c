package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/recordings"
)

// Recordings lists all recorded plugin calls of a node, the oldest first. The error says
// when there is no such run or node.
func (c *Client) Recordings(ctx context.Context, project, run, node string) ([]recordings.Meta, error) {
	all, err := c.recordings(ctx, nodePath(project, run, node)+"/recordings", url.Values{})
	if err == nil && len(all) == 0 {
		var view json.RawMessage
		err = c.call(ctx, http.MethodGet, nodePath(project, run, node), nil, nil, &view)
	}
	return all, err
}

// ChoicesRecordings lists all recorded calls for the choices of a form field, the oldest
// first.
func (c *Client) ChoicesRecordings(ctx context.Context, project, plugin, action, source string) ([]recordings.Meta, error) {
	return c.recordings(ctx, choicesPath(project, plugin), url.Values{"action": {action}, "source": {source}})
}

// ChoicesRecording reads one.
func (c *Client) ChoicesRecording(ctx context.Context, project, plugin, action, source, id string) (recordings.View, error) {
	var v recordings.View
	q := url.Values{"action": {action}, "source": {source}}
	err := c.call(ctx, http.MethodGet, choicesPath(project, plugin)+"/"+url.PathEscape(id)+"?"+q.Encode(), nil, nil, &v)
	return v, err
}

// recordings reads all pages of a list.
func (c *Client) recordings(ctx context.Context, path string, q url.Values) ([]recordings.Meta, error) {
	var all []recordings.Meta
	q.Set("limit", "200")
	for {
		var list page.Of[recordings.Meta]
		if err := c.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil, nil, &list); err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if list.Next == "" {
			return all, nil
		}
		q.Set("cursor", list.Next)
	}
}

// Recording reads one.
func (c *Client) Recording(ctx context.Context, project, run, node, id string) (recordings.View, error) {
	var v recordings.View
	err := c.call(ctx, http.MethodGet, nodePath(project, run, node)+"/recordings/"+url.PathEscape(id), nil, nil, &v)
	return v, err
}

// Module reads the bytes of an installed module.
func (c *Client) Module(ctx context.Context, plugin, digest string) ([]byte, error) {
	var code []byte
	err := c.call(ctx, http.MethodGet, "/plugins/"+url.PathEscape(plugin)+"/versions/"+url.PathEscape(digest)+"/module", nil, nil, &code)
	return code, err
}

func nodePath(project, run, node string) string {
	return "/projects/" + url.PathEscape(project) + "/runs/" + url.PathEscape(run) + "/nodes/" + url.PathEscape(node)
}

func choicesPath(project, plugin string) string {
	return "/projects/" + url.PathEscape(project) + "/plugins/" + url.PathEscape(plugin) + "/options/recordings"
}
