package app

import (
	"strings"

	"github.com/culmhq/culm/host/api"
	"github.com/culmhq/culm/host/config"
)

// callbackBase is what the token of a callback is appended to; empty without a listener.
func callbackBase(c config.Callbacks) string {
	if c.URL == "" {
		return ""
	}
	return strings.TrimRight(c.URL, "/") + api.CallbackPath
}
