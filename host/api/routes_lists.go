package api

import (
	"net/http"

	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/views"
)

// quietView is why saved views have no entry in the audit.
const quietView = "a name for a filter changes nothing that runs"

// listRoutes are the lists that people work from, and what they keep of them.
func listRoutes() []route {
	paged := []string{"limit", "cursor"}
	ranged := append([]string{"q", "from", "to", "order"}, paged...)
	return []route{
		{
			method: http.MethodGet, path: "/projects/{project}/flows", summary: "List flows, the newest change first unless it is asked otherwise.",
			query: append([]string{"stage", "by", "sort"}, ranged...), out: page.Of[flows.Summary]{}, handle: (*Server).listFlows,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/runs", summary: "List runs, the newest first unless it is asked otherwise.",
			query: append([]string{"flow", "state", "parent", "operator"}, ranged...), out: page.Of[runs.Summary]{}, handle: (*Server).listRuns,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/attention", summary: "List the nodes that need a person, the newest first.",
			query: append([]string{"need", "one_per"}, paged...), out: runs.AttentionPage{}, handle: (*Server).listAttention,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/changes", summary: "Tell which lists of a project changed, over a WebSocket.",
			status: http.StatusSwitchingProtocols, stream: (*Server).changes,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/views", summary: "List the saved views of a list, by name.",
			query: []string{"list"}, out: page.Of[views.View]{}, handle: (*Server).listViews,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/views", summary: "Save a view of a list.",
			in: viewBody{}, out: views.View{}, status: http.StatusCreated, quiet: quietView, handle: (*Server).createView,
		},
		{
			method: http.MethodPut, path: "/projects/{project}/views/{view}", summary: "Change a saved view.",
			in: viewBody{}, out: views.View{}, quiet: quietView, handle: (*Server).putView,
		},
		{
			method: http.MethodDelete, path: "/projects/{project}/views/{view}", summary: "Delete a saved view.",
			status: http.StatusNoContent, quiet: quietView, handle: (*Server).deleteView,
		},
	}
}
