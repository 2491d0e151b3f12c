package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/health"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/host/plugins"
	"github.com/culmhq/culm/host/projects"
	"github.com/culmhq/culm/host/recordings"
	"github.com/culmhq/culm/host/registry"
	"github.com/culmhq/culm/host/runs"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/host/tryout"
)

// prefix is what the paths of the table lie under.
const prefix = "/api/v1"

// uploadPath is the path of the route that takes modules.
const uploadPath = "/plugins"

// route is one row of the table: the single source of the router, of the OpenAPI
// document and of the golden list in the tests.
type route struct {
	method, path string
	summary      string
	// query names the query parameters; others are refused.
	query []string
	// in and out are a value of the body's type and of the answer's, nil for none. A
	// body of type module is one, all others are JSON.
	in, out any
	// media is the type of the answer where it is not JSON; out is nil then.
	media string
	// status is that of success.
	status int
	// timeout bounds the use case; zero stands for requestTimeout.
	timeout time.Duration
	// creates says that the route takes an Idempotency-Key, edits that it needs
	// If-Match.
	creates, edits bool
	// right is what the actor needs; empty needs none. What changes plugins needs one.
	right auth.Right

	// quiet says why a route that is not a GET has no entry in the audit; told names the
	// fields of the body that the entry shows, none of which may hold a secret. digest
	// has it show the hash of the body: only for bodies that nobody could guess a secret of.
	quiet  string
	told   []string
	digest bool

	handle func(*Server, context.Context, *request) (answer, error)
	// stream takes over the connection; instead of handle.
	stream func(*Server, *fiber.Ctx) error
}

// The reasons why a route that is not a GET has no entry in the audit.
const (
	quietAsks    = "it changes nothing"
	quietDraft   = "a draft is nothing that runs; publishing one has an entry"
	quietCall    = "the call itself has an entry"
	quietRecords = "the records of the run say who did it"
)

// fiberPath writes the path in the router's notation.
func (r route) fiberPath() string {
	return strings.NewReplacer("{", ":", "}", "").Replace(r.path)
}

