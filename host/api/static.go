package api

import (
	"errors"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// notBuilt is served where the canvas application is not inside the binary.
const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Culm</title>
<h1>Culm is running</h1>
<p>The canvas application is not part of this binary: it was built before the frontend was. Run <code>make build</code>.</p>
<p>The API answers under <a href="/api/v1/meta">/api/v1</a>; its description is <a href="/api/v1/openapi.json">openapi.json</a>.</p>
`

// mountAssets serves the canvas application: its files, and its page on the paths that are
// the application's own.
func (s *Server) mountAssets(files fs.FS) error {
	if files == nil {
		s.app.Get("/*", func(c *fiber.Ctx) error {
			if err := pageStatus(c, strings.TrimPrefix(c.Path(), "/")); err != nil {
				return err
			}
			return c.Type("html", "utf-8").SendString(notBuilt)
		})
		return nil
	}
	if _, err := fs.Stat(files, "index.html"); err != nil {
		return err
	}
	s.app.Get("/*", func(c *fiber.Ctx) error { return sendAsset(c, files) })
	return nil
}

// sendAsset answers a file, or the application's page: the application routes by itself.
func sendAsset(c *fiber.Ctx, files fs.FS) error {
	name := strings.TrimPrefix(path.Clean("/"+strings.Clone(c.Path())), "/")
	if info, err := fs.Stat(files, valid(name)); err != nil || info.IsDir() {
		if err := pageStatus(c, name); err != nil {
			return err
		}
		name = "index.html"
	}
	if strings.HasPrefix(name, "assets/") {
		c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	} else {
		c.Set(fiber.HeaderCacheControl, "no-cache")
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	b, encoding, err := readEncoded(files, name, c.Get(fiber.HeaderAcceptEncoding))
	if err != nil {
		return err
	}
	if encoding != "" {
		c.Set(fiber.HeaderContentEncoding, encoding)
	}
	c.Set(fiber.HeaderContentType, contentType(name, b))
	return c.Send(b)
}

// pageStatus says how the page of the application is answered on a path: as what is there
// on the application's own paths, and as the page that says so, with the status 404, to a
// person who mistyped one. A program that asks for what is not there is told so and gets no
// page, and nobody gets one on the paths where programs look for something else: a probe
// for /debug/pprof must not be answered as if it were there. Nor is a page answered for a
// file that is missing, so that an old page in a cache fails at once.
func pageStatus(c *fiber.Ctx, name string) error {
	first, _, _ := strings.Cut(name, "/")
	switch {
	case name == "" || name == "index.html" || first == "p":
		return nil
	case slices.Contains(notPages(), first), strings.ContainsAny(name, ".%"), !strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML):
		return errNoRoute
	default:
		c.Status(http.StatusNotFound)
		return nil
	}
}

// notPages are the first parts of paths where no page of the application can be.
func notPages() []string {
	return []string{"api", "assets", "callbacks", "debug", "healthz", "metrics", "readyz"}
}

func valid(name string) string {
	if fs.ValidPath(name) {
		return name
	}
	return "."
}

// readEncoded reads a file, or the best of its compressed copies that the client takes.
func readEncoded(files fs.FS, name, accept string) (b []byte, encoding string, err error) {
	for _, e := range []struct{ token, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(accept, e.token) {
			continue
		}
		if b, err = fs.ReadFile(files, name+e.suffix); err == nil {
			return b, e.token, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, "", err
		}
	}
	b, err = fs.ReadFile(files, name)
	return b, "", err
}

// accepts reports whether an Accept-Encoding header names the coding and does not
// forbid it.
func accepts(header, coding string) bool {
	for _, part := range strings.Split(header, ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(name), coding) {
			q = strings.TrimPrefix(strings.TrimSpace(q), "q=")
			return strings.Trim(q, "0.") != "" || q == ""
		}
	}
	return false
}

// contentType goes by the name; the tables of the operating system are not asked,
// because they differ.
func contentType(name string, b []byte) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".json", ".map":
		return fiber.MIMEApplicationJSON
	case ".webmanifest":
		return "application/manifest+json"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".ico":
		return "image/x-icon"
	default:
		return http.DetectContentType(b)
	}
}
