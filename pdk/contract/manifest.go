package contract

import "encoding/json"

// ManifestFormat is the format of the manifests that this package describes.
const ManifestFormat = "culm.plugin/v1"

// ManifestSection is the name of the WebAssembly custom section that holds the
// manifest as JSON, so that a catalogue reads it without running any code.
const ManifestSection = "culm.manifest"

// Manifest says what a plugin is, what it offers and what it asks for.
type Manifest struct {
	// Format is ManifestFormat; a host refuses one that it does not know.
	Format string `json:"format"`
	// ID names the plugin: a lower-case letter, then up to 63 of [a-z0-9-].
	ID string `json:"id"`
	// Version is a semantic version without a leading v.
	Version string `json:"version"`
	Title   Text   `json:"title"`
	Doc     Text   `json:"doc,omitzero"`
	// Icon is the name of one of the icons that the canvas ships ("clock",
	// "http", "bell", ...); an unknown name shows the generic one.
	Icon    string   `json:"icon,omitempty"`
	Actions []Action `json:"actions"`
	// Needs lists every operation the plugin wants to call. Nothing is granted
	// by naming it here: an administrator does that.
	Needs  []Need  `json:"needs,omitempty"`
	Limits *Limits `json:"limits,omitempty"`
	// NoSnapshot is set by a module that must be initialised anew for every
	// call, because it keeps randomness or time from its initialisation.
	NoSnapshot bool `json:"no_snapshot,omitempty"`
}

// Action is one thing that a plugin does: one kind of task node.
type Action struct {
	// ID names the action inside its plugin: a lower-case letter, then up to 63
	// of [a-z0-9_].
	ID    string `json:"id"`
	Title Text   `json:"title"`
	Doc   Text   `json:"doc,omitzero"`
	Icon  string `json:"icon,omitempty"`
	// Inputs and Outputs are JSON Schemas (2020-12) of type object.
	Inputs  json.RawMessage `json:"inputs"`
	Outputs json.RawMessage `json:"outputs"`
	// Waits names the kinds of waiting that the action may answer with.
	Waits []WaitKind `json:"waits,omitempty"`
	// Cancel, Rollback and Options say that the module handles these calls for
	// this action.
	Cancel   bool `json:"cancel,omitempty"`
	Rollback bool `json:"rollback,omitempty"`
	Options  bool `json:"options,omitempty"`
	// TimeoutMS bounds the wall time of one call; zero takes the host's default.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// Foreign is set for an action of a module that was written without Culm in mind.
	Foreign *Foreign `json:"foreign,omitempty"`
}

// Need is an operation of a system that a plugin wants to call. "*" stands for
// any system, or for any operation of the system; the host still calls only what
// an administrator granted by name.
type Need struct {
	System    string `json:"system"`
	Operation string `json:"operation"`
}

// Limits are the limits a plugin asks for; zero takes the host's default, and the
// host's maximum wins over both.
type Limits struct {
	MemoryBytes int64 `json:"memory_bytes,omitempty"`
	OutputBytes int64 `json:"output_bytes,omitempty"`
	LogBytes    int64 `json:"log_bytes,omitempty"`
	HostCalls   int   `json:"host_calls,omitempty"`
	TimeoutMS   int64 `json:"timeout_ms,omitempty"`
}

// Action returns the action with that id, or false.
func (m *Manifest) Action(id string) (*Action, bool) {
	for i := range m.Actions {
		if m.Actions[i].ID == id {
			return &m.Actions[i], true
		}
	}
	return nil, false
}