// routes returns the table.
//
//nolint:funlen // a table: one row a route
func routes() []route {
	paged := []string{"limit", "cursor"}
	searched := append([]string{"q"}, paged...)
	return slices.Concat(systemRoutes(), listRoutes(), draftRoutes(), keyRoutes(), []route{
		{
			method: http.MethodGet, path: "/openapi.json", summary: "This document.", out: map[string]any{},
			handle: (*Server).getOpenAPI,
		},
		{method: http.MethodGet, path: "/meta", summary: "What the client talks to, and as whom.", out: Meta{}, handle: (*Server).getMeta},

		{method: http.MethodGet, path: "/projects", summary: "List projects.", query: paged, out: page.Of[projects.Project]{}, handle: (*Server).listProjects},
		{method: http.MethodGet, path: "/projects/{project}", summary: "Read a project.", out: projects.Project{}, handle: (*Server).getProject},

		{
			method: http.MethodGet, path: "/projects/{project}/plugins", summary: "List the installed plugins with the project's grants.",
			query: searched, out: page.Of[plugins.Plugin]{}, handle: (*Server).listPlugins,
		},
		{method: http.MethodGet, path: "/projects/{project}/plugins/{plugin}", summary: "Read a plugin.", out: plugins.Plugin{}, handle: (*Server).getPlugin},
		{
			method: http.MethodPut, path: "/projects/{project}/plugins/{plugin}/grants",
			summary: "Replace the operations that the plugin may call in the project.",
			in:      grantsBody{}, out: plugins.Plugin{}, right: auth.PluginApprove, told: []string{"grants"}, handle: (*Server).putGrants,
		},
		{
			method: http.MethodPut, path: "/projects/{project}/plugins/{plugin}/enabled",
			summary: "Switch a plugin on or off in the project.",
			in:      enabledBody{}, out: plugins.Plugin{}, right: auth.PluginApprove, told: []string{"enabled"}, handle: (*Server).putEnabled,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/plugins/{plugin}/uses",
			summary: "List the flows that use a plugin, and the runs that have not ended and pinned it.",
			out:     runs.Uses{}, handle: (*Server).getUses,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/plugins/{plugin}/health",
			summary: "Read how the calls of a plugin went in the last day or week.",
			query:   []string{"window"}, out: health.Report{}, handle: (*Server).getHealth,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/plugin-health",
			summary: "Read how the calls of all plugins went in the last day, in short.",
			out:     page.Of[health.Summary]{}, handle: (*Server).listHealth,
		},

		{
			method: http.MethodPost, path: "/projects/{project}/plugins/{plugin}/options",
			summary: "Ask the plugin for the choices of a form field; change nothing.",
			in:      choicesBody{}, out: runs.Choices{}, quiet: quietAsks, handle: (*Server).choices,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/plugins/{plugin}/options/recordings",
			summary: "List the recorded calls for the choices of a form field, the oldest first.",
			query:   append([]string{"action", "source"}, paged...), out: page.Of[recordings.Meta]{}, handle: (*Server).listChoicesRecordings,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/plugins/{plugin}/options/recordings/{recording}",
			summary: "Read the recording of a call for choices, without secrets.",
			query:   []string{"action", "source"}, out: recordings.View{}, handle: (*Server).getChoicesRecording,
		},

		{
			method: http.MethodGet, path: uploadPath, summary: "List everything that is installed, in whatever state, with its versions.",
			query: searched, out: page.Of[plugins.Installed]{}, handle: (*Server).listInstalled,
		},
		{
			method: http.MethodPost, path: uploadPath, summary: "Install a module, with the signatures of the Plugin-Signature headers.",
			query: []string{"override"}, in: module{}, out: plugins.Module{}, status: http.StatusCreated, timeout: installTimeout,
			right: auth.PluginPublish, digest: true, handle: (*Server).installPlugin,
		},
		{
			method: http.MethodPost, path: "/plugin-pulls", summary: "Install a plugin from a registry that the configuration allows.",
			in: pullBody{}, out: plugins.Module{}, status: http.StatusCreated, timeout: installTimeout, right: auth.PluginPublish,
			told: []string{"reference", "override"}, handle: (*Server).pullPlugin,
		},
		{
			method: http.MethodGet, path: "/plugins/{plugin}/versions", summary: "List the installed versions of a plugin, the highest first.",
			out: versionsBody{}, handle: (*Server).listPluginVersions,
		},
		{
			method: http.MethodGet, path: "/plugins/{plugin}/versions/{digest}", summary: "Read an installed version of a plugin.",
			out: plugins.Module{}, handle: (*Server).getPluginVersion,
		},
		{
			method: http.MethodGet, path: "/plugins/{plugin}/versions/{digest}/module", summary: "Read the bytes of an installed module.",
			media: mediaWasm, handle: (*Server).getModule,
		},
		{
			method: http.MethodPost, path: "/plugins/{plugin}/versions/{digest}/commands",
			summary: "Approve, activate, withdraw or block a version of a plugin.",
			in:      changeBody{}, out: plugins.Module{}, right: auth.PluginApprove, told: []string{"command", "override", "reason"}, handle: (*Server).changePluginVersion,
		},
		{
			method: http.MethodPost, path: "/plugins/{plugin}/versions/{digest}/signatures", summary: "Add a signature to an installed version.",
			in: signatureBody{}, out: plugins.Module{}, right: auth.PluginPublish, handle: (*Server).signPluginVersion,
		},
		{
			method: http.MethodGet, path: "/plugins/{plugin}/history", summary: "Read what was done with a plugin, the newest first.",
			query: paged, out: page.Of[plugins.Event]{}, handle: (*Server).getPluginHistory,
		},
		{method: http.MethodGet, path: "/trust", summary: "Read whose signatures count, and what is asked of plugins.", out: plugins.TrustView{}, handle: (*Server).getTrust},
		{
			method: http.MethodPost, path: "/trust/keys/{key}/revoke", summary: "End the trust in a key.",
			in: revokeBody{}, out: plugins.TrustView{}, right: auth.PluginApprove, told: []string{"reason"}, handle: (*Server).revokeKey,
		},

		{
			method: http.MethodPost, path: "/projects/{project}/systems/{system}/operations/{operation}/call",
			summary: "Call an operation of a system in one's own name.", in: callBody{}, out: tryout.Answer{}, timeout: callTimeout,
			quiet: quietCall, handle: (*Server).callOperation,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/systems/{system}/credential",
			summary: "Tell what may be known of the credential of a system: never a value.",
			out:     registry.CredentialView{}, handle: (*Server).getCredential,
		},
		{
			method: http.MethodPut, path: "/projects/{project}/systems/{system}/credential",
			summary: "Add a version of the credential of a system, or make another the primary. It can never be read back.",
			in:      credentialBody{}, out: registry.CredentialView{}, handle: (*Server).putCredential,
		},
		{
			method: http.MethodDelete, path: "/projects/{project}/systems/{system}/credential",
			summary: "Delete the credential of a system in the project, all versions.",
			handle:  (*Server).deleteCredential,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/systems/{system}/credential/test",
			summary: "Try to reach the system with its credential, and say how far that came.",
			in:      testBody{}, out: registry.ConnectionResult{}, handle: (*Server).testCredential,
		},
		{
			method: http.MethodDelete, path: "/projects/{project}/systems/{system}/credential/versions/{version}",
			summary: "Delete a version of the credential of a system; what is left is the primary.",
			handle:  (*Server).deleteCredentialVersion,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/systems/{system}/credential/default",
			summary: "Tell what may be known of the credential that the installation has for a system.",
			out:     registry.CredentialView{}, handle: (*Server).getDefaultCredential,
		},
		{
			method: http.MethodPut, path: "/projects/{project}/systems/{system}/credential/default",
			summary: "Add a version of the credential of the installation for a system: the default of all projects.",
			in:      credentialBody{}, out: registry.CredentialView{}, handle: (*Server).putDefaultCredential,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/systems/{system}/credential/default/test",
			summary: "Try to reach the system with the credential that the installation has for it, and say how far that came.",
			in:      testBody{}, out: registry.ConnectionResult{}, handle: (*Server).testDefaultCredential,
		},
		{
			method: http.MethodDelete, path: "/projects/{project}/systems/{system}/credential/default/versions/{version}",
			summary: "Delete a version of the credential that the installation has for a system.",
			handle:  (*Server).deleteDefaultCredentialVersion,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/systems/{system}/state",
			summary: "Tell what is under way to a system, and whether it is left alone because it fails.",
			out:     registry.State{}, handle: (*Server).getSystemState,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/systems/{system}/state/commands", summary: "Let calls through again to a system that is left alone.",
			in: stateCommandBody{}, out: registry.State{}, handle: (*Server).commandSystemState,
		},

		{
			method: http.MethodGet, path: "/projects/{project}/secrets", summary: "List the secrets of a project, without their values.",
			out: page.Of[secrets.Info]{}, handle: (*Server).listSecrets,
		},
		{
			method: http.MethodPut, path: "/projects/{project}/secrets/{secret}", summary: "Set a secret of a project. It cannot be read back.",
			in: secretBody{}, out: secrets.Info{}, handle: (*Server).putSecret,
		},
		{
			method: http.MethodDelete, path: "/projects/{project}/secrets/{secret}", summary: "Delete a secret of a project.",
			status: http.StatusNoContent, handle: (*Server).deleteSecret,
		},

		{
			method: http.MethodGet, path: "/projects/{project}/calls", summary: "List the calls to systems, the newest first.",
			query: auditPage(), out: page.Of[audit.Entry]{}, handle: (*Server).listCalls,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/audit", summary: "List calls and changes of a project, the newest first.",
			query: auditPage("kind", "action"), out: page.Of[audit.Entry]{}, handle: (*Server).listProjectAudit,
		},
		{
			method: http.MethodGet, path: "/audit", summary: "List calls and changes of the installation, the newest first.",
			query: auditPage("kind", "action", "project"), out: page.Of[audit.Entry]{}, handle: (*Server).listAudit,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/audit/export",
			summary: "Hand out calls and changes of a project as JSON lines, the oldest first. It is audited.",
			query:   auditRange(), media: mediaLines, handle: (*Server).exportProjectAudit,
		},
		{
			method: http.MethodGet, path: "/audit/export",
			summary: "Hand out the log of the installation as JSON lines, the oldest first; what is handed out whole can be verified. It is audited.",
			query:   auditRange("project"), media: mediaLines, handle: (*Server).exportAudit,
		},

		{
			method: http.MethodPost, path: "/projects/{project}/flows", summary: "Create a flow from a draft, also one with problems.",
			in: documentBody{}, out: flows.Detail{}, status: http.StatusCreated, creates: true, quiet: quietDraft, handle: (*Server).createFlow,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/flows/validate", summary: "Check a document; store nothing.",
			in: documentBody{}, out: problemsBody{}, quiet: quietAsks, handle: (*Server).validateFlow,
		},
		{method: http.MethodGet, path: "/projects/{project}/flows/{flow}", summary: "Read a flow with its draft.", out: flows.Detail{}, handle: (*Server).getFlow},
		{
			method: http.MethodPut, path: "/projects/{project}/flows/{flow}", summary: "Save the draft, also one with problems.",
			in: documentBody{}, out: flows.Detail{}, edits: true, quiet: quietDraft, handle: (*Server).saveFlow,
		},
		{
			method: http.MethodDelete, path: "/projects/{project}/flows/{flow}", summary: "Delete a flow; its runs stay.",
			status: http.StatusNoContent, handle: (*Server).deleteFlow,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/flows/{flow}/versions", summary: "List the published versions.",
			query: paged, out: page.Of[flows.Version]{}, handle: (*Server).listVersions,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/flows/{flow}/versions", summary: "Publish the draft as the next version.",
			in: publishBody{}, out: flows.Version{}, status: http.StatusCreated, creates: true, told: []string{"revision", "note"}, handle: (*Server).publishVersion,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/flows/{flow}/versions/{version}", summary: "Read a version with its document.",
			out: flows.Version{}, handle: (*Server).getVersion,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/flows/{flow}/runs", summary: "Start a run of a published version.",
			in: startBody{}, out: runs.Summary{}, status: http.StatusCreated, creates: true, quiet: quietRecords, handle: (*Server).startRun,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/flows/{flow}/simulate",
			summary: "Run a flow in virtual time with scripted answers; store nothing.",
			in:      simulateBody{}, out: simulate.Report{}, quiet: quietAsks, handle: (*Server).simulateFlow,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/flows/{flow}/preview", summary: "Show what a start would run; start nothing.",
			in: previewBody{}, out: runs.Preview{}, quiet: quietAsks, handle: (*Server).previewStart,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/flows/{flow}/expressions/preview",
			summary: "Evaluate expressions over the values of a run; store nothing.",
			in:      expressionsBody{}, out: runs.ExpressionValues{}, quiet: quietAsks, handle: (*Server).previewExpressions,
		},

		{method: http.MethodGet, path: "/projects/{project}/runs/{run}", summary: "Read a run with the document it runs.", out: runs.Detail{}, handle: (*Server).getRun},
		{
			method: http.MethodGet, path: "/projects/{project}/runs/{run}/nodes/{node}", summary: "Read everything about one node.",
			out: runs.NodeDetail{}, handle: (*Server).getNode,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/runs/{run}/nodes/{node}/recordings",
			summary: "List the recorded plugin calls of a node, the oldest first.",
			query:   paged, out: page.Of[recordings.Meta]{}, handle: (*Server).listRecordings,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/runs/{run}/nodes/{node}/recordings/{recording}",
			summary: "Read the recording of a plugin call, without secrets.",
			out:     recordings.View{}, handle: (*Server).getRecording,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/runs/{run}/records", summary: "Read the history after a sequence number.",
			query: []string{"after", "limit"}, out: recordsBody{}, handle: (*Server).listRecords,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/runs/{run}/commands", summary: "Pause, resume, fail or revoke a run, change its variables, or roll it back.",
			in: runCommandBody{}, out: seqBody{}, creates: true, quiet: quietRecords, handle: (*Server).commandRun,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/runs/{run}/rollback/preview",
			summary: "Show what a rollback would undo; change nothing.",
			in:      rollbackBody{}, out: engine.Plan{}, quiet: quietAsks, handle: (*Server).previewRollback,
		},
		{
			method: http.MethodPost, path: "/projects/{project}/runs/{run}/nodes/{node}/commands",
			summary: "Pause, resume, retry, skip, force-fail, resolve or reschedule a node, or answer its wait.",
			in:      nodeCommandBody{}, out: seqBody{}, creates: true, quiet: quietRecords, handle: (*Server).commandNode,
		},
		{
			method: http.MethodGet, path: "/projects/{project}/runs/{run}/events", summary: "Follow a run over a WebSocket.",
			query: []string{"after"}, status: http.StatusSwitchingProtocols, stream: (*Server).events,
		},
	})
}

type problemsBody struct {
	Problems []engine.Problem `json:"problems"`
}

type seqBody struct {
	Seq uint64 `json:"seq"`
}
