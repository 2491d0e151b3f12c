package main

import (
	"github.com/culmhq/culm/host/auth"
	"github.com/culmhq/culm/host/fault"
)

// step is what can be done about a refusal, where the refusal itself does not tell; "" for
// all others.
func (t text) step(f *fault.Error) string {
	if f.Code == fault.SignaturePolicy {
		return t.in("sign the module with a trusted key (culm plugin sign), or ask an administrator to trust the key that signed it (culm plugin trust)")
	}
	if f.Code != fault.Forbidden || f.Reason != "RIGHT" {
		return ""
	}
	if right := f.Args["a"]; right != string(auth.PluginPublish) {
		return t.inf("ask an administrator of the server to start it without --deny %s", right)
	}
	return t.in("ask an administrator of the server to put the module into the directory of --plugins and start it again," +
		" or to start it without --deny plugin:publish")
}
