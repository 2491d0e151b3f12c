package flows

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/idempotency"
	"github.com/culmhq/culm/host/page"
)

// Options are what the use cases of flows need; all fields but Followers are required.
type Options struct {
	Repository Repository
	Projects   Projects
	Catalogue  engine.Catalogue
	Switched   Switched
	Secrets    Secrets
	// SecretsTo reports whether the version of a plugin that a start would take now may be
	// handed secrets. It spares a person a run that would fail: what keeps a secret back is the
	// call itself, so that nil, which finds nothing, gives nothing away.
	SecretsTo  func(plugin string) bool
	Operations Operations
	Users      Users
	Runs       Runs
	Followers  Followers
	Clock      Clock
	Logger     *slog.Logger
}

// Service is the use cases of flows. It is safe for concurrent use.
type Service struct {
	o       Options
	checker *Checker
	// publishing is held while a version is checked and stored: two flows that begin to
	// contain each other at the same time must not both pass.
	publishing sync.Mutex
}

// New makes the use cases.
func New(o Options) *Service {
	if o.Followers == nil {
		o.Followers = nobody{}
	}
	return &Service{o: o, checker: NewChecker(o.Catalogue)}
}

// nobody follows flows.
type nobody struct{}

// Changed tells nobody.
func (nobody) Changed(string, string, int, int) {}

// Create stores a new draft, also one with problems. An id that is taken is a
// fault.Exists; an empty one is made from the name.
func (s *Service) Create(ctx context.Context, r CreateRequest) (Detail, error) {
	if r.Document == nil {
		return Detail{}, fault.At("/document", "is missing").Because("MISSING")
	}
	if err := s.o.Projects.Exists(ctx, r.Project); err != nil {
		return Detail{}, err
	}
	base, given := r.Document.ID, r.Document.ID != ""
	if given && !idPattern.MatchString(base) {
		return Detail{}, fault.At("/document/id", "an id is a lower-case letter, then up to 63 of [a-z0-9-]").Because("ID")
	}
	if !given {
		base = slug(r.Document.Name)
	}
	at := s.now()
	entry := &idempotency.Entry{
		Scope: idempotency.Scope{Project: r.Project, Actor: r.Actor, Route: "flows"}, Key: r.Key, At: at,
	}
	for n := 1; ; n++ {
		d, err := s.draft(ctx, r.Document, Draft{
			Project: r.Project, ID: numbered(base, n), Revision: 1, UpdatedAt: at, UpdatedBy: r.Actor.ID,
		})
		if err != nil {
			return Detail{}, err
		}
		d, err = s.o.Repository.CreateFlow(ctx, d, entry)
		if fault.Is(err, fault.Exists) && !given && n < suffixMax {
			continue
		}
		if err != nil {
			return Detail{}, err
		}
		s.o.Followers.Changed(d.Project, d.ID, d.Revision, d.Version)
		return s.detail(ctx, d)
	}
}

// Get returns a flow with its draft and the draft's problems.
func (s *Service) Get(ctx context.Context, project, id string) (Detail, error) {
	d, err := s.o.Repository.Flow(ctx, project, id)
	if err != nil {
		return Detail{}, err
	}
	return s.detail(ctx, d)
}

// Save replaces the draft, also by one with problems.
func (s *Service) Save(ctx context.Context, r SaveRequest) (Detail, error) {
	if r.Document == nil {
		return Detail{}, fault.At("/document", "is missing").Because("MISSING")
	}
	if r.Document.ID != "" && r.Document.ID != r.Flow {
		return Detail{}, fault.At("/document/id", "the id of a flow does not change").Because("FLOW_ID_FIXED")
	}
	before, err := s.o.Repository.Flow(ctx, r.Project, r.Flow)
	if err != nil {
		return Detail{}, err
	}
	next := before
	next.Revision, next.UpdatedAt, next.UpdatedBy = r.Revision+1, s.now(), r.Actor.ID
	next, err = s.draft(ctx, r.Document, next)
	if err != nil {
		return Detail{}, err
	}
	saved, err := s.o.Repository.SaveFlow(ctx, next)
	if err != nil {
		return Detail{}, err
	}
	if !saved {
		return Detail{}, s.conflict(ctx, r.Project, r.Flow)
	}
	s.o.Followers.Changed(r.Project, r.Flow, next.Revision, next.Version)
	return s.detail(ctx, next)
}

// Delete removes a flow and its versions; runs keep what they run. One that other
// flows contain is a fault.InUse: they could not be started any more.
func (s *Service) Delete(ctx context.Context, project, id string, by engine.Actor) error {
	if err := s.o.Repository.DeleteFlow(ctx, project, id); err != nil {
		return err
	}
	s.o.Followers.Changed(project, id, 0, 0)
	s.o.Logger.InfoContext(ctx, "flow deleted", "project", project, "flow", id, "actor", by.ID, "on_behalf_of", by.OnBehalfOf)
	return nil
}

// List returns a page of flows.
func (s *Service) List(ctx context.Context, q ListQuery) (page.Of[Summary], error) {
	none := page.Of[Summary]{}
	switch q.Stage {
	case "", StageDraft, StagePublished, StageChanged, StageInvalid:
	default:
		return none, fault.At("/stage", "no stage %.32q", q.Stage).Because("CHOICE")
	}
	switch q.Sort {
	case "", SortUpdated, SortNameEn, SortNameZh:
	default:
		return none, fault.At("/sort", "flows cannot be sorted by %.32q", q.Sort).Because("CHOICE")
	}
	if err := s.o.Projects.Exists(ctx, q.Project); err != nil {
		return none, err
	}
	drafts, err := s.o.Repository.Flows(ctx, q)
	if err != nil {
		return none, err
	}
	out := page.Of[Summary]{Items: make([]Summary, 0, len(drafts.Items)), Next: drafts.Next}
	for _, d := range drafts.Items {
		last, err := s.o.Runs.LastRun(ctx, d.Project, d.ID)
		if err != nil {
			return none, err
		}
		out.Items = append(out.Items, Summary{
			ID: d.ID, Name: d.Name, Doc: d.Doc, Revision: d.Revision, Version: d.Version, PublishedRevision: d.PublishedRevision, Nodes: d.Nodes,
			UpdatedAt: d.UpdatedAt, UpdatedBy: d.UpdatedBy, Valid: d.Valid, LastRun: last,
		})
	}
	return out, nil
}

