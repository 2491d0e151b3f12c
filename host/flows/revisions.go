package flows

import (
	"context"
	"encoding/json"
	"time"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/page"
)

// The bounds of what is kept of a draft's earlier revisions. An editor saves every few
// seconds, so that a count alone would hold a few minutes.
const (
	// RevisionsRecent is how many of the newest are kept whatever they are.
	RevisionsRecent = 20
	// RevisionsEvery is the time of which the last revision of each person is kept.
	RevisionsEvery = 10 * time.Minute
	// RevisionsMax and RevisionsBytesMax bound those behind the newest, in number and in
	// bytes as they are stored.
	RevisionsMax      = 200
	RevisionsBytesMax = 16 << 20
)

// Revision is the draft of a flow as one save left it.
type Revision struct {
	// Number counts the saves from 1.
	Number  int       `json:"revision"`
	Nodes   int       `json:"nodes"`
	Valid   bool      `json:"valid"`
	SavedAt time.Time `json:"saved_at"`
	SavedBy string    `json:"saved_by"`
	// Document is absent in lists.
	Document json.RawMessage `json:"document,omitempty"`
	// Bytes is the size of the document as it is stored.
	Bytes int `json:"-"`
}

// Revisions keeps what the saves of a draft replaced.
type Revisions interface {
	// FlowRevision returns a revision with its document, that of the draft too.
	FlowRevision(ctx context.Context, project, flow string, number int) (Revision, error)
	// FlowRevisions returns revisions without documents, the newest first; the first is the
	// draft.
	FlowRevisions(ctx context.Context, project, flow string, q page.Query) (page.Of[Revision], error)
}

// Revision returns a revision of a draft that is still kept, with its document.
func (s *Service) Revision(ctx context.Context, project, flow string, number int) (Revision, error) {
	if number < 1 {
		return Revision{}, fault.At("/revision", "revisions count from 1").Because("FROM_ONE")
	}
	return s.o.Repository.FlowRevision(ctx, project, flow, number)
}

// Revisions returns a page of the revisions that are kept, without documents, the newest
// first; the first of all is the draft as it is.
func (s *Service) Revisions(ctx context.Context, project, flow string, q page.Query) (page.Of[Revision], error) {
	if _, err := s.o.Repository.Flow(ctx, project, flow); err != nil {
		return page.Of[Revision]{}, err
	}
	return s.o.Repository.FlowRevisions(ctx, project, flow, q)
}

// Superfluous returns the numbers of those revisions that need not be kept. They come with
// the newest first, without documents.
func Superfluous(rs []Revision) []int {
	type stretch struct {
		by string
		at int64
	}
	var out []int
	seen := map[stretch]bool{}
	kept, bytes := 0, 0
	for i, r := range rs {
		s := stretch{r.SavedBy, r.SavedAt.UnixMicro() / RevisionsEvery.Microseconds()}
		if i >= RevisionsRecent && (seen[s] || kept >= RevisionsMax || bytes+r.Bytes > RevisionsBytesMax) {
			out = append(out, r.Number)
			continue
		}
		seen[s] = true
		kept++
		bytes += r.Bytes
	}
	return out
}

// Standing tells how far a flow is: the revision of its draft and its latest version.
func (s *Service) Standing(ctx context.Context, project, flow string) (revision, version int, err error) {
	d, err := s.o.Repository.Flow(ctx, project, flow)
	return d.Revision, d.Version, err
}
