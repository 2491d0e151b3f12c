package api

import (
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/culmhq/culm/host/fault"
)

// guarded lets through what may come from the machine's own user only. The Host must
// be a loopback name, which defeats DNS rebinding; and what changes something, or
// opens a stream, must come from this origin or from a program that is no browser.
func guarded(c *fiber.Ctx) error {
	if strings.HasPrefix(c.Path(), CallbackPath) {
		return c.Next() // the token is what lets in, from wherever it comes
	}
	if !loopbackHost(c.Get(fiber.HeaderHost)) {
		return fault.New(codeHost, "Culm answers on loopback names only")
	}
	if safeMethod(c.Method()) && !isUpgrade(c) {
		return c.Next()
	}
	if !sameOrigin(c) {
		return fault.New(codeOrigin, "the request comes from another site")
	}
	return c.Next()
}

func safeMethod(m string) bool {
	return m == fiber.MethodGet || m == fiber.MethodHead || m == fiber.MethodOptions
}

func isUpgrade(c *fiber.Ctx) bool { return c.Get(fiber.HeaderUpgrade) != "" }

// sameOrigin looks at every sign that a browser gives; all of them must agree. A
// request with none of them and without cookies is a program's.
func sameOrigin(c *fiber.Ctx) bool {
	site, origin := c.Get("Sec-Fetch-Site"), c.Get(fiber.HeaderOrigin)
	if site != "" && site != "same-origin" && site != "none" {
		return false
	}
	if origin != "" {
		u, err := url.Parse(origin)
		return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host == c.Get(fiber.HeaderHost)
	}
	return site != "" && !isUpgrade(c) || site == "" && c.Get(fiber.HeaderCookie) == ""
}

// loopbackHost reports whether a Host header names this machine, with any port.
func loopbackHost(h string) bool {
	host := h
	if name, _, err := net.SplitHostPort(h); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.IsLoopback()
}

// contentPolicy lets the page load and reach nothing but this server. Inline styles
// are what the component library positions with; inline scripts are refused.
const contentPolicy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
	"worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// secured sets the headers that every answer bears.
func secured(c *fiber.Ctx) error {
	c.Set("Content-Security-Policy", contentPolicy)
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Frame-Options", "DENY")
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	if strings.HasPrefix(c.Path(), "/api/") {
		c.Set("Cache-Control", "no-store")
	}
	return c.Next()
}
