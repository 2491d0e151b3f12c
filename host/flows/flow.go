// Package flows holds the use cases of flows: drafts that are edited under an
// optimistic lock and may have problems, and the numbered, immutable versions that
// are published from them.
package flows

import (
	"context"
	"encoding/json"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
	"github.com/culmhq/culm/pdk/contract"
)

// Detail is a flow with its draft.
type Detail struct {
	ID       string       `json:"id"`
	Document *engine.Flow `json:"document"`
	// Revision counts the saves of the draft, from 1.
	Revision int `json:"revision"`
	// Version is the number of the latest published version, 0 for none, and
	// PublishedRevision the draft's revision that it was made from.
	Version           int `json:"version"`
	PublishedRevision int `json:"published_revision"`
	// Problems are those of the draft against the catalogue as it is now.
	Problems  []engine.Problem `json:"problems"`
	UpdatedAt time.Time        `json:"updated_at"`
	UpdatedBy string           `json:"updated_by"`
}

// Summary is a flow in a list.
type Summary struct {
	ID       string        `json:"id"`
	Name     contract.Text `json:"name"`
	Doc      contract.Text `json:"doc,omitzero"`
	Revision int           `json:"revision"`
	Version  int           `json:"version"`
	// PublishedRevision is the draft's revision that the latest version was made from.
	PublishedRevision int `json:"published_revision"`
	// Nodes counts the nodes of the draft.
	Nodes     int       `json:"nodes"`
	UpdatedAt time.Time `json:"updated_at"`
	UpdatedBy string    `json:"updated_by"`
	// Valid says that the draft had no error when it was last saved.
	Valid   bool     `json:"valid"`
	LastRun *LastRun `json:"last_run,omitempty"`
}

// LastRun is the newest run of a flow.
type LastRun struct {
	ID        string          `json:"id"`
	State     engine.RunState `json:"state"`
	CreatedAt time.Time       `json:"created_at"`
}

// Version is a published, immutable version of a flow.
type Version struct {
	// Number counts from 1.
	Number int `json:"version"`
	// Digest is "sha256:" and the hex hash of the document's canonical JSON.
	Digest    string    `json:"digest"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	Note      string    `json:"note"`
	// Document is the version's canonical JSON; absent in lists.
	Document json.RawMessage `json:"document,omitempty"`
}

// CreateRequest asks for a new flow.
type CreateRequest struct {
	Project string
	Actor   engine.Actor
	// Document is the draft. An empty id is made from the name.
	Document *engine.Flow
	Key      idempotency.Key
}

// SaveRequest replaces the draft of a flow.
type SaveRequest struct {
	Project string
	Actor   engine.Actor
	Flow    string
	// Revision is the one the change was made from; another one stored gives a
	// fault.Conflict whose Current is the Detail.
	Revision int
	Document *engine.Flow
}

// PublishRequest makes a version of the draft.
type PublishRequest struct {
	Project string
	Actor   engine.Actor
	Flow    string
	// Revision is the draft's that is meant; another one stored gives a
	// fault.Conflict.
	Revision int
	Note     string
	Key      idempotency.Key
}

// Sort is an order of flows.
type Sort string

// The orders: by the last change, or by the name in a language.
const (
	SortUpdated Sort = "updated"
	SortNameEn  Sort = "name_en"
	SortNameZh  Sort = "name_zh"
)

// Stage is how far a flow has come.
type Stage string

// The stages. A flow can be in several of them.
const (
	StageDraft     Stage = "draft"     // there is no version
	StagePublished Stage = "published" // there is one
	StageChanged   Stage = "changed"   // the draft was changed since the last version
	StageInvalid   Stage = "invalid"   // the draft has errors
)

// ListQuery asks for flows of a project. Zero fields do not restrict.
type ListQuery struct {
	Project string
	// Search, if not empty, is looked for in id and name, without case.
	Search string
	Stage  Stage
	// By is who changed the flow last.
	By string
	// From and To bound the last change: From counts, To does not any more.
	From, To time.Time
	// Sort is SortUpdated where it is empty. Without Ascending the newest change, or the
	// last name, comes first.
	Sort      Sort
	Ascending bool
	Page      page.Query
}

// Draft is a flow as it is stored.
type Draft struct {
	Project, ID string
	// Name and Doc are those of the document, for lists and search.
	Name, Doc contract.Text
	// Document is the draft's JSON, Nodes its number of nodes.
	Document          json.RawMessage
	Nodes             int
	Valid             bool
	Revision          int
	Version           int
	PublishedRevision int
	UpdatedAt         time.Time
	UpdatedBy         string
}

// Publication makes Version, whose number is given by the repository, of the draft at
// a revision.
type Publication struct {
	Project, Flow string
	Revision      int
	Version       Version
}

// Repository keeps flows. Methods return a fault.NotFound for what is not there.
type Repository interface {
	// CreateFlow stores a new draft and returns it, and remembers the idempotency
	// entry, if there is one, in the same transaction. A key that is known returns
	// the draft that it created, as it was then, or fault.KeyReused when it came
	// with another body; an id that is taken is fault.Exists.
	CreateFlow(ctx context.Context, d Draft, e *idempotency.Entry) (Draft, error)
	// SaveFlow replaces the draft if the stored revision is d.Revision-1, and keeps what it
	// replaced, but for what is Superfluous. It reports false, changing nothing, when it is
	// another one or there is none.
	SaveFlow(ctx context.Context, d Draft) (bool, error)
	Flow(ctx context.Context, project, id string) (Draft, error)
	// Flows returns drafts without documents, in the order of the query.
	Flows(ctx context.Context, q ListQuery) (page.Of[Draft], error)
	// DeleteFlow removes draft, revisions and versions. The numbers of its versions are not
	// given again to a flow with the same id. One that a subflow node of another
	// flow's draft or latest version names stays: fault.InUse says which those are.
	DeleteFlow(ctx context.Context, project, id string) error
	Versions
	Revisions
}

// Versions keeps the published versions of flows.
type Versions interface {
	// PublishFlow stores a version and returns it without its document; when the
	// latest version has the same digest it returns that one. It reports false,
	// changing nothing, when the draft has another revision. The idempotency entry
	// is that of CreateFlow.
	PublishFlow(ctx context.Context, p Publication, e *idempotency.Entry) (Version, bool, error)
	// FlowVersion returns a version with its document; number 0 is the latest.
	FlowVersion(ctx context.Context, project, flow string, number int) (Version, error)
	// FlowVersions returns versions without documents, newest first.
	FlowVersions(ctx context.Context, project, flow string, q page.Query) (page.Of[Version], error)
}

// Switched tells why a plugin that is installed may not be used. It is quick.
type Switched interface {
	// Disabled reports whether the project has switched the plugin off.
	Disabled(project, plugin string) bool
	// OutOfUse reports whether there are versions of the plugin and none may be used.
	OutOfUse(plugin string) bool
}

// Followers are told what became of flows. They do not wait for anybody.
type Followers interface {
	// Changed tells that a draft was made or saved, or a version of it published. Both
	// numbers are 0 for a flow that was deleted.
	Changed(project, flow string, revision, version int)
}

// Runs tells about the runs of flows.
type Runs interface {
	// LastRun returns the newest run of a flow, or nil.
	LastRun(ctx context.Context, project, flow string) (*LastRun, error)
}

// Projects tells whether a project exists: nil, or a fault.NotFound.
type Projects interface {
	Exists(ctx context.Context, project string) error
}

// Clock tells the time.
type Clock interface{ Now() time.Time }
