// Package pdk is what the author of a Culm plugin in Go imports.
//
// A plugin is a package main that declares one variable and one line of main:
//
//	var plugin = pdk.Register(pdk.Plugin{
//		ID: "clock", Version: "1.0.0", Title: pdk.Text{En: "Clock"},
//		Actions: []pdk.Actor{
//			pdk.Action[NowIn, NowOut]{ID: "now", Title: pdk.Text{En: "Now"}, Execute: now},
//		},
//	})
//
//	func main() { plugin.Main() }
//
//	// NowIn tells the time.
//	type NowIn struct {
//		// The IANA zone to tell it in.
//		Zone string `json:"zone" title:"Time zone"`
//	}
//
// # Forms
//
// The structs In and Out of an action are its contract. Their JSON Schemas are
// reflected when the plugin is built, on the author's machine; nothing of that is
// linked into the module.
//
//   - The json tag names a field. A field without omitempty or omitzero is
//     required; a name that is not a field is refused.
//   - The doc comment of In is the action's help text, that of a field its help.
//   - `title:"..."` labels a field; without it the label is made from the name.
//   - `jsonschema:"minLength=1,enum=a,enum=b,pattern=..."` adds keywords
//     (github.com/invopop/jsonschema).
//   - `choices:"in:In service|out:Drained"` is an enumeration with labels.
//   - `ui:"widget=textarea;placeholder=...;advanced"` adds ui:* keywords, which
//     only paint; `x:"expression=forbidden;secret"` adds x-* keywords, which the
//     server obeys. `x:"operation=system"`, `operation`, `params` and `body` give the
//     form the fields of the operation that the fields system and operation choose.
//   - Action.Defaults holds default values: the form shows them, and a call that
//     leaves a field out gets them.
//
// English stands in the code. Chinese stands in the file locale/zh.json beside it:
// an object from the JSON pointer of a text inside the manifest to its translation.
// When that file exists it must be complete, and a build refuses gaps.
//
// # Calls
//
// A function of an action returns its outputs, or an error: Fail and Retryable make
// typed ones, a failed gateway call passes through with its origin, system and
// status, and Poll, Timer, Until, Callback and Ask say that the node waits. Every
// call runs in a fresh instance of the module: what must outlive it goes into the
// state of a wait.
//
// # What must not be done
//
// The module has no files, sockets or environment. Package variables are shared by
// nothing: they start anew with each call.
package pdk