// Validate returns every problem of a document in a project, never nil; it stores
// nothing.
func (s *Service) Validate(ctx context.Context, project string, f *engine.Flow) ([]engine.Problem, error) {
	r, err := s.Resolve(ctx, project, f)
	if err != nil {
		return nil, err
	}
	if r.operations, err = s.operations(ctx, project, f); err != nil {
		return nil, err
	}
	return s.checker.problems(r), nil
}

// Publish makes the draft the next version. A draft that is the latest version
// already answers that one; one with errors is a fault.Invalid with Problems.
func (s *Service) Publish(ctx context.Context, r PublishRequest) (Version, error) {
	if len(r.Note) > noteMax {
		return Version{}, fault.At("/note", "is longer than %d bytes", noteMax).Because("TOO_MANY_BYTES")
	}
	d, err := s.o.Repository.Flow(ctx, r.Project, r.Flow)
	if err != nil {
		return Version{}, err
	}
	f, err := stored(d)
	if err != nil {
		return Version{}, err
	}
	s.publishing.Lock()
	defer s.publishing.Unlock()
	ps, err := s.Validate(ctx, r.Project, f)
	if err != nil {
		return Version{}, err
	}
	if d.Revision == r.Revision && Errors(ps) {
		e := fault.New(fault.Invalid, "the draft has problems").Because("DRAFT_PROBLEMS")
		e.Problems = ps
		return Version{}, e
	}
	at := s.now()
	v, current, err := s.o.Repository.PublishFlow(ctx, Publication{
		Project: r.Project, Flow: r.Flow, Revision: r.Revision,
		Version: Version{Digest: engine.Digest(f), CreatedAt: at, CreatedBy: r.Actor.ID, Note: r.Note, Document: d.Document},
	}, &idempotency.Entry{
		Scope: idempotency.Scope{Project: r.Project, Actor: r.Actor, Route: "flows/" + r.Flow + "/versions"}, Key: r.Key, At: at,
	})
	if err != nil {
		return Version{}, err
	}
	if !current {
		return Version{}, s.conflict(ctx, r.Project, r.Flow)
	}
	s.o.Followers.Changed(r.Project, r.Flow, r.Revision, v.Number)
	return v, nil
}

// Version returns a version with its document; number 0 is the latest.
func (s *Service) Version(ctx context.Context, project, flow string, number int) (Version, error) {
	if number < 0 {
		return Version{}, fault.At("/version", "versions count from 1").Because("FROM_ONE")
	}
	return s.o.Repository.FlowVersion(ctx, project, flow, number)
}

// Versions returns a page of versions without documents, newest first.
func (s *Service) Versions(ctx context.Context, project, flow string, q page.Query) (page.Of[Version], error) {
	if _, err := s.o.Repository.Flow(ctx, project, flow); err != nil {
		return page.Of[Version]{}, err
	}
	return s.o.Repository.FlowVersions(ctx, project, flow, q)
}

// now is the instant as it is stored, so that an answer equals what is read later.
func (s *Service) now() time.Time { return s.o.Clock.Now().UTC().Truncate(time.Microsecond) }

// draft fills in what a draft says of its document.
func (s *Service) draft(ctx context.Context, f *engine.Flow, d Draft) (Draft, error) {
	doc := *f
	doc.ID = d.ID
	b := engine.Canonical(&doc)
	if len(b) > DocumentBytesMax {
		return Draft{}, fault.New(fault.TooLarge, "a flow may have %d bytes at most", DocumentBytesMax).Because("FLOW_TOO_LARGE")
	}
	d.Name, d.Doc, d.Document, d.Nodes = doc.Name, doc.Doc, b, len(doc.Nodes)
	ps, err := s.Validate(ctx, d.Project, &doc)
	if err != nil {
		return Draft{}, err
	}
	d.Valid = !Errors(ps)
	return d, inTheClear(ps)
}

func (s *Service) detail(ctx context.Context, d Draft) (Detail, error) {
	f, err := stored(d)
	if err != nil {
		return Detail{}, err
	}
	ps, err := s.Validate(ctx, d.Project, f)
	if err != nil {
		return Detail{}, err
	}
	return Detail{
		ID: d.ID, Document: f, Revision: d.Revision, Version: d.Version, PublishedRevision: d.PublishedRevision,
		Problems: ps, UpdatedAt: d.UpdatedAt, UpdatedBy: d.UpdatedBy,
	}, nil
}

// conflict says what is stored instead of what a change was made from.
func (s *Service) conflict(ctx context.Context, project, id string) error {
	d, err := s.Get(ctx, project, id)
	if err != nil {
		return err
	}
	e := fault.New(fault.Conflict, "the draft is at revision %d, changed by %s", d.Revision, d.UpdatedBy).Because("DRAFT_CHANGED")
	e.Current = d
	return e
}

func stored(d Draft) (*engine.Flow, error) {
	var f engine.Flow
	if err := json.Unmarshal(d.Document, &f); err != nil {
		return nil, fault.Wrap(fmt.Sprintf("read the document of flow %s", d.ID), err)
	}
	return &f, nil
}
