package api

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/culmhq/culm/host/audit"
)

// mediaLines is the type of an export: JSON, an object a line.
const mediaLines = "application/jsonl"

// The headers of an export: the numbers that it looks through end with the first; the second
// is the newest there is.
const (
	headerThrough = "Culm-Audit-Through"
	headerHead    = "Culm-Audit-Head"
)

// exportWriteTimeout bounds the wait for a client that does not read on.
const exportWriteTimeout = 30 * time.Second

// exportAudit hands out the log of the installation.
func (s *Server) exportAudit(ctx context.Context, r *request) (answer, error) {
	return s.exported(ctx, r, r.query.Get("project"))
}

// exportProjectAudit hands out what of the log concerns a project.
func (s *Server) exportProjectAudit(ctx context.Context, r *request) (answer, error) {
	return s.exported(ctx, r, r.params["project"])
}

func (s *Server) exported(ctx context.Context, r *request, project string) (answer, error) {
	f, err := r.auditFilter()
	if err != nil {
		return answer{}, err
	}
	f.Project = project
	after, err := r.number("after")
	if err != nil {
		return answer{}, err
	}
	through, err := r.number("through")
	if err != nil {
		return answer{}, err
	}
	who := actor()
	taken, lines, err := s.o.Audit.Export(ctx, audit.Entry{Actor: who.ID, OnBehalfOf: who.OnBehalfOf},
		audit.Range{Filter: f, After: int64(after), Through: int64(through)}) //nolint:gosec // number reads 63 bits
	if err != nil {
		return answer{}, err
	}
	return answer{media: mediaLines, lines: lines, headers: map[string]string{
		headerThrough: strconv.FormatInt(taken.Through, 10), headerHead: strconv.FormatInt(taken.Head, 10),
		fiber.HeaderContentDisposition: fmt.Sprintf(`attachment; filename="audit-%d-%d.jsonl"`, taken.After+1, taken.Through),
		fiber.HeaderCacheControl:       "no-store",
	}}, nil
}

// slowly is a body that is sent for as long as somebody reads it: the time that the server
// gives to a whole answer is given to each piece instead. A read that fails breaks the
// connection, so that half an export does not pass for a whole one.
type slowly struct {
	io.ReadCloser
	conn net.Conn
}

// Read implements io.Reader.
func (b slowly) Read(p []byte) (int, error) {
	if err := b.conn.SetWriteDeadline(time.Now().Add(exportWriteTimeout)); err != nil {
		return 0, err
	}
	return b.ReadCloser.Read(p)
}

// sourced is the context of a request, with where it came from.
func sourced(c *fiber.Ctx) context.Context {
	return audit.WithSource(c.UserContext(), audit.NewSource(c.Context().RemoteAddr().String(),
		strings.Clone(c.Get(fiber.HeaderXForwardedFor)), strings.Clone(c.Get(fiber.HeaderUserAgent))))
}
