package api

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"mime"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/culmhq/culm/host/callbacks"
	"github.com/culmhq/culm/host/fault"
)

// CallbackPath is what the tokens of callbacks are appended to. It lies outside the API:
// who comes here has a token and nothing else.
const CallbackPath = "/callbacks/"

//go:embed callback.html
var callbackPage string

// callbackFieldsMax bounds the fields of a form.
const callbackFieldsMax = 64

// mountCallbacks registers the path of callbacks. GET shows a page and does nothing, because
// programs that check links in mails and chats open them; POST acts.
func (s *Server) mountCallbacks() error {
	page, err := template.New("callback").Parse(callbackPage)
	if err != nil {
		return err
	}
	path := CallbackPath + ":token"
	s.app.Get(path, func(c *fiber.Ctx) error { return s.showCallback(c, page) })
	s.app.Post(path, s.takeCallback)
	s.app.All(path, func(*fiber.Ctx) error { return errMethod })
	return nil
}

func (s *Server) showCallback(c *fiber.Ctx, page *template.Template) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), requestTimeout)
	defer cancel()
	err := s.o.Callbacks.Look(ctx, strings.Clone(c.Params("token")))
	view := struct {
		Zh, Open bool
		State    string
	}{Zh: strings.HasPrefix(strings.ToLower(c.Get(fiber.HeaderAcceptLanguage)), "zh"), Open: err == nil}
	var f *fault.Error
	switch {
	case err == nil:
	case errors.As(err, &f) && status(f.Code) < http.StatusInternalServerError:
		view.State = string(f.Code)
		c.Status(status(f.Code))
	default:
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set("X-Robots-Tag", "noindex, nofollow")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	var b strings.Builder
	if err := page.Execute(&b, view); err != nil {
		return err
	}
	return c.SendString(b.String())
}

func (s *Server) takeCallback(c *fiber.Ctx) error {
	r := callbacks.Request{
		Token: strings.Clone(c.Params("token")), Body: append([]byte(nil), c.Body()...),
		Header: func(name string) string { return strings.Clone(c.Get(name)) },
	}
	media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	switch {
	case err != nil && c.Get(fiber.HeaderContentType) != "":
		return fault.New(codeMediaType, "the type of the body cannot be read")
	case media == fiber.MIMEApplicationForm:
		if r.Form, err = formFields(c); err != nil {
			return err
		}
	case media != "" && media != fiber.MIMEApplicationJSON && !strings.HasSuffix(media, "+json"):
		return fault.New(codeMediaType, "a callback is application/json")
	}
	ctx, cancel := context.WithTimeout(sourced(c), requestTimeout)
	defer cancel()
	a, err := s.o.Callbacks.Accept(ctx, r)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if a.Repeated {
		return c.JSON(a)
	}
	return c.Status(http.StatusAccepted).JSON(a)
}

func formFields(c *fiber.Ctx) (map[string]string, error) {
	args := c.Request().PostArgs()
	if args.Len() > callbackFieldsMax {
		return nil, fault.New(fault.TooLarge, "a form has at most %d fields", callbackFieldsMax)
	}
	out := map[string]string{}
	for k, v := range args.All() {
		out[string(k)] = strings.ToValidUTF8(string(v), "\ufffd")
	}
	return out, nil
}
