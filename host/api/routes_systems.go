package api

import (
	"net/http"

	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/systems"
)

// importSuffix ends the path of the route that imports systems.
const importSuffix = "/system-imports"

// systemRoutes are the routes of systems and their operations.
func systemRoutes() []route {
	const (
		all  = "/projects/{project}/systems"
		one  = all + "/{system}"
		call = one + "/operations/{operation}"
	)
	paged := []string{"limit", "cursor"}
	return []route{
		{
			method: http.MethodGet, path: "/contracts", summary: "List the OpenAPI documents of systems that come with the program.",
			out: page.Of[systems.Contract]{}, handle: (*Server).listContracts,
		},
		{method: http.MethodGet, path: all, summary: "List the registered systems.", query: paged, out: page.Of[registry.View]{}, handle: (*Server).listSystems},
		{method: http.MethodGet, path: one, summary: "Read a registered system.", out: registry.View{}, handle: (*Server).getSystem},
		{
			method: http.MethodPut, path: one, summary: "Create or replace a system; an operation that is off stays off.",
			in: systems.System{}, out: registry.View{}, told: []string{"base_url", "auth"}, digest: true, handle: (*Server).putSystem,
		},
		{
			method: http.MethodDelete, path: one, summary: "Delete a system; with revoke=true also one that plugins were granted.",
			query: []string{"revoke"}, status: http.StatusNoContent, handle: (*Server).deleteSystem,
		},
		{method: http.MethodGet, path: one + "/document", summary: "Read the document of a system.", out: systems.System{}, handle: (*Server).getSystemDocument},
		{
			method: http.MethodPost, path: one + "/diff", summary: "Show what a document would change; store nothing.",
			in: systems.System{}, out: registry.Difference{}, quiet: quietAsks, handle: (*Server).diffSystem,
		},
		{
			method: http.MethodGet, path: one + "/versions", summary: "Read what was changed in a system, the newest first.",
			query: paged, out: page.Of[registry.Entry]{}, handle: (*Server).listSystemVersions,
		},
		{
			method: http.MethodGet, path: one + "/versions/{version}", summary: "Read a version of a system with its document.",
			out: registry.Entry{}, handle: (*Server).getSystemVersion,
		},
		{
			method: http.MethodPost, path: "/projects/{project}" + importSuffix,
			summary: "Show what an import of an OpenAPI document would change, or import it.",
			in:      registry.ImportRequest{}, out: registry.ImportResult{}, timeout: installTimeout,
			told: []string{"id", "base_url", "apply"}, digest: true, handle: (*Server).importSystem,
		},
		{
			method: http.MethodGet, path: one + "/operations", summary: "List the operations of a system, by id.",
			query: append([]string{"q", "group", "state"}, paged...), out: page.Of[registry.OperationView]{}, handle: (*Server).listOperations,
		},
		{method: http.MethodGet, path: call, summary: "Read an operation with its schemas.", out: registry.OperationDetail{}, handle: (*Server).getOperation},
		{
			method: http.MethodGet, path: call + "/uses", summary: "List the flows that name an operation.",
			out: flows.OperationUsers{}, handle: (*Server).getOperationUses,
		},
		{
			method: http.MethodPut, path: call + "/enabled", summary: "Switch an operation on or off.",
			in: enabledBody{}, out: registry.View{}, told: []string{"enabled"}, handle: (*Server).putOperationEnabled,
		},
		{
			method: http.MethodPut, path: one + "/operations-enabled", summary: "Switch operations, or all of a group, on or off.",
			in: operationsEnabledBody{}, out: registry.View{}, told: []string{"enabled", "group", "operations"}, handle: (*Server).putOperationsEnabled,
		},
	}
}
