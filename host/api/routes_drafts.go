package api

import (
	"net/http"

	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/page"
)

// draftRoutes are the earlier states of drafts, and the room of those who edit one.
func draftRoutes() []route {
	return []route{
		{
			method: http.MethodGet, path: "/projects/{project}/flows/{flow}/revisions", summary: "List the kept revisions of a draft, the newest first.",
			query: []string{"limit", "cursor"}, out: page.Of[flows.Revision]{}, handle: (*Server).listRevisions,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/flows/{flow}/revisions/{revision}", summary: "Read a kept revision of a draft with its document.",
			out: flows.Revision{}, handle: (*Server).getRevision,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/flows/{flow}/presence", summary: "Tell each other who has a flow open, over a WebSocket.",
			status: http.StatusSwitchingProtocols, stream: (*Server).presence,
		},
	}
}
